package wallet

import (
	"strconv"

	"lockstep/trade"
	"lockstep/types"
)

// Limits bound the agreements that the wallet signs. The zero value allows least: see [DefaultLimits].
type Limits struct {
	// Losses bound, by asset, the most money that one trade may cost the user if the other party fails or refuses.
	// An asset without an entry has no bound.
	Losses []LossLimit
	// MinBond is the least that a producer must stake, as a share of the price. Kept where the user is the consumer.
	MinBond Share
	// AllowNoBond lets the user buy from a producer that stakes nothing, as long as MinBond is zero.
	AllowNoBond bool
	// MaxDeposit is the largest deposit, as a share of the price. Kept where the user is the consumer.
	MaxDeposit Share
	// Fees bound, by asset, the fee of one transaction. An asset without an entry has the bound of [DefaultFee].
	Fees []FeeLimit
}

// FeeLimit is the most of one asset that one transaction may cost as a fee.
type FeeLimit struct {
	Asset types.AssetID
	Most  types.Amount
}

// DefaultFee is the most that a transaction may cost as a fee where the user has set no limit: a tenth of a whole unit.
func DefaultFee(decimals uint8) types.Amount {
	if decimals == 0 {
		return 0
	}
	most := types.Amount(1)
	for range min(decimals, types.MaxDecimals) - 1 {
		most *= 10
	}
	return most
}

// maxFee is the most that one transaction may cost in fees of an asset. An asset that can't be shown has no default.
func (l *Limits) maxFee(id types.AssetID, asset types.Asset, known bool) types.Amount {
	for _, limit := range l.Fees {
		if limit.Asset == id {
			return limit.Most
		}
	}
	if !known {
		return 0
	}
	return DefaultFee(asset.Decimals)
}

// LossLimit is the most of one asset that one trade may cost.
type LossLimit struct {
	Asset types.AssetID
	Most  types.Amount
}

// maxLosses bounds the list that a wallet file may hold.
const maxLosses = 256

// DefaultLimits refuse a producer that stakes nothing and a deposit above half of the price, and bound no sums.
func DefaultLimits() Limits { return Limits{MaxDeposit: Whole / 2} }

// Share is a part of a price in hundredths of a percent. It may be more than the whole.
type Share uint32

// Whole is the share of 100 %.
const Whole Share = 10_000

// String writes the share as a percentage, such as "12.5%".
func (s Share) String() string {
	return strconv.FormatFloat(float64(s)/float64(Whole/100), 'f', -1, 64) + "%"
}

// ParseShare reads a percentage, with or without the sign: "12.5%", "10".
func ParseShare(text string) (Share, error) {
	number := text
	if n := len(number); n > 0 && number[n-1] == '%' {
		number = number[:n-1]
	}
	amount, err := types.ParseAmount(number, 2)
	if err != nil || amount > types.Amount(100*Whole) {
		return 0, types.Refuse(types.CodeMalformed, "%q is not a share: write a percentage such as 12.5%%, with up to 2 decimal places", text)
	}
	return Share(amount), nil
}

// exceeds reports whether part is more than share of whole, exactly.
func (s Share) exceeds(part, whole types.Amount) bool {
	return cmpProducts(uint64(part), uint64(Whole), uint64(whole), uint64(s)) > 0
}

// check refuses an agreement that is outside the limits, naming the limit and why it is there.
func (l *Limits) check(agreement *types.Agreement, consumer bool) error {
	side := trade.Producer
	if consumer {
		side = trade.Consumer
	}
	worst, err := trade.WorstLoss(agreement, side)
	if err != nil {
		return err
	}
	for _, limit := range l.Losses {
		if limit.Asset == agreement.Asset && worst.Money > limit.Most {
			return refuse(ReasonLimit, "limit on losses: this trade could cost you %s, your limit for its asset is %s; "+
				"trade a smaller quantity or raise the limit", worst.Money, limit.Most)
		}
	}
	if !consumer {
		return nil
	}
	switch bond := agreement.Bond; {
	case bond == 0 && !l.AllowNoBond:
		return refuse(ReasonLimit, "limit on bonds: the producer would stake nothing, so it loses nothing if it takes your "+
			"payment hostage; choose an offer with a bond or allow none")
	case l.MinBond > 0 && cmpProducts(uint64(bond), uint64(Whole), uint64(agreement.Price), uint64(l.MinBond)) < 0:
		return refuse(ReasonLimit, "limit on bonds: the producer stakes %s for a price of %s, your limit is at least %s of the price; "+
			"choose an offer with a larger bond or lower the limit", bond, agreement.Price, l.MinBond)
	case l.MaxDeposit.exceeds(agreement.Deposit, agreement.Price):
		return refuse(ReasonLimit, "limit on deposits: the deposit of %s for a price of %s is above your limit of %s of the price; "+
			"choose an offer with a smaller one or raise the limit", agreement.Deposit, agreement.Price, l.MaxDeposit)
	}
	return nil
}
