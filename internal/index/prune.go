package index

import (
	"database/sql"
	"errors"
	"fmt"

	"lockstep/trade"
	"lockstep/types"
)

// The bounds of one step of [Index.Prune].
const (
	prunedRows     = 2000
	prunedAuctions = 16
	prunedPages    = 64 // given back to the file system
	sparePages     = 1024
)

// first is the answer's [Since] of a place's base: the block behind it.
func (s Since) first() Since {
	if s.Height == 0 {
		return Since{}
	}
	return Since{s.Height + 1, s.Clock}
}

// refuse refuses a question on a time before the history that is kept.
func (s Since) refuse(what string, from, until types.Time) error {
	if s.Height == 0 || (from == 0 || from >= s.Clock) && (until == 0 || until > s.Clock) {
		return nil
	}
	return types.Refuse(types.CodePruned,
		"this node has the %s of the time from %s on (ledger clock), which is block %d: ask for a time that begins then or later, or ask a node that keeps all (\"keep\": \"all\")",
		what, s.Clock, s.Height+1)
}

// slots is the base of questions that go by the begin of slots.
func (p *place) slots() Since { return Since{p.base.Height, max(p.base.Clock, p.whole)} }

// firstSpan is the begin of the first span that has a sum: a part of it is kept. An index that began after it does not know all of its auctions.
func firstSpan(span VolumeSpan, at *place) types.Time {
	length := types.Time(span)
	first := at.base.Clock - at.base.Clock%length
	if at.whole > first {
		first = at.whole + (length-at.whole%length)%length
	}
	return first
}

// Prune removes the rows of the blocks that the source does not keep any more: trades that ended, offers that closed and slots that began before the first block that it keeps. It takes
// one step of bounded work, in one transaction, and reports whether more is left. Only the follower may call it.
func (x *Index) Prune(source Source) (more bool, err error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.db == nil {
		return false, errors.New("prune the index: it is closed")
	}
	at, err := x.at.kept(source)
	if err != nil || at.base == x.at.base && !x.behind || at.base.Height == 0 {
		return false, err
	}
	tx, err := x.db.write.Begin()
	if err != nil {
		return false, fmt.Errorf("prune the index: %w", explain(x.file, err))
	}
	p := &pruning{do: x.db.writing.in(tx), db: x.db, at: &at, room: prunedRows, products: map[int64]bool{}}
	if err = p.step(); err == nil {
		err = tx.Commit()
	} else {
		err = errors.Join(err, tx.Rollback())
	}
	if err == nil {
		x.at, x.behind = at, p.room <= 0
		x.tell()
		if !x.behind {
			x.behind, err = x.db.giveBack()
		}
	}
	if damaged(err) {
		return false, fmt.Errorf("prune the index: %w: %w", ErrDamaged, err)
	}
	if err != nil {
		return false, fmt.Errorf("prune the index: %w", explain(x.file, err))
	}
	return x.behind, nil
}

// kept returns the place with the history of its source.
func (p place) kept(source Source) (place, error) {
	base, _ := source.History()
	if base <= p.base.Height || p.Height <= base {
		return p, nil
	}
	block, err := source.Block(base + 1)
	if block == nil && err == nil {
		err = fmt.Errorf("the source does not have block %d, at which its history begins", base+1)
	}
	if err == nil {
		p.base = Since{base, block.Clock}
	}
	return p, err
}

// pruning is one step.
type pruning struct {
	do       writeStatements
	db       *database
	at       *place
	room     int            // for rows
	products map[int64]bool // that may have lost their last trade or auction
}

func (p *pruning) step() error {
	since := p.at.base.Clock
	if _, err := p.do.pruned.Exec(p.at.base.Height, since); err != nil {
		return err
	}
	if err := p.drop(p.do.dropTrades, p.products, since); err != nil {
		return err
	}
	if err := p.dropAuctions(since); err != nil {
		return err
	}
	for _, of := range []*sql.Stmt{p.do.dropOffers, p.do.dropMoments} {
		if err := p.drop(of, nil, since); err != nil {
			return err
		}
	}
	if err := p.drop(p.do.dropStalls, nil, p.db.open.needed(since)); err != nil {
		return err
	}
	for _, span := range spans() {
		if err := p.drop(p.do.dropVolumes, nil, span, firstSpan(span, p.at)); err != nil {
			return err
		}
	}
	return p.dropProducts()
}

// drop runs a statement that deletes rows, at most as many as there is room for, and notes the numbers that it returns.
func (p *pruning) drop(statement *sql.Stmt, into map[int64]bool, args ...any) error {
	if p.room <= 0 {
		return nil
	}
	rows, err := statement.Query(append(args, p.room)...)
	if err != nil {
		return err
	}
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return errors.Join(err, rows.Close())
		}
		if p.room--; into != nil {
			into[n] = true
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

// dropAuctions removes auctions at once, and their orders, matches and rounds as there is room.
func (p *pruning) dropAuctions(since types.Time) error {
	if p.room <= 0 {
		return nil
	}
	rows, err := p.do.dropAuctions.Query(since, prunedAuctions)
	if err != nil {
		return err
	}
	var dropped []int64
	for rows.Next() {
		var n, product int64
		if err := rows.Scan(&n, &product); err != nil {
			return errors.Join(err, rows.Close())
		}
		dropped, p.products[product] = append(dropped, n), true
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, n := range dropped {
		if _, err := p.do.addLeaving.Exec(n); err != nil {
			return err
		}
	}
	for p.room > 0 {
		var n int64
		if err := p.do.leaving.QueryRow().Scan(&n); isNone(err) {
			return nil
		} else if err != nil {
			return err
		}
		for _, of := range []*sql.Stmt{p.do.dropOrders, p.do.dropMatches, p.do.dropRounds} {
			if err := p.drop(of, nil, n); err != nil {
				return err
			}
		}
		if p.room <= 0 {
			return nil
		}
		p.room--
		if _, err := p.do.left.Exec(n); err != nil {
			return err
		}
	}
	return nil
}

// dropProducts removes the products that nothing names any more.
func (p *pruning) dropProducts() error {
	for n := range p.products { // any order: each by itself
		if p.db.open.goods[n] != nil {
			continue
		}
		used := false
		for _, by := range []*sql.Stmt{p.do.usedByTrades, p.do.usedByAuctions} {
			err := by.QueryRow(n).Scan(new(int))
			if err != nil && !isNone(err) {
				return err
			}
			used = used || err == nil
		}
		if used {
			continue
		}
		product, err := p.db.memory.productOf(p.do.productOf, n)
		if err != nil {
			return err
		}
		p.db.memory.products.drop(product.Product)
		p.db.memory.numbered.drop(n)
		if _, err := p.do.dropProduct.Exec(n); err != nil {
			return err
		}
	}
	return nil
}

// needed returns the moment before which no stall of the chain excuses a trade: that of a block, or earlier when a trade was paid or agreed earlier.
func (o *open) needed(since types.Time) types.Time {
	if o.spilled { // the table has trades that go on
		return 0
	}
	for _, row := range o.all.rows {
		if trade.Running(row.phase) {
			since = min(since, max(row.agreedAt, row.paidAt))
		}
	}
	return since
}

// giveBack gives some pages that are not used to the file system, when they are many, and reports whether many are left: a file that has its size for good needs some.
func (d *database) giveBack() (more bool, err error) {
	var free, all int
	err = errors.Join(d.write.QueryRow("PRAGMA freelist_count").Scan(&free), d.write.QueryRow("PRAGMA page_count").Scan(&all))
	if err != nil || free <= sparePages+all/4 {
		return false, err
	}
	rows, err := d.write.Query(fmt.Sprintf("PRAGMA incremental_vacuum(%d)", prunedPages))
	if err != nil {
		return false, err
	}
	for rows.Next() { // one a page
	}
	return true, errors.Join(rows.Err(), rows.Close())
}
