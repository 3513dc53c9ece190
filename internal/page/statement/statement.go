// Package statement computes the statement of a key: each change of the money that it has outside of trades, from its trades and its
// transactions. Money in open orders and offers still counts as the key's own: an order moves nothing until it is matched.
package statement

import (
	"cmp"
	"slices"

	"lockstep/trade"
	"lockstep/types"
)

// Kind is the reason of a movement.
type Kind string

// The kinds of movements.
const (
	Paid     Kind = "paid"     // payment and deposit were locked
	Bonded   Kind = "bonded"   // the bond was locked
	Partly   Kind = "partly"   // some instalments were released
	Released Kind = "released" // the trade ended, by one of these
	Settled  Kind = "settled"
	Split    Kind = "split"
	Awarded  Kind = "awarded"
	Refunded Kind = "refunded"
	Sent     Kind = "sent"
	Received Kind = "received"
	Issued   Kind = "issued"
	Redeemed Kind = "redeemed"
	Fee      Kind = "fee"
)

// Move is one movement of a key's money in one asset, or several alike.
type Move struct {
	At    types.Time // ledger clock
	Kind  Kind
	Asset types.AssetID
	In    types.Amount
	Out   types.Amount
	// Unknown is set where the node has pruned the transaction that divided a trade: the sums are not known.
	Unknown bool

	Trade types.TradeID // of a movement of a trade
	Goods *types.Goods
	Role  trade.Role // of the key in the trade
	Tx    types.TxID // of a payment
	Memo  string
	Other types.PublicKey // the other side; zero where there are several
	Count int             // of the movements that this one stands for
}

// Shares returns how a split or an award divided a trade; false where the node no longer has the transaction.
type Shares func(*types.Trade) (producer, consumer types.Amount, known bool)

// OfTrade returns the movements that a trade has made, for one of its parties. The phase is the trade's at present.
func OfTrade(t *types.Trade, phase types.Phase, key types.PublicKey, shares Shares) (moves []Move) {
	id := t.ID()
	for _, role := range []trade.Role{trade.Consumer, trade.Producer} {
		own, other := t.Agreement.Consumer, t.Agreement.Producer
		if role == trade.Producer {
			own, other = other, own
		}
		if own != key {
			continue
		}
		m := maker{t: t, phase: phase, shares: shares, of: Move{
			Asset: t.Agreement.Asset, Trade: id, Goods: &t.Agreement.Goods, Role: role, Other: other, Count: 1,
		}}
		if role == trade.Consumer {
			m.consumer()
		} else {
			m.producer()
		}
		slices.Reverse(m.moves) // the newest first, also among those of one moment
		moves = append(moves, m.moves...)
	}
	return moves
}

// maker collects the movements of one side of a trade.
type maker struct {
	t      *types.Trade
	phase  types.Phase
	shares Shares
	of     Move // the fields that all movements share
	moves  []Move
}

func (m *maker) add(at types.Time, kind Kind, in, out types.Amount, known bool) {
	if in == 0 && out == 0 && known {
		return
	}
	move := m.of
	move.At, move.Kind, move.In, move.Out, move.Unknown = at, kind, in, out, !known
	m.moves = append(m.moves, move)
}

func (m *maker) consumer() {
	a := &m.t.Agreement
	paid, was := m.t.Step(types.StepPaid)
	if !was {
		return
	}
	m.add(paid.At, Paid, 0, a.Price.Saturate(a.Deposit), true)
	if m.phase == types.PhaseRefunded {
		m.add(a.Deadlines.DeliverBy, Refunded, a.Price.Saturate(a.Deposit), 0, true)
		return
	}
	m.end(func(producer, consumer types.Amount) types.Amount { return consumer })
}

func (m *maker) producer() {
	a := &m.t.Agreement
	_, staked := m.t.Find(types.PartBond)
	bonded, was := m.t.Step(types.StepMatched)
	if !was {
		bonded, was = m.t.Step(types.StepDelivered)
	}
	if !was && staked && m.phase == types.PhasePaid { // the bond of a staked offer
		bonded, was = m.t.Step(types.StepPaid)
	}
	if was {
		m.add(bonded.At, Bonded, 0, a.Bond, true)
	}
	if _, matched := m.t.Step(types.StepMatched); matched && m.phase == types.PhaseRefunded {
		m.add(a.Deadlines.DeliverBy, Refunded, a.Bond, 0, true)
		return
	}
	if last, was := m.t.Step(types.StepReleased); was && m.phase != types.PhaseReleased {
		m.add(last.At, Partly, trade.Due(a, m.t.Released), 0, true)
	}
	m.end(func(producer, consumer types.Amount) types.Amount { return producer })
}

// end adds the movement that ended the trade, if it is over.
func (m *maker) end(side func(producer, consumer types.Amount) types.Amount) {
	producer, consumer, end, known := Divided(m.t, m.phase, m.shares)
	if end.At == 0 {
		return
	}
	kind := map[types.Phase]Kind{types.PhaseReleased: Released, types.PhaseSettled: Settled, types.PhaseSplit: Split, types.PhaseAwarded: Awarded}[m.phase]
	m.add(end.At, kind, side(producer, consumer), 0, known)
}

// Divided returns the sums that the end of a trade gave to its sides out of the locked money, without those of instalments that were
// released before it was settled, split or awarded. The step is zero while no end has divided anything.
func Divided(t *types.Trade, phase types.Phase, shares Shares) (producer, consumer types.Amount, end types.Step, known bool) {
	a := &t.Agreement
	switch phase {
	case types.PhaseReleased:
		end, _ = t.Step(types.StepReleased)
	case types.PhaseSettled:
		end, _ = t.Step(types.StepSettled)
	case types.PhaseSplit:
		end, _ = t.Step(types.StepSplit)
	case types.PhaseAwarded:
		end, _ = t.Step(types.StepAwarded)
	}
	if division, ok := trade.Divided(a, phase, t.Released, t.Allotted); ok {
		return division.ToProducer, division.ToConsumer, end, true
	}
	if end.At != 0 && shares != nil {
		producer, consumer, known = shares(t)
	}
	return producer, consumer, end, known
}

// OfTx returns the movements that a transaction made outside of trades. A key that has not signed it receives its outputs; the only signer pays the
// outputs to others and the fee. A transaction with several signers does not tell whose money its outputs are: it makes no movement
// of its signers.
func OfTx(tx *types.Tx, at types.Time, key types.PublicKey, feeAsset types.AssetID) (moves []Move) {
	signed := false
	for _, signature := range tx.Signatures {
		signed = signed || signature.Key == key
	}
	add := func(kind Kind, asset types.AssetID, in, out types.Amount, other types.PublicKey) {
		for i := range moves {
			if m := &moves[i]; m.Kind == kind && m.Asset == asset {
				m.In, m.Out = m.In.Saturate(in), m.Out.Saturate(out)
				if m.Other != other {
					m.Other = types.PublicKey{}
				}
				return
			}
		}
		moves = append(moves, Move{At: at, Kind: kind, Asset: asset, In: in, Out: out, Tx: tx.ID(), Memo: tx.Body.Memo, Other: other, Count: 1})
	}
	switch {
	case !signed:
		from := types.PublicKey{}
		if len(tx.Signatures) == 1 {
			from = tx.Signatures[0].Key
		}
		for i := range tx.Body.Outputs {
			if o := &tx.Body.Outputs[i]; o.Lock.Key == key {
				add(Received, o.Asset, o.Amount, 0, from)
			}
		}
	case len(tx.Signatures) == 1:
		for _, action := range tx.Body.Actions {
			switch a := any(action).(type) { // not over the closed set of actions: the others move money of trades and orders
			case *types.Issue:
				add(Issued, a.Asset.ID(), a.Amount, 0, types.PublicKey{})
			case *types.Redeem:
				add(Redeemed, a.Asset, 0, a.Amount, types.PublicKey{})
			}
		}
		for i := range tx.Body.Outputs {
			if o := &tx.Body.Outputs[i]; o.Lock.Key != key {
				add(Sent, o.Asset, 0, o.Amount, o.Lock.Key)
			}
		}
		if tx.Body.Fee > 0 {
			add(Fee, feeAsset, 0, tx.Body.Fee, types.PublicKey{})
		}
	}
	return moves
}

// Sort puts movements in order, the newest first.
func Sort(moves []Move) {
	slices.SortStableFunc(moves, func(a, b Move) int {
		return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(a.Trade.String(), b.Trade.String()), cmp.Compare(a.Tx.String(), b.Tx.String()))
	})
}

// Line is a line of a statement.
type Line struct {
	Move
	After types.Amount // the key's money outside of trades, after the movement
	Known bool         // false below a movement whose sums are not known
}

// Lines puts the balance beside movements of one asset, the newest first: the last balance is the present one. It joins movements
// of one kind and slot within a minute to one line. The rest is the balance before the oldest movement.
func Lines(moves []Move, present types.Amount) (lines []Line, before types.Amount, known bool) {
	known = true
	for i := range moves {
		m := moves[i]
		line := Line{Move: m, After: present, Known: known}
		if known = known && !m.Unknown; known {
			sum, ok := present.Add(m.Out)
			if ok {
				sum, ok = sum.Sub(m.In)
			}
			present, known = sum, ok
		}
		if n := len(lines); n > 0 && alike(&lines[n-1].Move, &m) {
			last := &lines[n-1]
			last.In, last.Out, last.Count, last.Unknown = last.In.Saturate(m.In), last.Out.Saturate(m.Out), last.Count+1, last.Unknown || m.Unknown
			if last.Other != m.Other {
				last.Other = types.PublicKey{}
			}
			continue
		}
		lines = append(lines, line)
	}
	return lines, present, known
}

const together = 60_000 // milliseconds

// alike reports whether two movements of trades are shown as one.
func alike(a, b *Move) bool {
	return a.Goods != nil && b.Goods != nil && a.Kind == b.Kind && a.Role == b.Role && a.Goods.From == b.Goods.From && a.Goods.From != 0 &&
		a.At.Since(b.At) <= together
}

// Day is the sum of the movements of a span, such as a day.
type Day struct {
	From    types.Time // of its newest movement
	In, Out types.Amount
	Moves   int
	After   types.Amount // at its end
	Known   bool
	Unknown bool // a sum of it is not known
}

// Spans adds lines up by spans; same reports whether two moments are of one.
func Spans(lines []Line, same func(a, b types.Time) bool) (days []Day) {
	for i := range lines {
		line := &lines[i]
		n := len(days)
		if n == 0 || !same(days[n-1].From, line.At) {
			days = append(days, Day{From: line.At, After: line.After, Known: line.Known})
			n++
		}
		day := &days[n-1]
		day.In, day.Out, day.Moves, day.Unknown = day.In.Saturate(line.In), day.Out.Saturate(line.Out), day.Moves+line.Count, day.Unknown || line.Unknown
	}
	return days
}

// Result returns the gain or the loss of a party by a trade that is over, and when it ended; zero while it goes on, and for one that was
// refunded or lapsed.
func Result(t *types.Trade, phase types.Phase, key types.PublicKey, shares Shares) (gain, loss types.Amount, at types.Time) {
	producer, consumer, end, known := Divided(t, phase, shares)
	if end.At == 0 || !known {
		return 0, 0, end.At
	}
	a := &t.Agreement
	had, got := a.Price.Saturate(a.Deposit), consumer
	if a.Producer == key {
		had, got = a.Bond, producer
		if phase != types.PhaseReleased {
			got = got.Saturate(trade.Due(a, t.Released))
		}
	}
	if more, ok := got.Sub(had); ok {
		return more, 0, end.At
	}
	less, _ := had.Sub(got)
	return 0, less, end.At
}
