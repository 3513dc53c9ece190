package index

import (
	"bytes"
	"cmp"
	"database/sql"
	"errors"
	"fmt"

	"lockstep/types"
)

// tradeRow is what following needs of a trade's row.
type tradeRow struct {
	n                          int64
	producer, consumer         int64
	asset                      types.AssetID
	price                      types.Amount
	agreedAt, payBy, deliverBy types.Time
	progress
}

// progress is what changes in a trade.
type progress struct {
	phase    types.Phase
	released uint16
	allotted uint64
	paidAt   types.Time
	endedAt  types.Time
}

// progressOf is how far a trade has come by what happened to it. That it lapsed or was refunded is told by deadlines, and
// the batch tells it at the block in which they pass, however late the trade is read: so a rebuild comes out the same.
func progressOf(trade *types.Trade) progress {
	p := progress{phase: trade.Phase, released: trade.Released, allotted: trade.Allotted}
	switch p.phase {
	case types.PhaseLapsed:
		p.phase = types.PhaseAgreed
	case types.PhaseRefunded:
		p.phase = types.PhasePaid
	}
	if step, paid := trade.Step(types.StepPaid); paid {
		p.paidAt = step.At
	}
	ending := map[types.Phase]types.StepKind{
		types.PhaseReleased: types.StepReleased, types.PhaseSplit: types.StepSplit,
		types.PhaseSettled: types.StepSettled, types.PhaseAwarded: types.StepAwarded,
	}
	if step, ended := trade.Step(ending[p.phase]); ended {
		p.endedAt = step.At
	}
	return p
}

// trade brings the row of a trade up to date and returns its number.
func (b *batch) trade(tradeID types.TradeID) (int64, error) {
	row, err := b.findTrade(tradeID)
	if err != nil || row != nil && b.seen[tradeID] {
		return numberOf(row), err
	}
	trade, err := b.source.Trade(tradeID)
	if err != nil {
		return 0, err
	}
	if trade == nil {
		return 0, fmt.Errorf("trade %s is not in the store", tradeID)
	}
	b.seen[tradeID] = true
	next := progressOf(trade)
	switch {
	case row == nil:
		return b.addTrade(tradeID, trade, next)
	case row.phase == types.PhaseLapsed || row.phase == types.PhaseRefunded || row.progress == next:
		return row.n, nil
	}
	return row.n, b.move(row, next, false)
}

func numberOf(row *tradeRow) int64 {
	if row == nil {
		return 0
	}
	return row.n
}

// move gives a trade's row another progress.
func (b *batch) move(row *tradeRow, next progress, excused bool) error {
	if next.phase != row.phase {
		b.count(row, row.phase, false, -1)
		b.count(row, next.phase, excused, +1)
	}
	_, err := b.do.moveTrade.Exec(next.phase, next.released, next.allotted, next.paidAt, next.endedAt, excused, row.n)
	return err
}

// findTrade returns the row of a trade, or nil.
func (b *batch) findTrade(tradeID types.TradeID) (*tradeRow, error) {
	row, err := scanTrade(b.do.findTrade.QueryRow(id(tradeID)))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return row, err
}

func scanTrade(from interface{ Scan(...any) error }) (*tradeRow, error) {
	row := new(tradeRow)
	err := from.Scan(&row.n, &row.producer, &row.consumer, (*id)(&row.asset), (*amount)(&row.price), &row.agreedAt, &row.payBy, &row.deliverBy,
		&row.phase, &row.released, &row.allotted, &row.paidAt, &row.endedAt)
	return row, err
}

// addTrade gives a trade its row and its number.
func (b *batch) addTrade(tradeID types.TradeID, trade *types.Trade, p progress) (int64, error) {
	agreement := &trade.Agreement
	goods, deadlines := &agreement.Goods, &agreement.Deadlines
	step, matched := trade.Step(types.StepMatched)
	if !matched {
		step, _ = trade.Step(types.StepAgreed)
	}
	row := &tradeRow{asset: agreement.Asset, price: agreement.Price}
	var err error
	if row.producer, err = b.party(agreement.Producer); err != nil {
		return 0, err
	}
	if row.consumer, err = b.party(agreement.Consumer); err != nil {
		return 0, err
	}
	product, err := b.product(&types.Product{
		Commodity: goods.Commodity, Unit: goods.Unit, Zone: goods.Zone, From: goods.From, Until: goods.Until, Asset: agreement.Asset,
	})
	if err != nil {
		return 0, err
	}
	result, err := b.do.addTrade.Exec(id(tradeID), trade.Height, step.At, row.producer, row.consumer, product,
		goods.Quantity, amount(agreement.Price), amount(agreement.Deposit), amount(agreement.Bond),
		types.TermsRank(agreement.Fallback), agreement.Instalments, matched, deadlines.PayBy, deadlines.DeliverBy,
		p.phase, p.released, p.allotted, p.paidAt, p.endedAt, false)
	if err != nil {
		return 0, err
	}
	b.count(row, p.phase, false, +1)
	return result.LastInsertId()
}

// lapse is for an agreement that nobody paid in time.
func (b *batch) lapse(tradeID types.TradeID) error {
	row, err := b.findTrade(tradeID)
	if err != nil {
		return err
	}
	if row == nil {
		return fmt.Errorf("%w: trade %s lapsed and was never agreed", ErrDamaged, tradeID)
	}
	next := row.progress
	next.phase, next.endedAt = types.PhaseLapsed, row.payBy
	return b.move(row, next, b.at.stalled > row.agreedAt)
}

// refund is for the trades that were paid and whose deliver-by has passed in this block: no event tells of it.
func (b *batch) refund() error {
	due, err := b.due()
	if err != nil {
		return err
	}
	for _, row := range due {
		next := row.progress
		next.phase, next.endedAt = types.PhaseRefunded, row.deliverBy
		if err := b.move(row, next, b.at.stalled > row.paidAt); err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) due() (due []*tradeRow, err error) {
	rows, err := b.do.dueTrades.Query(b.at.Clock)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		row, err := scanTrade(rows)
		if err != nil {
			return nil, err
		}
		due = append(due, row)
	}
	return due, rows.Err()
}

func compareTallies(a, b tallyKey) int {
	return cmp.Or(cmp.Compare(a.party, b.party), bytes.Compare(a.asset[:], b.asset[:]), cmp.Compare(a.role, b.role), cmp.Compare(a.phase, b.phase))
}
