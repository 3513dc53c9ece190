package ledger

import (
	"encoding/binary"
	"fmt"
	"testing"

	"lockstep/types"
	"lockstep/types/canon"
)

// TestDueEntriesAreSpreadOverBlocks: of each kind a block handles a share, in order, independently of the other kinds. The
// block says that it has left some, and the next ones go on behind the last one.
func TestDueEntriesAreSpreadOverBlocks(t *testing.T) {
	t.Parallel()
	const few, page = 2, 700 // two pages fit into a share
	moment := types.Time(1_000_000)
	for flooded := range dueKinds {
		kind := dueKinds[flooded]
		t.Run(fmt.Sprintf("%q", kind.prefix), func(t *testing.T) {
			t.Parallel()
			view := NewMemory()
			perBlock := dueShare
			if listsTrades(kind.prefix) { // a block ends with the page that fills its share
				perBlock = (dueShare + page - 1) / page
			}
			flood := 2*perBlock + 1
			var changes []Change
			for i := range dueKinds {
				n := few
				if i == flooded {
					n = flood
				}
				changes = append(changes, dueEntries(dueKinds[i].prefix, moment, n, page)...)
			}
			later := dueEntries(kind.prefix, moment+1, 1, 0)[0] // not due yet
			view.Apply(append(changes, later))
			var sum Accumulator
			sum.Apply(append(changes, later))

			height, blocks := uint64(0), 0
			for due := true; due; blocks++ {
				height++
				before := count(view, kind.prefix, moment)
				state := New(view, types.DefaultParams("due"))
				state.Begin(height, moment+1)
				diff := state.Finish()
				view.Apply(diff.Changes)
				sum.Apply(diff.Changes)
				due = diff.Due
				left := count(view, kind.prefix, moment)
				if handled := before - left; handled != min(perBlock, before) {
					t.Fatalf("block %d handled %d of %d entries, want %d", height, handled, before, perBlock)
				}
				if left > 0 != due {
					t.Fatalf("block %d leaves %d entries and says that it leaves some: %t", height, left, due)
				}
				for i := range dueKinds {
					if n := count(view, dueKinds[i].prefix, moment); i != flooded && n > 0 {
						t.Fatalf("block %d leaves %d entries of kind %q, which was not flooded", height, n, dueKinds[i].prefix)
					}
				}
			}
			if blocks != 3 {
				t.Errorf("it took %d blocks, want 3", blocks)
			}
			if n := count(view, kind.prefix, moment+1); n != 1 {
				t.Errorf("%d entries of the next moment are there, want 1", n)
			}
			if value := view.Get(string([]byte{kindReached})); value.Encoded != nil {
				t.Error("the state still says how far the last block came")
			}
			if _, recomputed, err := Audit(view); err != nil || recomputed != sum {
				t.Errorf("the commitment that followed the changes is not that of the state (%v)", err)
			}
		})
	}
}

// TestWorkLeft: due entries take room from the transactions of their block, but never all of it.
func TestWorkLeft(t *testing.T) {
	t.Parallel()
	moment := types.Time(1_000_000)
	view := NewMemory()
	view.Apply(dueEntries(string([]byte{kindRemembered}), moment, 10, 0))
	state := New(view, types.DefaultParams("due"))
	state.Begin(1, moment+1)
	if got, want := state.WorkLeft(), uint64(MaxBlockWork-10*actionWork); got != want {
		t.Errorf("%d units are left, want %d", got, want)
	}
	state.spent = 2 * MaxBlockWork
	if got, want := state.WorkLeft(), uint64(MaxBlockWork/4); got != want {
		t.Errorf("%d units are left, want %d", got, want)
	}
}

func listsTrades(prefix string) bool { return prefix[0] == kindOver }

// dueEntries are n entries of a kind for a moment; those that list trades list so many of them, whose marks come along.
func dueEntries(prefix string, at types.Time, n, page int) []Change {
	changes := make([]Change, n)
	for i := range n {
		id := make([]byte, 32)
		binary.BigEndian.PutUint32(id, uint32(i))
		var value canon.Value = &mark{}
		if prefix[0] == kindCheckpoint {
			value = &checkpoint{}
		}
		if listsTrades(prefix) {
			ids := make(tradeIDs, page)
			for j := range ids {
				binary.BigEndian.PutUint32(ids[j][:], uint32(i*page+j))
				if at := tradeKey(ids[j]); prefix[0] == kindOver {
					changes = append(changes, Change{Key: at.String(), New: []byte(overMark), After: &mark{}})
				}
			}
			value = &ids
		}
		changes[i] = Change{Key: prefix + timeText(at) + string(id), New: types.Encode(value), After: value}
	}
	return changes
}

// count is how many entries of a kind are there for a moment.
func count(view View, prefix string, at types.Time) (n int) {
	view.Ascend(prefix+timeText(at), prefix+timeText(at+1), func(string, Value) bool {
		n++
		return true
	})
	return n
}
