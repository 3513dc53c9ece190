//go:build unix

package index_test

import (
	"encoding/binary"
	"fmt"
	"iter"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"lockstep/internal/index"
	"lockstep/types"
)

// bazaar is a made-up chain of a full node: every block begins trades, delivers those of three blocks before and releases
// those of six blocks before, whose proceeds go on in the next. As the city it stands in for a store.
type bazaar struct {
	height uint64 // the last block there is
	reads  int    // of trades
}

const (
	stalls       = 4000
	bazaarTrades = 300 // of a block
	toDeliver    = 3
	toRelease    = 6
)

func bazaarClock(block uint64) types.Time { return cityStart + types.Time(block)*140 }

func (z *bazaar) History() (uint64, types.Hash)    { return 0, types.Hash{} }
func (z *bazaar) Standing() iter.Seq[*types.Trade] { return func(func(*types.Trade) bool) {} }
func (z *bazaar) Gate() types.Duration             { return 0 }

func (z *bazaar) Trade(id types.TradeID) (*types.Trade, error) {
	z.reads++
	n := binary.BigEndian.Uint64(id[24:])
	block := n/bazaarTrades + 1
	deadline := cityStart + 1_000_000_000
	trade := &types.Trade{
		Height: block, Phase: types.PhasePaid,
		Steps: []types.Step{{Kind: types.StepAgreed, At: bazaarClock(block)}, {Kind: types.StepPaid, At: bazaarClock(block)}},
		Agreement: types.Agreement{
			Producer: number(n*7919%stalls, "stall"), Consumer: number((n*7919+1)%stalls, "stall"), Asset: assetID(0),
			Goods: types.Goods{Commodity: "parcel", Unit: types.UnitItem, Quantity: 1},
			Price: types.Amount(25 + n%10), Deposit: 1, Bond: 1, Instalments: 1, Fallback: &types.Hold{}, Nonce: n,
			Deadlines: types.Deadlines{PayBy: deadline, DeliverBy: deadline, ReadingBy: deadline, ConfirmBy: deadline},
		},
	}
	if z.height >= block+toDeliver {
		trade.Phase = types.PhaseDelivered
		trade.Steps = append(trade.Steps, types.Step{Kind: types.StepDelivered, At: bazaarClock(block + toDeliver)})
	}
	if z.height >= block+toRelease {
		trade.Phase, trade.Released = types.PhaseReleased, 1
		trade.Steps = append(trade.Steps, types.Step{Kind: types.StepReleased, At: bazaarClock(block + toRelease)})
	}
	return trade, nil
}

func (*bazaar) Base() uint64 { return 0 }

func (z *bazaar) Block(height uint64) (*index.Block, error) {
	if height > z.height {
		return nil, nil
	}
	clock := bazaarClock(height)
	block := &index.Block{Height: height, BlockTime: clock, Clock: clock, Commitment: number(height, "block")}
	for _, step := range []struct {
		age   uint64
		kind  types.EventKind
		phase types.Phase
	}{
		{0, types.EventPaid, types.PhasePaid}, {toDeliver, types.EventDelivered, types.PhaseDelivered},
		{toRelease, types.EventReleased, types.PhaseReleased}, {toRelease + 1, types.EventCollected, types.PhaseReleased},
	} {
		for n := range uint64(bazaarTrades) {
			if height > step.age {
				effect := &types.Stepped{Trade: number((height-step.age-1)*bazaarTrades+n, "trade"), Event: step.kind.Number(), Phase: step.phase}
				if step.phase == types.PhaseReleased {
					effect.Released = 1
				}
				block.Outcomes = append(block.Outcomes, types.Outcome{Height: height, At: clock, Effects: []types.Effect{effect}})
			}
		}
	}
	return block, nil
}

// noAuctions is the part of a source that the bazaar has no use for.
type noAuctions struct{ index.Source }

// coreTime is the time of all cores that the process has used.
func coreTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkSteps follows a full node in batches of so many blocks. A trade's steps take seven of them.
func BenchmarkSteps(b *testing.B) {
	for _, batch := range []uint64{1, 8, 16, 32} {
		b.Run(fmt.Sprintf("%d blocks", batch), func(b *testing.B) {
			source := &struct {
				*bazaar
				noAuctions
			}{bazaar: new(bazaar)}
			x, err := index.Open(filepath.Join(b.TempDir(), "index.db"), types.Hash{}, nil, quiet)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { closeIndex(b, x) })
			b.ReportAllocs()
			b.ResetTimer()
			used := coreTime(b)
			for trades := 0; trades < b.N; trades += int(batch) * bazaarTrades { // a trade is an operation
				source.height += batch
				if _, err := x.Advance(b.Context(), source); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((coreTime(b)-used).Nanoseconds())/float64(source.height*bazaarTrades), "core-ns/op")
			b.ReportMetric(float64(source.reads)/float64(source.height*bazaarTrades), "reads/op")
		})
	}
}
