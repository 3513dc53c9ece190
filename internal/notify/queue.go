package notify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"lockstep/internal/atomicfile"
	"lockstep/types"
)

// Bounds of a queue.
const (
	maxPending  = 1000    // notices that wait for a sink
	maxSeen     = 100_000 // ids that are remembered
	maxJournal  = 8 << 20 // bytes, above which the journal is written anew
	maxFile     = 64 << 20
	journalName = "notices.jsonl"
)

// ErrUsed is the error of a queue that another program has open.
var ErrUsed = errors.New("another program uses the notices")

// Queue keeps notices on disk until each sink has taken them. Its file is a journal: each line is written and synced before its effect is
// visible, and half a line of a power cut is left out. It is safe for concurrent use.
type Queue struct {
	path  string
	sinks []string

	mu      sync.Mutex
	file    *os.File
	size    int64
	seen    map[string]bool
	order   []string // of the seen ids, oldest first
	pending []*entry
	cursor  uint64
	dropped int
	changed chan struct{} // closed when a notice was added
}

// entry is a notice that waits.
type entry struct {
	Notice Notice         `json:"notice"`
	Wait   []string       `json:"wait"`            // sinks that have not taken it
	Tries  map[string]int `json:"tries,omitempty"` // failed ones, by sink
}

// record is one line of the journal.
type record struct {
	Add     *Notice  `json:"add,omitempty"`
	Sent    string   `json:"sent,omitempty"`    // a notice that a sink has taken, or that it will never take
	Failed  string   `json:"failed,omitempty"`  // a notice that a sink did not take
	Sink    string   `json:"sink,omitempty"`    // of sent and failed
	Cursor  uint64   `json:"cursor,omitempty"`  // events up to this height are done
	Seen    []string `json:"seen,omitempty"`    // ids without their notices, of a journal that was written anew
	Entry   *entry   `json:"entry,omitempty"`   // likewise, a notice that waits
	Dropped int      `json:"dropped,omitempty"` // likewise
}

// OpenQueue opens the queue in a folder, or a new one. A second program that opens the same queue is refused.
func OpenQueue(folder string, sinks ...string) (*Queue, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	q := &Queue{path: filepath.Join(folder, journalName), sinks: sinks, seen: map[string]bool{}, changed: make(chan struct{})}
	file, err := os.OpenFile(q.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lock(file); err != nil {
		return nil, errors.Join(fmt.Errorf("%w in %s: stop it, or choose another folder", ErrUsed, folder), file.Close())
	}
	q.file = file
	if err := q.read(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return q, nil
}

// read reads the journal. A line that can't be read is left out: half a line at the end is that of a power cut, and any other costs a
// notice at most, where a queue that does not open would cost all.
func (q *Queue) read() error {
	text, err := os.ReadFile(q.path)
	if err != nil {
		return err
	}
	if len(text) > maxFile {
		return types.Refuse(types.CodeTooLarge, "%s has %d bytes: no queue writes that much; move it away", q.path, len(text))
	}
	for line := range bytes.Lines(text) {
		var r record
		if json.Unmarshal(line, &r) == nil {
			q.apply(&r)
		}
	}
	if len(text) > 0 && text[len(text)-1] != '\n' {
		if _, err := q.file.WriteString("\n"); err != nil { // so that the next line is whole
			return err
		}
	}
	q.size = int64(len(text))
	return nil
}

// apply takes a record into memory. The caller holds the lock, or is alone.
func (q *Queue) apply(r *record) {
	switch {
	case r.Add != nil:
		if q.remember(r.Add.ID) {
			q.pending = append(q.pending, &entry{Notice: *r.Add, Wait: slices.Clone(q.sinks)})
			q.bound()
		}
	case r.Entry != nil:
		e := *r.Entry
		e.Wait = slices.DeleteFunc(e.Wait, func(sink string) bool { return !slices.Contains(q.sinks, sink) })
		if q.remember(e.Notice.ID) && len(e.Wait) > 0 {
			q.pending = append(q.pending, &e)
			q.bound()
		}
	case r.Sent != "":
		q.done(r.Sent, r.Sink)
	case r.Failed != "":
		if e := q.find(r.Failed); e != nil {
			if e.Tries == nil {
				e.Tries = map[string]int{}
			}
			e.Tries[r.Sink]++
		}
	case r.Cursor != 0:
		q.cursor = max(q.cursor, r.Cursor)
	case r.Dropped != 0:
		q.dropped += r.Dropped
	}
	for _, id := range r.Seen {
		q.remember(id)
	}
}

// remember notes an id; false when it is known already.
func (q *Queue) remember(id string) bool {
	if id == "" || q.seen[id] {
		return false
	}
	q.seen[id] = true
	if q.order = append(q.order, id); len(q.order) > maxSeen {
		delete(q.seen, q.order[0])
		q.order = q.order[1:]
	}
	return true
}

// bound drops the oldest notice of a queue that is too long.
func (q *Queue) bound() {
	if len(q.pending) > maxPending {
		q.pending = slices.Delete(q.pending, 0, 1)
		q.dropped++
	}
}

func (q *Queue) find(id string) *entry {
	for _, e := range q.pending {
		if e.Notice.ID == id {
			return e
		}
	}
	return nil
}

func (q *Queue) done(id, sink string) {
	for i, e := range q.pending {
		if e.Notice.ID != id {
			continue
		}
		e.Wait = slices.DeleteFunc(e.Wait, func(s string) bool { return s == sink })
		if len(e.Wait) == 0 {
			q.pending = slices.Delete(q.pending, i, i+1)
			q.dropped = 0 // a receiver knows of them now
		}
		return
	}
}

// write appends a record, syncs it, and applies it. The caller holds the lock.
func (q *Queue) write(r *record) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	if _, err := q.file.Write(line); err != nil {
		return fmt.Errorf("write to %s: %w", q.path, err)
	}
	if err := q.file.Sync(); err != nil {
		return fmt.Errorf("write to %s: %w", q.path, err)
	}
	q.apply(r)
	if q.size += int64(len(line)); q.size > maxJournal {
		return q.compact()
	}
	return nil
}

// compact writes the journal anew: the ids, the cursor and the notices that wait.
func (q *Queue) compact() error {
	var text bytes.Buffer
	records := []record{{Seen: q.doneIDs()}, {Cursor: q.cursor}, {Dropped: q.dropped}}
	for _, e := range q.pending {
		records = append(records, record{Entry: e})
	}
	encoder := json.NewEncoder(&text)
	for i := range records {
		if err := encoder.Encode(&records[i]); err != nil {
			return err
		}
	}
	if err := atomicfile.Replace(q.path, text.Bytes()); err != nil {
		return err
	}
	file, err := os.OpenFile(q.path, os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if err := lock(file); err != nil {
		return errors.Join(err, file.Close())
	}
	old := q.file
	q.file, q.size = file, int64(text.Len())
	return old.Close()
}

// doneIDs lists the ids whose notices wait for no sink.
func (q *Queue) doneIDs() []string {
	waiting := map[string]bool{}
	for _, e := range q.pending {
		waiting[e.Notice.ID] = true
	}
	return slices.DeleteFunc(slices.Clone(q.order), func(id string) bool { return waiting[id] })
}

// Add queues a notice for every sink; false when its matter was queued before. A notice without a cause is refused.
func (q *Queue) Add(n Notice) (bool, error) {
	if n.Cause == "" || n.ID == "" {
		return false, types.Refuse(types.CodeInternal, "a notice %q without a cause: no notice is sent without one", n.Headline)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.seen[n.ID] {
		return false, nil
	}
	if err := q.write(&record{Add: &n}); err != nil {
		return false, err
	}
	close(q.changed)
	q.changed = make(chan struct{})
	return true, nil
}

// Cursor is the height up to which events are done; zero for a new queue.
func (q *Queue) Cursor() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.cursor
}

// SetCursor notes that the notices of all events up to a height are queued.
func (q *Queue) SetCursor(height uint64) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if height <= q.cursor {
		return nil
	}
	return q.write(&record{Cursor: height})
}

// waitingFor returns the notices that wait for a sink, oldest first, and a channel that is closed when there is one more.
func (q *Queue) waitingFor(sink string) ([]Notice, <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var list []Notice
	for _, e := range q.pending {
		if slices.Contains(e.Wait, sink) {
			n := e.Notice
			n.Attempts, n.Dropped = e.Tries[sink], q.dropped
			list = append(list, n)
		}
	}
	return list, q.changed
}

// Pending returns the notices that wait for any sink, oldest first.
func (q *Queue) Pending() []Notice {
	q.mu.Lock()
	defer q.mu.Unlock()
	list := make([]Notice, len(q.pending))
	for i, e := range q.pending {
		list[i] = e.Notice
	}
	return list
}

// settle notes that a sink has taken a notice, or will never take it.
func (q *Queue) settle(id, sink string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.write(&record{Sent: id, Sink: sink})
}

// fail notes that a sink did not take a notice.
func (q *Queue) fail(id, sink string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.write(&record{Failed: id, Sink: sink})
}

// Close closes the file.
func (q *Queue) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.file.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
		return err
	}
	return nil
}
