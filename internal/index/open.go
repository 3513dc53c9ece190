package index

import (
	"container/heap"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"lockstep/trade"
	"lockstep/types"
)

// mostOpen bounds the trades in memory, to some 40 MB. Those beyond it go to the table at once, and their rows change.
const mostOpen = 100_000

// open has the trades that go on, up to a height. The follower alone changes it, in [open.publish]; it reads it without a lock.
type open struct {
	mu     sync.RWMutex
	height uint64
	byID   map[types.TradeID]*tradeRow
	all    list
	party  map[int64]*list // of either role
	goods  map[int64]*list // by product

	// For the follower alone:
	due     dueHeap
	chunks  map[int64][]*tradeRow // of the table
	chunk   int64                 // the newest
	spilled bool                  // the table may have trades that go on
}

func newOpen() *open {
	return &open{byID: map[types.TradeID]*tradeRow{}, party: map[int64]*list{}, goods: map[int64]*list{}, chunks: map[int64][]*tradeRow{}}
}

// list has rows in the order of their numbers. Those that are over leave it when they are half of it.
type list struct {
	rows []*tradeRow
	over int
}

func (l *list) leave() {
	if l.over++; 2*l.over > len(l.rows) {
		l.rows, l.over = slices.DeleteFunc(l.rows, func(r *tradeRow) bool { return !trade.Running(r.phase) }), 0
	}
}

// openChange is a change by a batch.
type openChange struct{ begun, moved, ended []*tradeRow }

// publish shows a batch that is in the database to the readers.
func (o *open) publish(c *openChange, height uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.height = height
	for _, row := range c.moved {
		row.progress = row.next
	}
	for _, row := range c.begun {
		row.progress = row.next
		o.add(row)
	}
	for _, row := range c.ended {
		row.progress = row.next
		delete(o.byID, row.id)
		o.all.leave()
		leaveOf(o.party, row.producer)
		leaveOf(o.party, row.consumer)
		leaveOf(o.goods, row.product.n)
	}
}

func (o *open) add(row *tradeRow) {
	o.byID[row.id] = row
	o.all.rows = append(o.all.rows, row)
	addTo(o.party, row.producer, row)
	addTo(o.party, row.consumer, row)
	addTo(o.goods, row.product.n, row)
	heap.Push(&o.due, row)
}

func addTo(lists map[int64]*list, key int64, row *tradeRow) {
	if lists[key] == nil {
		lists[key] = new(list)
	}
	lists[key].rows = append(lists[key].rows, row)
}

func leaveOf(lists map[int64]*list, key int64) {
	lists[key].leave()
	if len(lists[key].rows) == 0 {
		delete(lists, key)
	}
}

// dueHeap is a heap by deliver-by, see [heap.Interface].
type dueHeap []*tradeRow

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].deliverBy < h[j].deliverBy }
func (h dueHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *dueHeap) Push(row any)      { *h = append(*h, row.(*tradeRow)) }
func (h *dueHeap) Pop() any {
	last := len(*h) - 1
	row := (*h)[last]
	*h = (*h)[:last]
	return row
}

// takeDue returns the trades that are paid and whose deliver-by lies before a moment. No other needs its deadline any more.
func (o *open) takeDue(clock types.Time) (due []*tradeRow) {
	for len(o.due) > 0 && trade.Passed(o.due[0].deliverBy, clock) {
		row := heap.Pop(&o.due).(*tradeRow)
		if row.next.phase == types.PhasePaid {
			due = append(due, row)
		}
	}
	slices.SortFunc(due, func(a, b *tradeRow) int { return int(a.n - b.n) })
	return due
}

// visit visits the trades of a filter with a number below a bound, newest first, until visit returns false. The caller holds o.mu.
func (o *open) visit(party, product *int64, role Role, below int64, visit func(*tradeRow) bool) {
	rows := &o.all
	switch {
	case party != nil:
		rows = o.party[*party]
	case product != nil:
		rows = o.goods[*product]
	}
	if rows == nil {
		return
	}
	end, _ := slices.BinarySearchFunc(rows.rows, below, func(r *tradeRow, n int64) int { return int(r.n - n) })
	for _, row := range slices.Backward(rows.rows[:end]) {
		fits := trade.Running(row.phase) && (product == nil || row.product.n == *product) &&
			(party == nil || role != Consumer && row.producer == *party || role != Producer && row.consumer == *party)
		if fits && !visit(row) {
			return
		}
	}
}

// numbered returns the trade of a number; nil when none that goes on has it. The caller holds o.mu.
func (o *open) numbered(n int64) *tradeRow {
	at, found := slices.BinarySearchFunc(o.all.rows, n, func(r *tradeRow, n int64) int { return int(r.n - n) })
	if !found {
		return nil
	}
	return o.all.rows[at]
}

// A chunk of the table open has few rows, since it is written whole when one of them changes. One that has lost most of its rows gives the rest to a new one.
const (
	chunkRows  = 32
	chunkFew   = 8
	chunkBytes = 112 // of a row, about
)

// writeChunks brings the table open up to the batch.
func (b *batch) writeChunks() error {
	o := b.open
	written := rowWriter{one: b.do.putChunk, some: b.do.putChunks}
	put := func(chunk int64, rows []*tradeRow) error {
		o.chunks[chunk] = rows
		encoded := make([]byte, 0, len(rows)*chunkBytes)
		for _, row := range rows {
			row.chunk = chunk
			encoded = row.append(encoded)
		}
		return written.add(chunk, encoded)
	}
	changed := map[int64]bool{}
	for _, rows := range [][]*tradeRow{b.change.moved, b.change.ended} {
		for _, row := range rows {
			changed[row.chunk] = true
		}
	}
	fresh := b.change.begun
	for _, chunk := range slices.Sorted(maps.Keys(changed)) {
		rows := slices.DeleteFunc(o.chunks[chunk], func(r *tradeRow) bool { return !trade.Running(r.next.phase) })
		if len(rows) > chunkFew {
			if err := put(chunk, rows); err != nil {
				return err
			}
			continue
		}
		fresh = append(fresh[:len(fresh):len(fresh)], rows...)
		delete(o.chunks, chunk)
		if _, err := b.do.dropChunk.Exec(chunk); err != nil {
			return err
		}
	}
	for rows := range slices.Chunk(fresh, chunkRows) {
		o.chunk++
		if err := put(o.chunk, slices.Clone(rows)); err != nil {
			return err
		}
	}
	return written.finish()
}

// append appends the row as a chunk has it.
func (r *tradeRow) append(to []byte) []byte {
	to = append(to, r.id[:]...)
	for _, n := range []int64{r.n, r.producer, r.consumer, r.product.n, int64(r.next.phase), int64(r.deliverBy)} {
		to = binary.AppendUvarint(to, uint64(n))
	}
	var room [restBytes]byte
	rest := r.appendRest(room[:0], &r.next)
	return append(binary.AppendUvarint(to, uint64(len(rest))), rest...)
}

// readRow reads the first row of a chunk, and returns the others.
func readRow(chunk []byte, productOf func(int64) (*product, error)) (row *tradeRow, others []byte, err error) {
	row = new(tradeRow)
	broken := fmt.Errorf("%w: the trades that go on are not written as they should be", ErrDamaged)
	if len(chunk) < len(row.id) {
		return nil, nil, broken
	}
	copy(row.id[:], chunk)
	chunk = chunk[len(row.id):]
	var numbers [7]uint64
	for i := range numbers {
		n, length := binary.Uvarint(chunk)
		if length <= 0 {
			return nil, nil, broken
		}
		numbers[i], chunk = n, chunk[length:]
	}
	if numbers[6] > uint64(len(chunk)) {
		return nil, nil, broken
	}
	row.n, row.producer, row.consumer = int64(numbers[0]), int64(numbers[1]), int64(numbers[2])
	row.phase, row.deliverBy = types.Phase(numbers[4]), types.Time(numbers[5])
	if err := row.readRest(chunk[:numbers[6]]); err != nil {
		return nil, nil, err
	}
	row.next = row.progress
	row.product, err = productOf(int64(numbers[3]))
	return row, chunk[numbers[6]:], err
}

// load reads the trades that go on from the database, which is at a height, and forgets all else that is in memory.
func (d *database) load(height uint64) error {
	d.memory = newMemory()
	o, err := d.loadOpen()
	if err != nil {
		return err
	}
	d.open.mu.Lock()
	defer d.open.mu.Unlock()
	d.open.height, d.open.byID, d.open.all, d.open.party, d.open.goods = height, o.byID, o.all, o.party, o.goods
	d.open.due, d.open.chunks, d.open.chunk, d.open.spilled = o.due, o.chunks, o.chunk, o.spilled
	return nil
}

func (d *database) loadOpen() (*open, error) {
	o := newOpen()
	var all []*tradeRow
	rows, err := d.write.Query("SELECT chunk, rows FROM open ORDER BY chunk")
	if err != nil {
		return nil, err
	}
	contents := map[int64][]byte{}
	for rows.Next() {
		var content []byte
		if err := rows.Scan(&o.chunk, &content); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		contents[o.chunk] = content
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil { // before the only connection is used again
		return nil, err
	}
	productOf := func(n int64) (*product, error) { return d.memory.productOf(d.writing.productOf, n) }
	for chunk, content := range contents { // any order: the rows are sorted below
		for len(content) > 0 {
			var row *tradeRow
			if row, content, err = readRow(content, productOf); err != nil {
				return nil, err
			}
			row.chunk = chunk
			o.chunks[chunk] = append(o.chunks[chunk], row)
			all = append(all, row)
		}
	}
	slices.SortFunc(all, func(a, b *tradeRow) int { return int(a.n - b.n) })
	for _, row := range all {
		o.add(row)
	}
	err = d.write.QueryRow("SELECT 1 FROM trades INDEXED BY trades_open WHERE phase <= 3 LIMIT 1").Scan(new(int))
	o.spilled = err == nil
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return o, err
}
