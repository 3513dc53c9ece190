package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"lockstep/trade"
	"lockstep/types"
)

// tradeRow is a trade: in memory while it goes on, in the table once it is over.
type tradeRow struct {
	id                 types.TradeID
	n                  int64
	producer, consumer int64
	product            *product
	height             uint64 // of the block that recorded the agreement
	quantity           uint64
	price              types.Amount
	deposit, bond      types.Amount
	terms              int
	instalments        uint16
	matched            bool
	agreedAt           types.Time
	payBy, deliverBy   types.Time
	progress                        // up to the last batch; all zero for a trade that begins in this one
	next               progress     // up to the end of this batch
	touched            bool         // in this batch
	spilled            bool         // it goes on and has a row in the table, since memory has no room for it
	chunk              int64        // of the table open; 0 in none
	earlier            *types.Trade // one that a ledger before this one began, while it is taken up
}

// progress is the part of a trade that changes.
type progress struct {
	phase    types.Phase
	released uint16
	allotted uint64
	paidAt   types.Time
	endedAt  types.Time
	excused  bool
}

// appendRest appends the column rest of the row: the numbers that no query selects by.
func (r *tradeRow) appendRest(to []byte, p *progress) []byte {
	for _, n := range [...]uint64{
		r.height, r.quantity, uint64(r.price), uint64(r.deposit), uint64(r.bond), uint64(r.terms), uint64(r.instalments), bit(r.matched),
		uint64(r.agreedAt), uint64(r.payBy), uint64(p.released), p.allotted, uint64(p.paidAt), bit(p.excused),
	} {
		to = binary.AppendUvarint(to, n)
	}
	return to
}

// readRest reads the column rest of a row whose other columns are known.
func (r *tradeRow) readRest(rest []byte) error {
	var terms, instalments, matched, released, excused uint64
	for _, n := range [...]*uint64{
		&r.height, &r.quantity, (*uint64)(&r.price), (*uint64)(&r.deposit), (*uint64)(&r.bond), &terms, &instalments, &matched,
		(*uint64)(&r.agreedAt), (*uint64)(&r.payBy), &released, &r.allotted, (*uint64)(&r.paidAt), &excused,
	} {
		value, length := binary.Uvarint(rest)
		if length <= 0 {
			return fmt.Errorf("%w: the row of trade %d is cut off", ErrDamaged, r.n)
		}
		*n, rest = value, rest[length:]
	}
	if len(rest) > 0 || max(instalments, released) > math.MaxUint16 || terms > mostTerms {
		return fmt.Errorf("%w: the row of trade %d holds no trade", ErrDamaged, r.n)
	}
	r.terms, r.instalments, r.matched, r.released, r.excused = int(terms), uint16(instalments), matched != 0, uint16(released), excused != 0
	return nil
}

func bit(set bool) uint64 {
	if set {
		return 1
	}
	return 0
}

// step takes up a step of a trade that goes on, or whose money is divided and not all spent. A match begins with the event of that kind: it has the
// height of its auction, and the last ones of a large auction are made in later blocks.
func (b *batch) step(o *types.Outcome, kind types.EventKind, step *types.Stepped) (err error) {
	var row *tradeRow
	switch kind {
	case types.EventAgreed, types.EventMatched:
		row, err = b.begin(o, kind, step.Trade)
	case types.EventCollected, types.EventReturned, types.EventRefunded, "": // spends outputs that the trade has freed before
		return nil
	default:
		row, err = b.find(step.Trade)
	}
	if kind == types.EventPaid && row == nil && err == nil { // an offer was taken: that agrees and pays at once
		row, err = b.begin(o, kind, step.Trade)
	}
	if row == nil || err != nil {
		return err
	}
	b.touch(row)
	row.next.follow(o.At, step.Phase, step.Released, step.Allotted)
	if row.earlier != nil {
		row.next.date(row.earlier)
		row.earlier = nil
	}
	return nil
}

// date corrects the dates of a trade that was agreed on a ledger that this one continues, as the first block found it.
func (p *progress) date(t *types.Trade) {
	for _, step := range t.Steps {
		switch {
		case step.Kind == types.StepPaid && p.paidAt != 0:
			p.paidAt = min(p.paidAt, step.At)
		case p.endedAt != 0 && step.Kind == trade.EndingStep(p.phase):
			p.endedAt = min(p.endedAt, step.At)
		}
	}
}

// end takes up the end of a trade.
func (b *batch) end(o *types.Outcome, kind types.EventKind, t *types.Trade) error {
	switch kind {
	case types.EventCollected, types.EventReturned, types.EventRefunded, "": // it was divided before
		return nil
	}
	id := t.ID()
	row, err := b.find(id)
	if err != nil {
		return err
	}
	if row == nil {
		return fmt.Errorf("%w: trade %s ended and had not begun", ErrDamaged, id)
	}
	b.touch(row)
	if t.Phase == types.PhaseLapsed {
		row.next.phase, row.next.endedAt = t.Phase, row.payBy
		return b.do.stalled.QueryRow(row.agreedAt, row.payBy).Scan(&row.next.excused)
	}
	row.next.follow(o.At, t.Phase, t.Released, t.Allotted)
	return nil
}

// follow takes over a step. A refund follows from a deadline: the batch dates it by the block in which it passes, see [batch.outcome].
func (p *progress) follow(at types.Time, phase types.Phase, released uint16, allotted uint64) {
	if phase == types.PhaseRefunded {
		phase = types.PhasePaid
	}
	p.phase, p.released, p.allotted = phase, released, allotted
	if p.paidAt == 0 && phase >= types.PhasePaid {
		p.paidAt = at
	}
	if !trade.Running(phase) {
		p.endedAt = at
	}
}

func numberOf(row *tradeRow) int64 {
	if row == nil {
		return 0
	}
	return row.n
}

// touch lists a trade among those of the batch.
func (b *batch) touch(row *tradeRow) {
	if !row.touched {
		row.touched = true
		b.touched = append(b.touched, row)
	}
}

// begin gives a trade its number, and names its parties and its product.
func (b *batch) begin(o *types.Outcome, kind types.EventKind, tradeID types.TradeID) (row *tradeRow, err error) {
	t := b.stories[tradeID]
	if t == nil {
		if t, err = b.source.Trade(tradeID); err != nil {
			return nil, err
		}
	}
	if t == nil {
		return nil, fmt.Errorf("trade %s is not in the store", tradeID)
	}
	agreedAt, base := o.At, b.source.Base()
	carried := t.Height <= base && o.Height == base+1
	if carried {
		agreedAt = agreed(t).At
	}
	if row, err = b.number(tradeID, t, agreedAt, kind == types.EventMatched); err != nil {
		return nil, err
	}
	if carried {
		row.earlier = t
	}
	if row.agreedAt != b.newest {
		b.newest = row.agreedAt
		_, err = b.do.addMoment.Exec(row.agreedAt, row.n)
	}
	return row, err
}

// number makes the row of a trade with the next number.
func (b *batch) number(tradeID types.TradeID, t *types.Trade, agreedAt types.Time, matched bool) (row *tradeRow, err error) {
	agreement := &t.Agreement
	goods, deadlines := &agreement.Goods, &agreement.Deadlines
	row = &tradeRow{
		id: tradeID, height: t.Height, quantity: goods.Quantity, price: agreement.Price, deposit: agreement.Deposit, bond: agreement.Bond,
		terms: termsRank(agreement.Fallback), instalments: agreement.Instalments, matched: matched,
		agreedAt: agreedAt, payBy: deadlines.PayBy, deliverBy: deadlines.DeliverBy,
	}
	if row.producer, err = b.party(agreement.Producer); err != nil {
		return nil, err
	}
	if row.consumer, err = b.party(agreement.Consumer); err != nil {
		return nil, err
	}
	if row.product, err = b.product(&types.Product{
		Commodity: goods.Commodity, Unit: goods.Unit, Zone: goods.Zone, From: goods.From, Until: goods.Until, Asset: agreement.Asset,
	}); err != nil {
		return nil, err
	}
	b.at.trades++
	row.n = b.at.trades
	b.trades[row.id] = row
	return row, nil
}

// find returns a trade that goes on, or ended in this batch; nil when it is over.
func (b *batch) find(tradeID types.TradeID) (row *tradeRow, err error) {
	row, known := b.trades[tradeID]
	if known {
		return row, nil
	}
	if row = b.open.byID[tradeID]; row == nil && b.open.spilled {
		row, err = b.findSpilled(tradeID)
	}
	b.trades[tradeID] = row
	return row, err
}

// writeTrades brings tables and memory up to the end of the batch.
func (b *batch) writeTrades() error {
	if err := b.takeDue(); err != nil {
		return err
	}
	for _, row := range b.touched {
		row.touched = false
		next, err := b.outcome(row)
		if err != nil {
			return err
		}
		if row.next = next; next == row.progress {
			continue
		}
		if err := b.write(row); err != nil {
			return err
		}
	}
	if err := b.insert(); err != nil {
		return err
	}
	return b.writeChunks()
}

// takeDue takes up the trades that were paid and whose deliver-by has passed in this batch, of which no outcome tells.
func (b *batch) takeDue() error {
	for _, row := range b.open.takeDue(b.at.Clock) {
		b.touch(row)
	}
	if !b.open.spilled {
		return nil
	}
	rows, err := b.do.dueTrades.Query(b.from, b.at.Clock)
	if err != nil {
		return err
	}
	var due []types.TradeID
	for rows.Next() {
		var tradeID types.TradeID
		if err := rows.Scan((*id)(&tradeID)); err != nil {
			return errors.Join(err, rows.Close())
		}
		due = append(due, tradeID)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, tradeID := range due {
		row, err := b.find(tradeID)
		if err != nil {
			return err
		}
		b.touch(row)
	}
	return nil
}

// findSpilled returns a trade that goes on and has a row in the table; nil when none does.
func (b *batch) findSpilled(tradeID types.TradeID) (*tradeRow, error) {
	row := &tradeRow{spilled: true}
	var product int64
	var rest []byte
	err := b.do.findOpen.QueryRow(id(tradeID)).Scan((*id)(&row.id), &row.n, &row.producer, &row.consumer, &product, &row.phase, &row.deliverBy, &rest)
	if isNone(err) {
		return nil, nil
	}
	if err == nil {
		err = row.readRest(rest)
	}
	if err == nil {
		row.product, err = b.memory.productOf(b.do.productOf, product)
	}
	row.next = row.progress
	return row, err
}

// outcome is how far a trade has come at the end of the batch. A deadline counts in the first block whose clock is past it;
// those of earlier batches have been counted then. A missed one is excused, as in the rules, if the chain stood still in the very time
// that the party had.
func (b *batch) outcome(row *tradeRow) (next progress, err error) {
	next = row.next
	if next.phase == types.PhasePaid && trade.Passed(row.deliverBy, b.at.Clock) {
		next.phase, next.endedAt = types.PhaseRefunded, row.deliverBy
		err = b.do.stalled.QueryRow(next.paidAt, row.deliverBy).Scan(&next.excused)
		next.excused = next.excused || next.paidAt >= row.deliverBy // it had no time
	}
	return next, err
}

// write decides where a trade that has changed stands from now on: in memory while it goes on and there is room, otherwise in the table.
func (b *batch) write(row *tradeRow) error {
	running := trade.Running(row.next.phase)
	isNew := row.phase == 0
	switch {
	case row.spilled:
		if err := b.count(row, row.phase); err != nil {
			return err
		}
		row.progress = row.next // no query has this row
		row.spilled = running
		_, err := b.do.moveTrade.Exec(row.phase, row.endedAt, row.appendRest(nil, &row.progress), row.n)
		return err
	case isNew && running && len(b.open.byID)+len(b.change.begun) < b.openLimit:
		b.change.begun = append(b.change.begun, row)
		return nil
	case isNew:
		b.open.spilled = b.open.spilled || running
	case running:
		b.change.moved = append(b.change.moved, row)
		return nil
	default:
		b.change.ended = append(b.change.ended, row)
	}
	b.inserted = append(b.inserted, row)
	return b.count(row, 0)
}

// insert writes the new rows of the table.
func (b *batch) insert() error {
	rows := rowWriter{one: b.do.addTrade, some: b.do.addTrades}
	rests := make([]byte, 0, len(b.inserted)*restBytes)
	for _, row := range b.inserted {
		from := len(rests)
		rests = row.appendRest(rests, &row.next)
		err := rows.add(row.n, row.id[:], row.producer, row.consumer, row.product.n, int64(row.next.phase), int64(row.deliverBy), int64(row.next.endedAt), rests[from:len(rests):len(rests)])
		if err != nil {
			return err
		}
	}
	return rows.finish()
}

// restBytes is about the length of the column rest.
const restBytes = 64
