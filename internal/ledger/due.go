package ledger

import (
	"fmt"

	"lockstep/types"
	"lockstep/types/canon"
)

// Entries that are due at a moment stand in the state in order of that moment. The first block whose clock is past the moment
// handles them. A block handles a bounded number of each kind, in order of moment and key, and leaves the rest to the next block:
// otherwise one key could make a million entries for one moment, and with them a block that takes longer than the clock cap.
// No rule depends on an entry being handled at once: deadlines are compared with the clock, not with the queue.

// dueShare bounds the entries of one kind that a block handles. A page counts as many entries as it lists.
const dueShare = 2048

// dueKind is one kind of due entries: the prefix of their keys, and the step that handles one.
type dueKind struct {
	prefix string
	handle func(s *State, key string, value any)
}

// dueKinds are in the order in which a block handles them. Each kind has a share of its own, so that no flood of one delays another.
var dueKinds = [...]dueKind{ //nolint:gochecknoglobals // a constant table
	{string([]byte{kindRemembered}), func(*State, string, any) {}},
	{string([]byte{kindOver}), func(s *State, _ string, page any) {
		for _, id := range *page.(*tradeIDs) {
			s.forgetTrade(id)
		}
	}},
	{string([]byte{kindStall}), func(*State, string, any) {}},
	{string([]byte{kindQueue, queueGoods}), func(s *State, key string, _ any) { s.recordRefund(parseQueueKey(key)) }},
	{string([]byte{kindQueue, queueOffer}), func(s *State, key string, _ any) { s.expireOffer(parseQueueKey(key)) }},
	{string([]byte{kindQueue, queueSlot}), func(s *State, key string, _ any) { s.forgetSlot(parseQueueKey(key)) }},
	{string([]byte{kindQueue, queueTrade}), func(s *State, key string, _ any) { s.lapse(parseQueueKey(key)) }},
	{string([]byte{kindCheckpoint}), func(*State, string, any) {}},
}

// reached is, for each of [dueKinds], the last key that a block handled; empty for a kind of which it left nothing. The next block
// begins behind that key instead of searching through all that is gone. No later entry comes before it: each is made for a moment
// that has not passed.
type reached [len(dueKinds)]types.HexBytes

// Fields is the stored form, see [canon.Value].
func (r *reached) Fields(c *canon.Coder) {
	c.Array(len(r))
	for i := range r {
		canon.Blob(c, "last key", &r[i])
	}
}

// expire handles the entries whose moment has passed, up to a share of each kind.
func (s *State) expire() {
	before, next := reached{}, reached{}
	if stored, ok := get[reached](s, reachedKey()); ok {
		before = *stored
	}
	left := false
	for i := range dueKinds {
		last, more := s.expireKind(dueKinds[i], string(before[i]))
		if more {
			next[i], left = types.HexBytes(last), true
		}
	}
	switch {
	case left:
		s.unfinished = true
		s.put(reachedKey(), &next)
	case before.some():
		s.remove(reachedKey())
	}
}

// some reports whether a block left anything.
func (r *reached) some() bool {
	for i := range r {
		if len(r[i]) > 0 {
			return true
		}
	}
	return false
}

// expireKind handles the entries of one kind behind a key. It returns the last key that it handled, and whether more are due.
func (s *State) expireKind(kind dueKind, behind string) (last string, more bool) {
	from, to := kind.prefix, kind.prefix+timeText(s.now)
	if behind != "" {
		from = behind + "\x00"
	}
	type due struct {
		key   string
		value any
	}
	var entries []due
	count := 0
	s.view.Ascend(from, to, func(key string, stored Value) bool {
		if more = count >= dueShare; more {
			return false
		}
		if value := s.takeOut(key, stored); value != nil {
			entries = append(entries, due{key, value})
			count += weight(value)
		}
		last = key
		return true
	})
	for _, entry := range entries {
		kind.handle(s, entry.key, entry.value)
	}
	s.spent += uint64(count) * actionWork
	return last, more
}

// weight returns the number of entries that a value counts as.
func weight(value any) int {
	switch v := value.(type) {
	case *tradeIDs:
		return len(*v)
	case *mark, *checkpoint:
		return 1
	}
	panic(fmt.Sprintf("ledger: %T is not due at any moment", value))
}

// takeOut removes the entry that the view has under a key. It returns the entry's value, nil when the block has removed it before.
func (s *State) takeOut(key string, stored Value) any {
	e := s.entries[key]
	if e == nil {
		e = s.know(key, stored)
	}
	value := e.value
	if value != nil {
		s.write(e, nil)
	}
	return value
}
