package statement_test

import (
	"testing"

	"lockstep/internal/page/statement"
	"lockstep/trade"
	"lockstep/types"
)

const (
	price, deposit, bond = 100, 10, 5
	start                = types.Amount(1000)
)

var producer, consumer, stranger = types.PublicKey{1}, types.PublicKey{2}, types.PublicKey{3}

// made returns a trade with steps at the times 1, 2, 3 and so on.
func made(phase types.Phase, matched bool, steps ...types.StepKind) *types.Trade {
	t := &types.Trade{Phase: phase, Agreement: types.Agreement{
		Producer: producer, Consumer: consumer, Price: price, Deposit: deposit, Bond: bond, Instalments: 4, Fallback: &types.Meter{},
		Goods: types.Goods{Commodity: "electricity", Unit: "Wh", Quantity: 40}, Deadlines: types.Deadlines{DeliverBy: 9},
	}}
	if matched {
		steps = append([]types.StepKind{types.StepMatched}, steps...)
	}
	for i, kind := range steps {
		t.Steps = append(t.Steps, types.Step{Kind: kind, At: types.Time(i + 1)})
	}
	return t
}

// TestBooks: in each way that a trade can go, the movements of both sides add up to their gain or loss. No money comes or goes.
func TestBooks(t *testing.T) {
	t.Parallel()
	paid, delivered, released := types.StepPaid, types.StepDelivered, types.StepReleased
	half := func(*types.Trade) (types.Amount, types.Amount, bool) { return 60, 55, true }
	for _, one := range []struct {
		name               string
		trade              *types.Trade
		k                  uint16
		allotted           uint64
		producer, consumer int // of all movements
	}{
		{"agreed", made(types.PhaseAgreed, false, types.StepAgreed), 0, 0, 0, 0},
		{"lapsed", made(types.PhaseLapsed, false, types.StepAgreed), 0, 0, 0, 0},
		{"paid", made(types.PhasePaid, false, types.StepAgreed, paid), 0, 0, 0, -110},
		{"delivered", made(types.PhaseDelivered, false, types.StepAgreed, paid, delivered), 0, 0, -5, -110},
		{"two of four", made(types.PhaseDelivered, false, types.StepAgreed, paid, delivered, released), 2, 0, 45, -110},
		{"released", made(types.PhaseReleased, false, types.StepAgreed, paid, delivered, released), 4, 0, 100, -100},
		{"matched and released", made(types.PhaseReleased, true, paid, delivered, released), 4, 0, 100, -100},
		{"refunded", made(types.PhaseRefunded, false, types.StepAgreed, paid), 0, 0, 0, 0},
		{"matched and refunded", made(types.PhaseRefunded, true, paid), 0, 0, 0, 0},
		{"settled in full", made(types.PhaseSettled, true, paid, delivered, types.StepSettled), 0, 40, 110, -110},
		{"settled for half", made(types.PhaseSettled, true, paid, delivered, types.StepSettled), 0, 20, 50 - 5 + 2, -100 + 53},
		{"settled after two of four", made(types.PhaseSettled, false, types.StepAgreed, paid, delivered, released, types.StepSettled), 2, 10, 50 - 5 + 1, -110 + 64},
		{"split", made(types.PhaseSplit, false, types.StepAgreed, paid, delivered, types.StepSplit), 0, 0, 55, -55},
		{"awarded", made(types.PhaseAwarded, false, types.StepAgreed, paid, delivered, types.StepAwarded), 0, 0, 55, -55},
	} {
		one.trade.Released, one.trade.Allotted = one.k, one.allotted
		for _, side := range []struct {
			key  types.PublicKey
			want int
		}{{producer, one.producer}, {consumer, one.consumer}, {stranger, 0}} {
			moves := statement.OfTrade(one.trade, one.trade.Phase, side.key, half)
			sum := 0
			for i, m := range moves {
				sum += int(m.In) - int(m.Out)
				if i > 0 && m.At > moves[i-1].At {
					t.Errorf("%s: movement %d is newer than the one before it", one.name, i)
				}
				if m.Unknown || m.Count != 1 || m.Other == side.key {
					t.Errorf("%s: %+v", one.name, m)
				}
			}
			if sum != side.want {
				t.Errorf("%s: the movements of %x add up to %d, not %d: %+v", one.name, side.key[0], sum, side.want, moves)
			}
			statement.Sort(moves)
			_, before, known := statement.Lines(moves, types.Amount(int(start)+sum))
			if before != start || !known {
				t.Errorf("%s: %d before all movements, known %v", one.name, before, known)
			}
			gain, loss, _ := statement.Result(one.trade, one.trade.Phase, side.key, half)
			if over := one.trade.Phase == types.PhaseReleased || one.trade.Phase == types.PhaseSplit; over && side.key != stranger && int(gain)-int(loss) != side.want {
				t.Errorf("%s: a result of %d-%d, not %d", one.name, gain, loss, side.want)
			}
		}
	}
}

// TestUnknownShares: where the node has pruned the transaction that divided a trade, the balances before it are not stated.
func TestUnknownShares(t *testing.T) {
	t.Parallel()
	one := made(types.PhaseSplit, false, types.StepAgreed, types.StepPaid, types.StepSplit)
	moves := statement.OfTrade(one, one.Phase, consumer, func(*types.Trade) (types.Amount, types.Amount, bool) { return 0, 0, false })
	lines, _, known := statement.Lines(moves, start)
	if known || len(lines) != 2 || !lines[0].Known || lines[1].Known || !lines[0].Unknown || lines[0].After != start {
		t.Errorf("%v: %+v", known, lines)
	}
}

// TestPayments: a receiver gets the outputs to it; the only signer pays the outputs to others and the fee, and its change is no movement.
func TestPayments(t *testing.T) {
	t.Parallel()
	asset := types.Asset{Issuer: producer, Code: "EUR", Decimals: 2}
	id, fee := asset.ID(), types.AssetID{9}
	to := func(key types.PublicKey, amount types.Amount) types.Output {
		return types.Output{Asset: id, Amount: amount, Lock: types.ToKey(key)}
	}
	tx := types.NewTx(types.Body{
		Outputs: []types.Output{to(consumer, 30), to(producer, 500), to(consumer, 12)}, Fee: 2, Memo: "rent",
		Actions: []types.Action{&types.Issue{Asset: asset, Amount: 40}, &types.Redeem{Asset: id, Amount: 7}},
	}, types.Signature{Key: producer})
	sum := func(key types.PublicKey) map[statement.Kind]int {
		found := map[statement.Kind]int{}
		for _, m := range statement.OfTx(tx, 7, key, fee) {
			found[m.Kind] += int(m.In) - int(m.Out)
			if m.At != 7 || m.Memo != "rent" || m.Tx != tx.ID() {
				t.Errorf("%+v", m)
			}
		}
		return found
	}
	if got := sum(producer); len(got) != 4 || got[statement.Sent] != -42 || got[statement.Issued] != 40 || got[statement.Redeemed] != -7 || got[statement.Fee] != -2 {
		t.Errorf("of the signer: %v", got)
	}
	if got := sum(consumer); len(got) != 1 || got[statement.Received] != 42 {
		t.Errorf("of the receiver: %v", got)
	}
	if got := sum(stranger); len(got) != 0 {
		t.Errorf("of a stranger: %v", got)
	}
	both := tx.WithSignature(types.Signature{Key: consumer})
	if moves := statement.OfTx(both, 7, producer, fee); len(moves) != 0 {
		t.Errorf("of one of two signers: %+v", moves)
	}
}

// TestTogether: trades of one slot that end within a minute are one line; others are not.
func TestTogether(t *testing.T) {
	t.Parallel()
	goods := &types.Goods{From: 900_000}
	move := func(at types.Time, kind statement.Kind) statement.Move {
		return statement.Move{At: at, Kind: kind, In: 10, Goods: goods, Role: trade.Producer, Count: 1, Other: consumer}
	}
	lines, before, _ := statement.Lines([]statement.Move{move(160_000, statement.Released), move(100_000, statement.Released), move(39_999, statement.Released), move(39_998, statement.Settled)}, 100)
	if len(lines) != 3 || lines[0].Count != 2 || lines[0].In != 20 || lines[0].After != 100 || lines[1].After != 80 || before != 60 {
		t.Errorf("%+v, %d", lines, before)
	}
	days := statement.Spans(lines, func(a, b types.Time) bool { return a/100_000 == b/100_000 })
	if len(days) != 2 || days[0].In != 20 || days[0].Moves != 2 || days[1].Moves != 2 || days[1].After != 80 {
		t.Errorf("%+v", days)
	}
}
