package ledger

import (
	"fmt"

	"lockstep/types"
)

// Sums is where the money is, by asset. For each, Issued = Spendable + Locked + Fees.
type Sums map[types.AssetID]Sum

// Sum is where the money of one asset is.
type Sum struct {
	Asset     types.Asset  `json:"asset"`
	Issued    types.Amount `json:"issued"`
	Spendable types.Amount `json:"spendable"` // somebody can spend it now
	Locked    types.Amount `json:"locked"`    // in a trade whose phase gives it to nobody yet
	Fees      types.Amount `json:"fees"`
}

// Audit reads the whole state and checks what must hold of it at any time: value is conserved, trades and the outputs
// locked to them agree, every value is canonical. It returns the sums and the accumulator as recomputed from scratch; the
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
	for _, kind := range []byte{kindOutput, kindTrade, kindOffer, kindAsset, kindRemembered, kindQueue, kindClock, kindMember, kindMeter, kindSlot, kindBook, kindOrder, kindGate, kindRecord} {
		from, to := kindRange(kind)
		view.Ascend(from, to, func(key string, value []byte) bool {
			decodeValue(key, value)
			accumulator.Add(key, value)
			return true
		})
	}
	for asset := range reader.Assets() {
		sums[asset.Asset.ID()] = Sum{Asset: asset.Asset, Issued: asset.Issued, Fees: asset.Fees}
	}
	locked := map[types.TradeID]types.Amount{}
	from, to := kindRange(kindOutput)
	view.Ascend(from, to, func(key string, value []byte) bool {
		err = auditOutput(reader, clock, decodeValue(key, value).(*types.Output), sums, locked)
		return err == nil
	})
	if err != nil {
		return sums, accumulator, err
	}
	for trade := range reader.Trades() {
		if id := trade.ID(); locked[id] != trade.LockedSum() {
			return sums, accumulator, fmt.Errorf("audit: trade %s says it has %s locked, its outputs hold %s", id, trade.LockedSum(), locked[id])
		}
	}
	for asset := range reader.Assets() {
		id := asset.Asset.ID()
		sum := sums[id]
		if total, ok := types.Sum(sum.Spendable, sum.Locked, sum.Fees); !ok || total != sum.Issued {
			return sums, accumulator, fmt.Errorf("audit: of asset %s (%s) %s is issued, but %s spendable, %s locked and %s fees",
				sum.Asset.Code, id, sum.Issued, sum.Spendable, sum.Locked, sum.Fees)
		}
	}
	return sums, accumulator, nil
}

func auditOutput(reader Reader, clock types.Time, output *types.Output, sums Sums, locked map[types.TradeID]types.Amount) error {
	sum, known := sums[output.Asset]
	if !known {
		return fmt.Errorf("audit: an output holds asset %s, which was never issued", output.Asset)
	}
	owned := true
	if lock, bound := output.Lock.(*types.TradeLock); bound {
		trade, ok := reader.Trade(lock.Trade)
		if !ok {
			return fmt.Errorf("audit: an output is locked to trade %s, which is not in the state", lock.Trade)
		}
		locked[lock.Trade] += output.Amount
		_, owned = trade.Owner(lock.Part, clock)
	}
	into := &sum.Locked
	if owned {
		into = &sum.Spendable
	}
	if err := accumulate(into, output.Amount); err != nil {
		return fmt.Errorf("audit: asset %s: %w", output.Asset, err)
	}
	sums[output.Asset] = sum
	return nil
}
