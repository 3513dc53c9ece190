package explore

import (
	"fmt"
	"slices"

	"lockstep/internal/game/board"
	"lockstep/trade"
	"lockstep/types"
)

// done compares the moves that the ledger makes in a state with those that the statuses of the trades list: none that is not listed can
// be made, and each listed one can.
type done struct {
	ids    []types.TradeID
	trades []*types.Trade // nil for one that is not in the state
	listed [][]types.Move
	made   []map[string]bool
}

func newDone(at *board.Board, ids []types.TradeID) *done {
	d := &done{ids: ids, trades: make([]*types.Trade, len(ids)), listed: make([][]types.Move, len(ids)), made: make([]map[string]bool, len(ids))}
	for i, id := range ids {
		d.made[i] = map[string]bool{}
		if t, live := at.Reader().Trade(id); live {
			d.trades[i], d.listed[i] = t, trade.Moves(t, at.Clock.Now())
		}
	}
	return d
}

// add notes a move that was made, and returns the breach if the status of its trade did not list it.
func (d *done) add(m *move) string {
	switch m.kind {
	case "pay", "deliver", "release", "settle", "award", "split":
		return d.note(m.trade, m.kind)
	}
	for _, in := range m.spends {
		if in.part == 0 || d.trades[in.trade] == nil {
			continue
		}
		kind := "collect"
		switch _, delivered := d.trades[in.trade].Step(types.StepReleased); {
		case in.part == types.PartReturn:
			kind = "take_return"
		case !delivered && in.part == types.PartBond:
			kind = "take_bond"
		case !delivered:
			kind = "refund"
		}
		if why := d.note(in.trade, kind); why != "" {
			return why
		}
	}
	return ""
}

func (d *done) note(i int, kind string) string {
	d.made[i][kind] = true
	if d.trades[i] != nil && !slices.ContainsFunc(d.listed[i], func(m types.Move) bool { return m.What == kind }) {
		return fmt.Sprintf("the ledger does it, and the status of the trade lists no move %q", kind)
	}
	return ""
}

// missing returns a move that a status lists and that nobody could make. A reading needs the end of its slot and a delivery its beginning,
// which the ledger clock does not tell.
func (d *done) missing(b *book) string {
	for i, moves := range d.listed {
		for _, m := range moves {
			if m.What == "read" || m.What == "deliver" && b.block >= board.SlotFrom || m.What == "deliver" && d.poor(b, i) {
				continue
			}
			if !d.made[i][m.What] {
				return fmt.Sprintf("the status of trade %d lists the move %q until %s, and nobody can make it", i+1, m.What, m.Until)
			}
		}
	}
	return ""
}

// poor reports whether the producer has spent the money of a bond.
func (d *done) poor(b *book, i int) bool {
	return b.coins[board.Producer] < d.trades[i].Agreement.Bond
}
