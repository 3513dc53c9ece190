package main

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"lockstep/market"
	"lockstep/types"
)

// measure is a unit for display: a power of ten of the ledger's unit.
type measure struct {
	name  string
	power int
}

// measures returns the display units of a unit of the ledger, the largest first. Only energy has several.
func measures(unit string) []measure {
	if unit == types.UnitWattHour {
		return []measure{{"GWh", 9}, {"MWh", 6}, {"kWh", 3}, {types.UnitWattHour, 0}}
	}
	return []measure{{unit, 0}}
}

// measureOf parses a unit: it returns the ledger's unit, and the power of ten between the two. It ignores case where that is
// unambiguous: mWh could be a thousandth.
func measureOf(name string) (unit string, power int) {
	for _, m := range measures(types.UnitWattHour) {
		if m.name == name || strings.EqualFold(m.name, name) && name[0] != 'm' {
			return types.UnitWattHour, m.power
		}
	}
	return name, 0
}

// unitOf returns the ledger's unit for a display unit.
func unitOf(name string) string {
	unit, _ := measureOf(name)
	return unit
}

// splitNumber divides the value of a flag into the decimal number at its begin and the rest. Forms say how to write it.
func splitNumber(flag, text, forms string) (types.Rate, string, error) {
	typed := text
	text = strings.TrimSpace(text)
	end := strings.IndexFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if end < 0 {
		end = len(text)
	}
	number, rest := text[:end], strings.TrimSpace(text[end:])
	if strings.HasPrefix(rest, ",") {
		return types.Rate{}, "", misuse("%s %q: write the decimal point as a point and nothing else between digits, such as 2.5 or 12000", flag, typed)
	}
	rate, err := types.ParseRate(number)
	if err != nil {
		return rate, "", misuse("%s %q does not begin with a number that can be counted: write it like %s", flag, typed, forms)
	}
	return rate, rest, nil
}

// parseQuantity parses a quantity of goods, in their unit or with another of the same kind after it: 2000, 2kWh, 0.5 MWh. It
// refuses, and does not round, a quantity that is not a whole number of the ledger's unit.
func parseQuantity(flag, text, unit string) (uint64, error) {
	number, written, err := splitNumber(flag, text, quantityForms(unit))
	if err != nil {
		return 0, err
	}
	if written == "" {
		written = unit
	}
	base, power := measureOf(written)
	if base != unitOf(unit) {
		return 0, misuse("%s %q: these goods are counted in %s, not in %s; write it like %s, or name the unit by --unit", flag, text,
			name(unitOf(unit)), name(written), quantityForms(unit))
	}
	exact := scaled(new(big.Rat).SetUint64(number.Mantissa), power-int(number.Exponent))
	switch {
	case !exact.IsInt():
		return 0, misuse("%s %q is not a whole number of %s: the ledger counts no smaller parts", flag, text, name(base))
	case exact.Sign() == 0:
		return 0, misuse("%s %q is nothing: give 1 or more, or leave it out", flag, text)
	case exact.Cmp(new(big.Rat).SetUint64(types.MaxQuantity)) > 0:
		return 0, misuse("%s %q is more than the ledger counts: at most %s", flag, text, quantity(types.MaxQuantity, base))
	}
	return exact.Num().Uint64(), nil
}

// sameUnit formats a quantity in the unit of a text that [parseQuantity] has read: 1.5kWh becomes 1kWh.
func sameUnit(text string, n uint64, unit string) string {
	written := strings.TrimLeft(strings.TrimSpace(text), "0123456789.")
	_, power := measureOf(strings.TrimSpace(written))
	if strings.TrimSpace(written) == "" {
		power = 0
		written = " " + name(unit)
	}
	return market.Decimal(scaled(new(big.Rat).SetInt(new(big.Int).SetUint64(n)), -power)) + written
}

func quantityForms(unit string) string {
	if unitOf(unit) == types.UnitWattHour {
		return "2kWh, 500Wh or 0.5MWh"
	}
	return "12"
}

// scaled multiplies a number by a power of ten.
func scaled(number *big.Rat, power int) *big.Rat {
	factor := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(power, -power))), nil))
	if power < 0 {
		return number.Quo(number, factor)
	}
	return number.Mul(number, factor)
}

// parsePrice parses a price that is more than zero, see [readPrice].
func parsePrice(flag, text, unit string, asset *types.Asset) (types.Rate, error) {
	rate, _, err := readPrice(flag, text, unit, asset)
	if err == nil && rate.Mantissa == 0 {
		return rate, misuse("%s %q is nothing: a price is more than zero", flag, text)
	}
	return rate, err
}

// belowZero refuses a negative price.
func belowZero(what, text string) error {
	return fmt.Errorf("%s %q is below zero, and a trade has one payer: energy that somebody is paid to take is sold the other way round, as --commodity intake. See the section \"Prices below zero\" of docs/explanation/markets.md", what, text)
}

// priceForm is the way in which a price was written: "30ct/kWh", "45 EUR/MWh", "12".
type priceForm struct {
	money string // after the number
	per   string // with the slash, or empty
	power int    // of ten: the number times it is the price of one unit of goods, in smallest units of the asset
}

// text writes the price of one unit of goods, in smallest units of the asset, in this form.
func (f *priceForm) text(price *big.Rat) string {
	return market.Decimal(scaled(new(big.Rat).Set(price), -f.power)) + f.money + f.per
}

// readPrice parses a price and returns that of one unit of goods as the ledger counts them, in smallest units of the asset, with the
// form in which it was written. The text is a price per display unit, in whole money or in hundredths: 0.30/kWh, 30ct/kWh, 45 EUR/MWh,
// 12/item; "/k" is per 1,000 of the goods' unit. A number alone is a price of one unit, but not of energy: one user reads it per kWh and
// another per Wh, which is a thousand times as much.
func readPrice(flag, text, unit string, asset *types.Asset) (rate types.Rate, form priceForm, err error) {
	money, per, divided := strings.Cut(text, "/")
	if strings.HasPrefix(strings.TrimSpace(money), "-") {
		return rate, form, &usageError{belowZero(flag, text)}
	}
	number, currency, err := splitNumber(flag, money, priceForms(unit, asset))
	if err != nil {
		return number, form, err
	}
	form.money = currency
	if currency != "" && strings.Contains(money, " "+currency) {
		form.money = " " + currency
	}
	shift := int(asset.Decimals)
	switch {
	case currency == "" || currency == asset.Code || strings.HasPrefix(currency, asset.Code+"."): // as [assetBook.name] writes it
	case currency == "€" && asset.Code == "EUR":
	case slices.Contains([]string{"ct", "cent", "cents", "Cent", "Cents"}, currency):
		if asset.Decimals < 2 {
			return number, form, misuse("%s %q: %s has %d decimal places, so it has no hundredths: write the price in whole %s", flag, text, asset.Code, asset.Decimals, asset.Code)
		}
		shift -= 2
	default:
		return number, form, misuse("%s %q is in %s, but --asset is %s", flag, text, name(currency), asset.Code)
	}
	per = strings.TrimSpace(per)
	base, power := measureOf(per)
	switch {
	case !divided && unit == types.UnitWattHour:
		return number, form, misuse("%s %q does not say for how much energy: write it like %s", flag, text, priceForms(unit, asset))
	case !divided:
		base, power = measureOf(unit)
	case per == "k":
		base, power = unitOf(unit), 3
	}
	if base != unitOf(unit) {
		return number, form, misuse("%s %q is a price for %s, but the goods are counted in %s: write it like %s", flag, text, name(per), name(unitOf(unit)), priceForms(unit, asset))
	}
	if form.power = shift - power; divided {
		form.per = "/" + per
	}
	rate, err = scaleRate(number, form.power)
	return rate, form, err
}

// priceOfAll parses the price of goods: an amount for all of them, or a price by quantity, which is rounded up as that of an
// offer is.
func priceOfAll(flag, text string, goods *types.Goods, asset *types.Asset) (types.Amount, error) {
	if !strings.Contains(text, "/") {
		return parseAmount(text, asset.Decimals)
	}
	rate, err := parsePrice(flag, text, goods.Unit, asset)
	if err != nil {
		return 0, err
	}
	price, ok := rate.Cost(goods.Quantity)
	if !ok {
		return 0, misuse("%s %q for %s is more than the ledger can count", flag, text, quantity(goods.Quantity, goods.Unit))
	}
	return price, nil
}

// unitPrice returns the price of one unit of the goods of an agreement, in smallest units of its asset.
func unitPrice(a *types.Agreement) *big.Rat {
	return new(big.Rat).SetFrac(new(big.Int).SetUint64(uint64(a.Price)), new(big.Int).SetUint64(a.Goods.Quantity))
}

func priceForms(unit string, asset *types.Asset) string {
	if unitOf(unit) != types.UnitWattHour {
		return "12.50"
	}
	if asset.Decimals < 2 {
		return "3/kWh or 45 " + asset.Code + "/MWh"
	}
	return "30ct/kWh, 0.30/kWh or 45 " + asset.Code + "/MWh"
}

// quantity formats a quantity in the largest display unit of which it has at least one, with at most three decimal places.
func quantity(n uint64, unit string) string {
	for _, m := range measures(unit) {
		whole := uint64(1)
		for range m.power {
			whole *= 10
		}
		if whole == 1 || n >= whole && n%(whole/1000) == 0 {
			return market.Decimal(new(big.Rat).SetFrac(new(big.Int).SetUint64(n), new(big.Int).SetUint64(whole))) + " " + name(m.name)
		}
	}
	panic("a unit has no measure of one")
}

// rate formats the price of one unit of goods, in smallest units of an asset: exactly, in whole money per display unit.
func (s *session) rate(asset types.AssetID, unit string, price *big.Rat) string {
	per := displayed(unit)
	money, mark := s.assets.nameAndMark(asset)
	return wholeMoney(price, per.power, s.decimals(asset)) + " " + money + "/" + name(per.name) + mark
}

// displayed returns the measure for which prices of goods in a unit are shown.
func displayed(unit string) measure {
	if unit == types.UnitWattHour {
		return measure{"kWh", 3}
	}
	return measure{unit, 0}
}

// wholeMoney formats the price of 10^power units of goods in whole money of an asset with these decimal places, of which it shows two at least.
func wholeMoney(price *big.Rat, power, decimals int) string {
	text := market.Decimal(scaled(new(big.Rat).Set(price), power-decimals))
	if _, fraction, _ := strings.Cut(text, "."); decimals >= 2 && len(fraction) < 2 {
		if fraction == "" {
			text += "."
		}
		text += strings.Repeat("0", 2-len(fraction))
	}
	return text
}

// lotPrice formats a price for a lot as that of a unit.
func (s *session) lotPrice(product *types.Product, lot uint64, price types.Amount) string {
	return s.rate(product.Asset, product.Unit, perUnit(price, lot))
}

// perUnit returns the price of one unit from that of a lot.
func perUnit(price types.Amount, lot uint64) *big.Rat {
	return new(big.Rat).SetFrac(new(big.Int).SetUint64(uint64(price)), new(big.Int).SetUint64(max(lot, 1)))
}

// limit formats the price of an offer or an order.
func (s *session) limit(asset types.AssetID, unit string, price types.Rate) string {
	return s.rate(asset, unit, exactly(price))
}

// exactly returns a rate as a fraction.
func exactly(rate types.Rate) *big.Rat {
	return scaled(new(big.Rat).SetUint64(rate.Mantissa), -int(rate.Exponent))
}
