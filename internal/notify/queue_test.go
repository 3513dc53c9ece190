package notify

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"lockstep/types"
)

func notice(id string) Notice {
	return Notice{ID: id, Kind: YourTurn, Headline: "you pay next", Cause: "both sides signed", Consequences: []string{}}
}

func openQueue(t *testing.T, folder string, sinks ...string) *Queue {
	t.Helper()
	q := reopen(t, folder, sinks...)
	t.Cleanup(func() {
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	})
	return q
}

// reopen opens a queue. Another test may just be starting a process, which holds a copy of each lock until it runs.
func reopen(t *testing.T, folder string, sinks ...string) *Queue {
	t.Helper()
	for tries := 0; ; tries++ {
		q, err := OpenQueue(folder, sinks...)
		if err == nil {
			return q
		}
		if !errors.Is(err, ErrUsed) || tries == 1000 {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func add(t *testing.T, q *Queue, id string, want bool) {
	t.Helper()
	if added, err := q.Add(notice(id)); err != nil || added != want {
		t.Fatalf("%s: added %t, %v", id, added, err)
	}
}

func waiting(q *Queue, sink string) (ids string) {
	list, _ := q.waitingFor(sink)
	for _, n := range list {
		ids += n.ID + " "
	}
	return ids
}

// Each matter is queued once, also after a restart and after it was sent; each sink takes it once.
func TestQueue(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	q := openQueue(t, folder, "webhook", "mqtt")
	add(t, q, "a", true)
	add(t, q, "b", true)
	add(t, q, "a", false)
	if _, err := q.Add(Notice{ID: "c", Headline: "without a cause"}); types.CodeOf(err) != types.CodeInternal {
		t.Error(err)
	}
	for _, err := range []error{q.settle("a", "webhook"), q.fail("b", "mqtt"), q.SetCursor(7), q.SetCursor(5)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := OpenQueue(folder, "webhook"); !errors.Is(err, ErrUsed) {
		t.Errorf("a second program: %v", err)
	}
	for range 3 {
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
		q = openQueue(t, folder, "webhook", "mqtt")
		if waiting(q, "webhook") != "b " || waiting(q, "mqtt") != "a b " || q.Cursor() != 7 {
			t.Fatalf("after a restart: %q %q %d", waiting(q, "webhook"), waiting(q, "mqtt"), q.Cursor())
		}
		add(t, q, "a", false)
		if list, _ := q.waitingFor("mqtt"); list[1].Attempts != 1 {
			t.Errorf("%+v", list)
		}
		q.mu.Lock()
		if err := q.compact(); err != nil {
			t.Fatal(err)
		}
		q.mu.Unlock()
	}
	for _, id := range []string{"a", "b"} {
		for _, sink := range []string{"webhook", "mqtt"} {
			if err := q.settle(id, sink); err != nil {
				t.Fatal(err)
			}
		}
		add(t, q, id, false)
	}
	if len(q.Pending()) != 0 {
		t.Errorf("%+v", q.Pending())
	}
}

// A journal is cut at every byte, as by a power cut: it always opens, with every whole line.
func TestQueueCut(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	q := openQueue(t, folder, "webhook")
	for i := range 4 {
		add(t, q, fmt.Sprint("n", i), true)
	}
	if err := q.settle("n0", "webhook"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(folder, journalName))
	if err != nil {
		t.Fatal(err)
	}
	for length := range len(text) + 1 {
		cut := t.TempDir()
		if err := os.WriteFile(filepath.Join(cut, journalName), text[:length], 0o600); err != nil {
			t.Fatal(err)
		}
		q := reopen(t, cut, "webhook")
		whole := bytes.Count(text[:length], []byte("\n"))
		want := min(whole, 4)
		if whole == 5 {
			want = 3
		}
		if got := len(q.Pending()); got < want-1 || got > want+1 { // a line without its end may still be whole
			t.Fatalf("%d bytes, %d lines: %d notices", length, whole, got)
		}
		add(t, q, "later", true)
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
		q = reopen(t, cut, "webhook")
		add(t, q, "later", false)
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// FuzzQueue: a journal of any bytes opens, and takes a notice.
func FuzzQueue(f *testing.F) {
	f.Add([]byte(`{"add":{"id":"a","cause":"b"}}` + "\n" + `{"sent":"a","sink":"webhook"}` + "\n"))
	f.Add([]byte(`{"entry":{"notice":{"id":"a"},"wait":["webhook","x"]},"seen":["a","b"]}` + "\n{"))
	f.Add([]byte(`{"failed":"a","sink":"s"}` + "\n" + `{"cursor":18446744073709551615}`))
	f.Fuzz(func(t *testing.T, journal []byte) {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, journalName), journal, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, want := range []bool{true, false} {
			q := reopen(t, folder, "webhook")
			if added, err := q.Add(notice("a notice of the test")); err != nil || added != want && !bytes.Contains(journal, []byte("a notice of the test")) {
				t.Fatalf("%t %v", added, err)
			}
			if err := q.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// The queue is bounded: the oldest notices are dropped, and the next ones tell how many.
func TestQueueBound(t *testing.T) {
	t.Parallel()
	q := openQueue(t, t.TempDir(), "webhook")
	for i := range maxPending + 3 {
		q.mu.Lock()
		n := notice(fmt.Sprint("n", i))
		q.apply(&record{Add: &n}) // as add does, without a sync for each
		q.mu.Unlock()
	}
	list, _ := q.waitingFor("webhook")
	if len(list) != maxPending || list[0].ID != "n3" || list[0].Dropped != 3 {
		t.Errorf("%d from %s, %d dropped", len(list), list[0].ID, list[0].Dropped)
	}
	add(t, q, "n0", false) // it is dropped, not forgotten
	if err := q.settle("n3", "webhook"); err != nil {
		t.Fatal(err)
	}
	if list, _ = q.waitingFor("webhook"); list[0].Dropped != 0 {
		t.Errorf("still %d dropped", list[0].Dropped)
	}
	for i := range maxSeen + 10 {
		q.remember(fmt.Sprint("old", i))
	}
	if len(q.seen) != maxSeen || len(q.order) != maxSeen {
		t.Errorf("%d and %d ids", len(q.seen), len(q.order))
	}
}
