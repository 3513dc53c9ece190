package index

import (
	"errors"
	"fmt"

	"lockstep/trade"
	"lockstep/types"
)

// tradeRow is a trade that a batch mentions: its row in the table, and the changes.
type tradeRow struct {
	id                         types.TradeID
	n                          int64
	producer, consumer         int64
	asset                      types.AssetID
	price                      types.Amount
	agreedAt, payBy, deliverBy types.Time
	progress                   // as the table has it; all zero while it has none

	next   progress // as the source has it
	lapsed bool     // in this batch
	begun  *begun   // nil once the table has it
}

// begun holds the columns of a trade that are written once.
type begun struct {
	height        uint64
	product       int64
	quantity      uint64
	deposit, bond types.Amount
	terms         int
	instalments   uint16
	matched       bool
}

// progress holds the columns of a trade that change.
type progress struct {
	phase    types.Phase
	released uint16
	allotted uint64
	paidAt   types.Time
	endedAt  types.Time
	excused  bool
}

// progressOf derives the progress of a trade from its steps. A lapse or a refund follows from deadlines, and
// the batch dates it by the block in which they pass, even when the trade is read later: so a rebuild gives the same rows.
func progressOf(t *types.Trade) progress {
	p := progress{phase: t.Phase, released: t.Released, allotted: t.Allotted}
	switch p.phase {
	case types.PhaseLapsed:
		p.phase = types.PhaseAgreed
	case types.PhaseRefunded:
		p.phase = types.PhasePaid
	}
	if step, paid := t.Step(types.StepPaid); paid {
		p.paidAt = step.At
	}
	if step, ended := t.Step(trade.EndingStep(p.phase)); ended {
		p.endedAt = step.At
	}
	return p
}

// trade takes up a trade that the current block tells of, and returns its number; zero when the index has it as over. The
// source says the same of it until the batch ends, so it is read once. A match begins with the event of that kind: it has the height of its
// auction, and the last ones of a large auction are made in later blocks.
func (b *batch) trade(tradeID types.TradeID, kind types.EventKind) (int64, error) {
	if row, known := b.trades[tradeID]; known {
		return numberOf(row), nil
	}
	trade, err := b.source.Trade(tradeID)
	if err != nil {
		return 0, err
	}
	if trade == nil {
		return 0, fmt.Errorf("trade %s is not in the store", tradeID)
	}
	var row *tradeRow
	_, matched := trade.Step(types.StepMatched)
	if kind == types.EventMatched || !matched && trade.Height == b.at.Height {
		row, err = b.begin(tradeID, trade)
	} else {
		row, err = b.findOpen(tradeID, trade.Agreement.Deadlines.DeliverBy)
	}
	if err != nil {
		return 0, err
	}
	if row != nil {
		row.next = progressOf(trade)
	}
	b.take(tradeID, row)
	return numberOf(row), nil
}

func numberOf(row *tradeRow) int64 {
	if row == nil {
		return 0
	}
	return row.n
}

func (b *batch) take(tradeID types.TradeID, row *tradeRow) {
	b.trades[tradeID] = row
	if row != nil {
		b.touched = append(b.touched, row)
		b.rows++
	}
}

// begin gives a trade its number, and names its parties and its product.
func (b *batch) begin(tradeID types.TradeID, trade *types.Trade) (row *tradeRow, err error) {
	agreement := &trade.Agreement
	goods, deadlines := &agreement.Goods, &agreement.Deadlines
	step, matched := trade.Step(types.StepMatched)
	if !matched {
		step, _ = trade.Step(types.StepAgreed)
	}
	row = &tradeRow{
		id: tradeID, asset: agreement.Asset, price: agreement.Price, agreedAt: step.At, payBy: deadlines.PayBy, deliverBy: deadlines.DeliverBy,
		begun: &begun{
			height: trade.Height, quantity: goods.Quantity, deposit: agreement.Deposit, bond: agreement.Bond,
			terms: termsRank(agreement.Fallback), instalments: agreement.Instalments, matched: matched,
		},
	}
	if row.producer, err = b.party(agreement.Producer); err != nil {
		return nil, err
	}
	if row.consumer, err = b.party(agreement.Consumer); err != nil {
		return nil, err
	}
	if row.begun.product, err = b.product(&types.Product{
		Commodity: goods.Commodity, Unit: goods.Unit, Zone: goods.Zone, From: goods.From, Until: goods.Until, Asset: agreement.Asset,
	}); err != nil {
		return nil, err
	}
	b.last++
	row.n = b.last
	return row, nil
}

// findOpen returns the row of a trade that was begun before this batch, or nil when it is over.
func (b *batch) findOpen(tradeID types.TradeID, deliverBy types.Time) (*tradeRow, error) {
	if row, remembered := b.memory.open[tradeID]; remembered {
		return row, nil
	}
	row, err := scanTrade(b.do.findOpen.QueryRow(deliverBy, id(tradeID)))
	if isNone(err) {
		return nil, nil
	}
	return row, err
}

func scanTrade(from interface{ Scan(...any) error }) (*tradeRow, error) {
	row := new(tradeRow)
	err := from.Scan((*id)(&row.id), &row.n, &row.producer, &row.consumer, (*id)(&row.asset), (*amount)(&row.price),
		&row.agreedAt, &row.payBy, &row.deliverBy, &row.phase, &row.released, &row.allotted, &row.paidAt, &row.endedAt, &row.excused)
	row.next = row.progress
	return row, err
}

// lapse is for an agreement that nobody paid in time.
func (b *batch) lapse(tradeID types.TradeID) error {
	if _, err := b.trade(tradeID, types.EventLapsed); err != nil {
		return err
	}
	row := b.trades[tradeID]
	if row == nil {
		return fmt.Errorf("%w: trade %s lapsed and was never agreed", ErrDamaged, tradeID)
	}
	row.lapsed = true
	return nil
}

// writeTrades brings the table up to the end of the batch.
func (b *batch) writeTrades() error {
	if err := b.takeDue(); err != nil {
		return err
	}
	for _, row := range b.touched {
		next, err := b.outcome(row)
		if err != nil {
			return err
		}
		if next == row.progress {
			continue
		}
		if err := b.count(row, next); err != nil {
			return err
		}
		if err := b.write(row, next); err != nil {
			return err
		}
		if trade.Running(row.phase) { // nothing changes the row of another one
			remember(b.memory.open, row.id, row)
		} else {
			delete(b.memory.open, row.id)
		}
	}
	return nil
}

// takeDue takes up the trades that were paid and whose deliver-by has passed in this batch, of which no event tells.
func (b *batch) takeDue() error {
	rows, err := b.do.dueTrades.Query(b.from, b.at.Clock)
	if err != nil {
		return err
	}
	for rows.Next() {
		row, scanErr := scanTrade(rows)
		if scanErr != nil {
			return errors.Join(scanErr, rows.Close())
		}
		if _, known := b.trades[row.id]; !known {
			b.take(row.id, row)
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

// outcome is how far a trade has come at the end of the batch. A deadline counts in the first block whose clock is past it;
// those of earlier batches have been counted then. A missed one is excused, as in the rules, if the chain stood still in the very time
// that the party had.
func (b *batch) outcome(row *tradeRow) (next progress, err error) {
	next = row.next
	switch {
	case row.lapsed:
		next.phase, next.endedAt = types.PhaseLapsed, row.payBy
		err = b.do.stalled.QueryRow(row.agreedAt, row.payBy).Scan(&next.excused)
	case next.phase == types.PhasePaid && trade.Passed(row.deliverBy, b.at.Clock):
		next.phase, next.endedAt = types.PhaseRefunded, row.deliverBy
		err = b.do.stalled.QueryRow(next.paidAt, row.deliverBy).Scan(&next.excused)
		next.excused = next.excused || next.paidAt >= row.deliverBy // it had no time
	}
	return next, err
}

// write puts a trade into the table, or its changes.
func (b *batch) write(row *tradeRow, next progress) error {
	row.progress = next
	p := &row.progress
	if row.begun == nil {
		_, err := b.do.moveTrade.Exec(p.phase, p.released, p.allotted, p.paidAt, p.endedAt, p.excused, row.n)
		return err
	}
	if row.agreedAt != b.newest {
		b.newest = row.agreedAt
		if _, err := b.do.addMoment.Exec(row.agreedAt, row.n); err != nil {
			return err
		}
	}
	begun := row.begun
	row.begun = nil
	_, err := b.do.addTrade.Exec(row.n, id(row.id), begun.height, row.agreedAt, row.producer, row.consumer, begun.product,
		begun.quantity, amount(row.price), amount(begun.deposit), amount(begun.bond),
		begun.terms, begun.instalments, begun.matched, row.payBy, row.deliverBy,
		p.phase, p.released, p.allotted, p.paidAt, p.endedAt, p.excused)
	return err
}
