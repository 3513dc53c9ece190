package ledger

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"lockstep/trade"
	"lockstep/types"
)

// Sums divides the money of each asset by its place. For each, Issued = Spendable + Locked + InOrders + Fees.
type Sums map[types.AssetID]Sum

// Sum divides the money of one asset by its place.
type Sum struct {
	Asset     types.Asset  `json:"asset"`
	Issued    types.Amount `json:"issued"`
	Spendable types.Amount `json:"spendable"` // has an owner who can spend it now
	Locked    types.Amount `json:"locked"`    // in a trade whose phase gives it no owner yet
	InOrders  types.Amount `json:"in_orders"` // staked by orders and standing offers, and by matches that are to become trades
	Fees      types.Amount `json:"fees"`
}

// place is one of the places of money.
type place int

const (
	spendable place = iota
	locked
	inOrders
)

// Audit reads the whole state and checks its invariants: value is conserved, each part of a
// trade is locked once, no two points on a path sell a direction, every value is canonical. It returns the sums and the accumulator as recomputed from scratch; the
// caller compares the latter with the stored one. It costs one pass over the state.
func Audit(view View) (sums Sums, accumulator Accumulator, err error) {
	defer func() { // a value that can't be decoded panics in the rules; here it is a finding
		if r := recover(); r != nil {
			err = fmt.Errorf("audit: %v", r)
		}
	}()
	reader := Reader{view}
	clock := reader.Clock().Now()
	sums = Sums{}
	elements := newExpander()
	for _, kind := range allKinds() {
		from, to := kindRange(kind)
		view.Ascend(from, to, func(key string, value Value) bool {
			decodeValue(key, value.Encoded)
			accumulator.add(elements.element(key, value.Encoded))
			return true
		})
	}
	for asset := range reader.Assets() {
		sums[asset.Asset.ID()] = Sum{Asset: asset.Asset, Issued: asset.Issued, Fees: asset.Fees}
	}
	for outpoint, output := range reader.Coins() {
		if err := sums.count(output.Asset, output.Amount, spendable); err != nil {
			return sums, accumulator, fmt.Errorf("audit: output %s: %w", outpoint, err)
		}
	}
	if err := auditPurses(reader, sums); err != nil {
		return sums, accumulator, err
	}
	for trade := range reader.Trades() {
		if err := auditTrade(trade, clock, sums); err != nil {
			return sums, accumulator, fmt.Errorf("audit: trade %s: %w", trade.ID(), err)
		}
	}
	if err := auditStakes(reader, sums); err != nil {
		return sums, accumulator, err
	}
	if err := auditSlots(reader); err != nil {
		return sums, accumulator, err
	}
	if err := auditPoints(reader); err != nil {
		return sums, accumulator, err
	}
	if err := auditUsage(reader); err != nil {
		return sums, accumulator, err
	}
	for asset := range reader.Assets() {
		id := asset.Asset.ID()
		sum := sums[id]
		if total, ok := types.Sum(sum.Spendable, sum.Locked, sum.InOrders, sum.Fees); !ok || total != sum.Issued {
			return sums, accumulator, fmt.Errorf("audit: of asset %s (%s) %s is issued, but %s spendable, %s locked, %s in orders and %s fees",
				sum.Asset.Code, id, sum.Issued, sum.Spendable, sum.Locked, sum.InOrders, sum.Fees)
		}
	}
	return sums, accumulator, nil
}

// count puts an amount where it belongs.
func (s Sums) count(asset types.AssetID, amount types.Amount, at place) error {
	sum, known := s[asset]
	if !known || amount == 0 {
		return fmt.Errorf("it holds %s of asset %s", amount, asset)
	}
	into := [...]*types.Amount{spendable: &sum.Spendable, locked: &sum.Locked, inOrders: &sum.InOrders}[at]
	err := accumulate(into, amount)
	s[asset] = sum
	return err
}

// auditTrade adds up the locked parts of a trade and refuses a part twice or out of order.
func auditTrade(t *types.Trade, clock types.Time, sums Sums) error {
	last := types.Part(0)
	for _, part := range t.Locked {
		if part.Part <= last || part.Part > types.PartBond {
			return fmt.Errorf("part %d is locked after part %d", part.Part, last)
		}
		last = part.Part
		at := locked
		if _, owned := trade.Owner(t, part.Part, clock); owned {
			at = spendable
		}
		if err := sums.count(t.Agreement.Asset, part.Amount, at); err != nil {
			return err
		}
	}
	return nil
}

// Order lists the assets in order of their IDs.
func (s Sums) Order() []types.AssetID {
	return slices.SortedFunc(maps.Keys(s), func(a, b types.AssetID) int { return bytes.Compare(a[:], b[:]) })
}
