package ledger

import (
	"slices"
	"testing"

	"lockstep/types"
)

// A slot whose auction has pages left is not forgotten, though all its trades so far are over: a later page may make more of them, behind the
// same claims. It is looked at again in a later block.
func TestSlotOfAHeldAuction(t *testing.T) {
	t.Parallel()
	const until, now = types.Time(2000), types.Time(5000)
	product := types.ProductID{7}
	slot := &types.Slot{
		Flow: types.Flow{Point: types.PointID{1}, Direction: types.DirectionExport}, From: 1000, Until: until, Product: product, Sold: 1,
		Claims: []types.Claim{{Height: 3, Trade: types.TradeID{9}, Quantity: 10, ReadingBy: 4000}},
	}
	at := slotID(slot.Flow, slot.From)
	state := New(NewMemory(), types.DefaultParams("slot"))
	state.Begin(1, now)
	state.putSlot(at, slot)
	state.put(heldKey(product), &held{})
	state.forgetSlot(at)
	if kept, there := get[types.Slot](state, slotKey(at)); !there || len(kept.Claims) != 1 {
		t.Fatalf("the slot has left the state: %+v", kept)
	}
	if _, due := get[mark](state, queueKey(now, queueSlot, at)); !due {
		t.Error("no later block looks at the slot again")
	}
	state.remove(heldKey(product))
	state.forgetSlot(at)
	if _, there := get[types.Slot](state, slotKey(at)); there {
		t.Error("the slot stays after its auction is done")
	}
}

// An outage excuses when it ended after the party's time began, and before a clock cap after it ended: also one that ends in this block.
func TestOutageOfThisBlock(t *testing.T) {
	t.Parallel()
	state := New(NewMemory(), types.DefaultParams("outage"))
	state.Begin(1, 1_000_000)
	state.clock.Stalled = 500
	most := types.Time(state.params.ClockCap)
	for _, c := range []struct {
		since, until types.Time
		stalled      bool
	}{{499, 600, true}, {500, 600, false}, {400, 450, true}} {
		if got := state.stalled(c.since, c.until); got != c.stalled {
			t.Errorf("from %d to %d: %t", c.since, c.until, got)
		}
	}
	state.clock.Stalled = 600 + most
	if state.stalled(400, 600) {
		t.Error("an outage a whole clock cap after the deadline excuses")
	}
	if state.clock.Stalled--; !state.stalled(400, 600) {
		t.Error("an outage that began before the deadline does not excuse")
	}
}

// A party that had no time for its duty is excused, and an outage in it excuses; else the miss counts.
func TestMissedWithoutTime(t *testing.T) {
	t.Parallel()
	state := New(NewMemory(), types.DefaultParams("missed"))
	state.Begin(1, 1_000_000)
	for _, c := range []struct {
		since, until types.Time
		counted      bool
	}{{10, 20, true}, {10, 11, true}, {10, 10, false}, {11, 10, false}} {
		var r types.Conduct
		if got := state.missed(&r, 5, c.since, c.until); got != c.counted || (r.Failed == 5) != c.counted || (r.Excused == 1) == c.counted {
			t.Errorf("from %d to %d: counted %t, %+v", c.since, c.until, got, r)
		}
	}
}

// lookups notes the keys that are looked up in a view.
type lookups struct {
	View
	keys *[]string
}

func (l lookups) Get(key string) Value {
	*l.keys = append(*l.keys, key)
	return l.View.Get(key)
}

// TestDueEntryOfASlot: the due entry of a new slot is written without a lookup. That of a known one is looked up, so that the change has its old value.
func TestDueEntryOfASlot(t *testing.T) {
	t.Parallel()
	slot := &types.Slot{Flow: types.Flow{Point: types.PointID{1}, Direction: types.DirectionExport}, From: 1000, Until: 2000, Orders: 1}
	at := slotID(slot.Flow, slot.From)
	memory := NewMemory()
	for height, known := range []bool{false, true} {
		var keys []string
		state := New(lookups{memory, &keys}, types.DefaultParams("slot"))
		state.Begin(uint64(height)+1, 500)
		slot.Orders++
		next := *slot
		state.keepSlot(at, &next)
		due := state.slotDue(at, slot)
		if looked := slices.Contains(keys, due.String()); looked != known {
			t.Errorf("the slot is known: %t, its due entry is looked up: %t", known, looked)
		}
		memory.Apply(state.Finish().Changes)
	}
}
