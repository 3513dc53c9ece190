package page

import (
	"fmt"
	"html/template"
	"math/big"
	"strconv"
	"strings"
	"time"

	"lockstep/client/wire"
	"lockstep/internal/advice"
	"lockstep/trade/words"
	"lockstep/types"
	"lockstep/wallet"
)

const (
	space = "\u00a0" // between a number and its unit
	minus = "\u2212"
)

// Money writes a sum with the code of its asset: every decimal, those below a cent set back.
func (c *screen) Money(id types.AssetID, amount types.Amount) template.HTML {
	return template.HTML(`<span class="m">` + c.digits(id, amount, "") + `<b>` + space + escape(c.Code(id)) + `</b></span>`)
}

// Sum is Money without the code, for columns that name it.
func (c *screen) Sum(id types.AssetID, amount types.Amount) template.HTML {
	return template.HTML(`<span class="m">` + c.digits(id, amount, "") + `</span>`)
}

// Signed is Sum with the sign of a gain or of an expense.
func (c *screen) Signed(id types.AssetID, amount types.Amount, gain bool) template.HTML {
	sign := minus
	if gain {
		sign = "+"
	}
	return template.HTML(`<span class="m">` + c.digits(id, amount, sign) + `</span>`)
}

// digits writes a sum; the digits below a cent stand back.
func (c *screen) digits(id types.AssetID, amount types.Amount, sign string) string {
	text := sign + c.plain(id, amount)
	if whole, cents, _ := strings.Cut(text, "."); len(whole) > 5 {
		text = sign + groupDigits(strings.TrimPrefix(whole, sign))
		if cents != "" {
			text += "." + cents
		}
	}
	if at := strings.IndexByte(text, '.'); at >= 0 && len(text) > at+3 {
		return text[:at+3] + "<i>" + text[at+3:] + "</i>"
	}
	return text
}

// plain writes a sum as plain text, without its code.
func (c *screen) plain(id types.AssetID, amount types.Amount) string {
	asset, known := c.facts.asset(c.r.Context(), id)
	if !known {
		return amount.String()
	}
	return amount.Format(asset.Asset.Decimals)
}

// Short writes a sum for a headline: in cents, unless that hides all of it.
func (c *screen) Short(id types.AssetID, amount types.Amount) string {
	text := c.plain(id, amount)
	if at := strings.IndexByte(text, '.'); at >= 0 && len(text) > at+3 && strings.Trim(text[:at+3], "0.") != "" {
		text = text[:at+3]
	}
	return text + space + c.Code(id)
}

// Code names an asset. Anybody can issue an asset of any code, so the code stands alone only for one that the community recognises, and
// for one that the member trusts without a label while no other has that code. Else the issuer stands behind it: by the member's label, its name or the
// beginning of its key.
func (c *screen) Code(id types.AssetID) string {
	asset, known := c.facts.asset(c.r.Context(), id)
	if !known {
		return string(c.T("asset.unknown", "id", shortID(id.String())))
	}
	issuer := c.Name(asset.Asset.Issuer)
	switch label := c.trustLabel(&asset.Asset); {
	case asset.Recognised:
		return asset.Asset.Code
	case label != "":
		issuer = isolated(wallet.NameMark + label)
	case c.trusts(&asset.Asset) && !c.facts.recognises(asset.Asset.Code):
		return asset.Asset.Code
	}
	return plainText(c.T("asset.by", "code", asset.Asset.Code, "issuer", issuer))
}

// trustLabel is the member's label for an asset that it trusts.
func (c *screen) trustLabel(asset *types.Asset) string {
	if !c.SignedIn() {
		return ""
	}
	if opened := c.member.unlocked(); opened != nil {
		for _, one := range opened.Trusted() {
			if one.Asset == *asset {
				return one.Label
			}
		}
	}
	return ""
}

// trusts reports whether the member knows the issuer of an asset.
func (c *screen) trusts(asset *types.Asset) bool {
	if !c.SignedIn() {
		return false
	}
	opened := c.member.unlocked()
	if opened == nil {
		return false
	}
	if opened.OwnLabelOf(asset.Issuer) != "" {
		return true
	}
	for _, one := range opened.Trusted() {
		if one.Asset == *asset {
			return true
		}
	}
	return false
}

// Quantity writes a quantity of goods: energy in Wh below 10,000, else in kWh.
func (c *screen) Quantity(n uint64, unit string) string {
	const kilo, fewest = 1000, 10_000
	switch {
	case unit == types.UnitWattHour && n >= fewest:
		whole := grouped(n / kilo)
		if rest := strings.TrimRight(fmt.Sprintf("%03d", n%kilo), "0"); rest != "" {
			whole += "." + rest
		}
		return whole + space + "kWh"
	case unit == types.UnitItem:
		return string(c.N("goods.items", n, "n", grouped(n)))
	}
	return grouped(n) + space + unit
}

// Goods describes goods in short: the quantity, and of other goods than energy their name.
func (c *screen) Goods(g *types.Goods) string {
	if g.Commodity == types.CommodityEnergy {
		return c.Quantity(g.Quantity, g.Unit)
	}
	if g.Unit == types.UnitItem && g.Quantity == 1 {
		return isolated(g.Commodity)
	}
	return isolated(g.Commodity) + ", " + c.Quantity(g.Quantity, g.Unit)
}

// Price writes the price of a unit of goods: 24.45 ct/kWh, or in the asset for each unit.
func (c *screen) Price(id types.AssetID, unit string, price *big.Rat) string {
	asset, known := c.facts.asset(c.r.Context(), id)
	if !known {
		return price.FloatString(2)
	}
	decimals := int(asset.Asset.Decimals)
	scale, name := decimals, c.Code(id)
	per := unit
	value := new(big.Rat).Set(price)
	if unit == types.UnitWattHour {
		per = "kWh"
		value.Mul(value, big.NewRat(1000, 1))
		if decimals >= 2 {
			scale, name = decimals-2, "ct"
		}
	}
	value.Quo(value, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)))
	if unit == types.UnitItem {
		per = c.Plain("goods.item")
	}
	return value.FloatString(2) + space + name + "/" + per
}

// Each writes a price for a headline: of a single piece it is the sum alone.
func (c *screen) Each(id types.AssetID, unit string, rate types.Rate) string {
	if unit == types.UnitItem && rate.Exponent == 0 {
		return c.Short(id, types.Amount(rate.Mantissa))
	}
	return c.Rate(id, unit, rate)
}

// cutUnit divides a written price into its number and its unit.
func cutUnit(price string) (number, unit string, found bool) { return strings.Cut(price, space) }

// UnitPrice is the price of one unit under an agreement.
func (c *screen) UnitPrice(a *types.Agreement) string {
	if a.Goods.Quantity <= 1 {
		return ""
	}
	price := new(big.Rat).SetFrac(new(big.Int).SetUint64(uint64(a.Price)), new(big.Int).SetUint64(a.Goods.Quantity))
	return c.Price(a.Asset, a.Goods.Unit, price)
}

// Rate writes a price of the ledger.
func (c *screen) Rate(id types.AssetID, unit string, rate types.Rate) string {
	return c.Price(id, unit, exactly(rate))
}

// LotPrice writes the price of a lot of an auction.
func (c *screen) LotPrice(id types.AssetID, unit string, price types.Amount, lot uint64) string {
	value := new(big.Rat).SetFrac(new(big.Int).SetUint64(uint64(price)), new(big.Int).SetUint64(max(lot, 1)))
	return c.Price(id, unit, value)
}

// grouped writes a number in groups of three digits.
func grouped(n uint64) string {
	return groupDigits(strconv.FormatUint(n, 10))
}

func groupDigits(text string) string {
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// Count writes a number of things.
func (c *screen) Count(n any) string {
	switch v := n.(type) {
	case int:
		return grouped(uint64(max(0, v)))
	case uint64:
		return grouped(v)
	case uint32:
		return grouped(uint64(v))
	}
	return fmt.Sprint(n)
}

// local is a moment in the reader's time zone.
func (c *screen) local(t types.Time) time.Time { return t.Std().In(c.zone) }

// Minute writes the time of a day; seconds where there are some.
func (c *screen) Minute(t types.Time) string {
	if t%60_000 != 0 {
		return c.Second(t)
	}
	return c.local(t).Format("15:04")
}

// Second writes the time of a day with seconds.
func (c *screen) Second(t types.Time) string { return c.local(t).Format(time.TimeOnly) }

// Day writes a date: Mon 15 Jun, or 6月15日 周一.
func (c *screen) Day(t types.Time) string {
	at := c.local(t)
	if c.Lang == words.Chinese {
		return fmt.Sprintf("%d月%d日 周%s", int(at.Month()), at.Day(), []string{"日", "一", "二", "三", "四", "五", "六"}[at.Weekday()])
	}
	return at.Format("Mon 2 Jan")
}

// near reports whether a moment lies within some hours of the ledger's.
func (c *screen) near(t types.Time) bool {
	const most = 18 * 60 * 60 * 1000
	now := c.now64()
	return t < now+most && now < t+most
}

func (c *screen) now64() types.Time {
	if c.Status.Clock != 0 {
		return c.Status.Clock
	}
	return types.TimeOf(c.now())
}

// At writes a moment: the time, and the day where it is another.
func (c *screen) At(t types.Time) string {
	if t == 0 {
		return ""
	}
	if c.near(t) && c.local(t).YearDay() == c.local(c.now64()).YearDay() {
		return c.Second(t)
	}
	return c.Day(t) + ", " + c.Second(t)
}

// Stamp writes a whole moment with its zone.
func (c *screen) Stamp(t types.Time) string {
	if t == 0 {
		return ""
	}
	return c.local(t).Format("2006-01-02 15:04:05 MST")
}

// Heading writes a whole moment for a heading: its lines break between day and time alone.
func (c *screen) Heading(t types.Time) template.HTML {
	at := c.local(t)
	return template.HTML(at.Format(`<span class="nb">2006-01-02</span> <span class="nb">15:04:05 `) + escape(at.Format("MST")) + "</span>")
}

// By writes a deadline, without seconds where it has none.
func (c *screen) By(t types.Time) string {
	if c.near(t) && c.local(t).YearDay() == c.local(c.now64()).YearDay() {
		return c.Minute(t)
	}
	return c.Day(t) + ", " + c.Minute(t)
}

// Slot writes the time of metered goods; the day where it is another.
func (c *screen) Slot(from, until types.Time) string {
	if from == 0 && until == 0 {
		return ""
	}
	text := c.Minute(from) + "\u2013" + c.Minute(until)
	if !c.near(from) || c.local(from).YearDay() != c.local(c.now64()).YearDay() {
		text = c.Day(from) + ", " + text
	}
	return text
}

// Span writes a time that is left: 2:20 below an hour, then 1 h 37 min, then days.
func (c *screen) Span(d types.Duration) string {
	left := d.Std()
	switch {
	case left < 0:
		return string(c.T("time.passed"))
	case left < time.Hour:
		return fmt.Sprintf("%d:%02d", int(left.Minutes()), int(left.Seconds())%60)
	case left < 48*time.Hour:
		return string(c.T("time.hours", "h", int(left.Hours()), "m", int(left.Minutes())%60))
	}
	return string(c.T("time.days", "d", int(left.Hours())/24, "h", int(left.Hours())%24))
}

// Ago writes the age of the last block.
func (c *screen) Ago(d types.Duration) string {
	age := d.Std()
	if age < time.Minute {
		return string(c.T("time.seconds_ago", "s", strconv.FormatFloat(age.Seconds(), 'f', 1, 64)))
	}
	return string(c.T("time.ago", "t", c.Span(d)))
}

// Left writes the time until a deadline of the ledger clock, which an open page counts down.
func (c *screen) Left(until types.Time) template.HTML {
	return template.HTML(fmt.Sprintf(`<time data-until="%d">%s</time>`, until, escape(c.Span(until.Since(c.now64())))))
}

// shortID is the first eight digits and the last four.
func shortID(id string) string {
	if len(id) <= 16 {
		return id
	}
	return id[:8] + "…" + id[len(id)-4:]
}

// ID writes an id in short, with the whole one to copy.
func (c *screen) ID(id fmt.Stringer) template.HTML {
	whole := id.String()
	return template.HTML(fmt.Sprintf(`<span class="id" title="%s">%s</span><button type="button" class="cp" data-copy="%s" hidden>%s</button>`,
		escape(whole), escape(shortID(whole)), escape(whole), c.T("copy")))
}

// Name names a key: by the viewer's own label, with a mark that no other name has; by its name on the ledger; or by the beginning of the key.
func (c *screen) Name(key types.PublicKey) string {
	if label := c.Label(key); label != "" {
		return isolated(wallet.NameMark + label)
	}
	if name := cleanName(c.facts.name(c.r.Context(), key)); advice.ForeignName(name) { // it can be read as another name, so the key stands beside it
		return isolated(name) + space + key.String()[:11] + "…"
	} else if name != "" {
		return isolated(name)
	}
	return key.String()[:11] + "…"
}

// cleanName takes the characters off a name of the ledger that the page uses itself: those of sums, and the mark of the viewer's own labels
// in all its forms, with any space before it.
func cleanName(name string) string {
	name = strings.TrimLeftFunc(name, func(r rune) bool { return strings.Trim(types.FoldName(string(r)), wallet.NameMark) == "" })
	return strings.Map(func(r rune) rune {
		if r >= sumBegins && r <= sumEnds {
			return -1
		}
		return r
	}, name)
}

// isolated keeps a text that is written from the right from turning the text around it: between two such names an arrow would point from
// the second to the first.
func isolated(text string) string {
	const begin, end = "\u2068", "\u2069" // first strong isolate, pop directional isolate
	if strings.ContainsFunc(text, fromRight) {
		return begin + text + end
	}
	return text
}

// fromRight reports whether a character is in one of the blocks of scripts that are written from the right.
func fromRight(r rune) bool {
	return r >= 0x0590 && r <= 0x08ff || r >= 0xfb1d && r <= 0xfdff || r >= 0xfe70 && r <= 0xfeff || r >= 0x10800 && r <= 0x10fff || r >= 0x1e800 && r <= 0x1efff
}

// Initials are the two letters of a round mark beside a name.
func (c *screen) Initials(key types.PublicKey) string {
	name := []rune(c.Label(key))
	if len(name) == 0 {
		name = []rune(cleanName(c.facts.name(c.r.Context(), key)))
	}
	if len(name) == 0 {
		return key.String()[3:5]
	}
	return string(name[:min(2, len(name))])
}

// Percent writes a share.
func (c *screen) Percent(part, whole uint64) string {
	if whole == 0 {
		return "–"
	}
	return fmt.Sprintf("%d"+space+"%%", (part*200+whole)/(whole*2))
}

func escape(text string) string { return template.HTMLEscapeString(text) }

// Self is the member's key.
func (c *screen) Self() types.PublicKey { return c.self }

// Zone is the time zone of the page.
func (c *screen) Zone() string {
	name, _ := c.local(c.now64()).Zone()
	return name
}

// ShortID is an id in short, as text.
func (c *screen) ShortID(id any) string { return shortID(fmt.Sprint(id)) }

// Groups writes a key in groups of eight, to be compared by eye.
func (c *screen) Groups(key types.PublicKey) string {
	const size = 8
	var groups []string
	for text := key.String(); text != ""; text = text[min(size, len(text)):] {
		groups = append(groups, text[:min(size, len(text))])
	}
	return strings.Join(groups, " ")
}

// TotalQuantity writes a total of goods.
func (c *screen) TotalQuantity(total types.Total, unit string) string {
	if n := total.Big(); n.IsUint64() {
		return c.Quantity(n.Uint64(), unit)
	}
	return total.String() + space + unit
}

// GoodsOf are the goods of the trade.
func (v *tradeView) GoodsOf() *types.Goods { return &v.A.Goods }

// Several reports whether the trade has instalments.
func (v *tradeView) Several() bool { return v.A.Instalments > 1 }

// Empty reports whether there is no trade at all.
func (v *tradesView) Empty() bool {
	for i := range v.Groups {
		if len(v.Groups[i].Rows) > 0 || v.Groups[i].Note != "" {
			return false
		}
	}
	return v.Next == ""
}

// First is the balance that heads the page.
func (v *homeView) First() *wire.Balance { return first(v.Balances) }

// Open counts the member's open trades.
func (v *homeView) Open() int { return v.Running + len(v.Waiting) }

// First is the balance that heads the page.
func (v *walletView) First() *wire.Balance { return first(v.Balances) }

func first(balances []wire.Balance) *wire.Balance {
	if len(balances) == 0 {
		return nil
	}
	return &balances[0]
}

// exactly is a rate as a fraction.
func exactly(rate types.Rate) *big.Rat {
	value := new(big.Rat).SetUint64(rate.Mantissa)
	return value.Quo(value, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(rate.Exponent)), nil)))
}
