package ledger

import (
	"maps"
	"slices"
)

// Memory is a view in memory, for exploring and measuring the rules without a store.
type Memory struct {
	kinds map[byte]*memoryKind
}

// memoryKind holds the values of one kind of key.
type memoryKind struct {
	values map[string]Value
	least  string // no key is less: saves a look at all of them for what is due, which mostly is nothing
}

// NewMemory returns the view of a ledger without blocks.
func NewMemory() *Memory { return &Memory{kinds: map[byte]*memoryKind{}} }

// Get implements [View].
func (m *Memory) Get(key string) Value {
	if kind := m.kinds[key[0]]; kind != nil {
		return kind.values[key]
	}
	return Value{}
}

// Ascend implements [View]. Both ends of the range lie within one kind of key, of which it looks at every one.
func (m *Memory) Ascend(from, to string, visit func(string, Value) bool) {
	kind := m.kinds[from[0]]
	if kind == nil || to <= kind.least {
		return
	}
	var keys []string
	for key := range kind.values { // any order: sorted below
		if key >= from && key < to {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		if !visit(key, kind.values[key]) {
			return
		}
	}
}

// Apply follows the changes of a block.
func (m *Memory) Apply(changes []Change) {
	for _, change := range changes {
		kind := m.kinds[change.Key[0]]
		if kind == nil {
			kind = &memoryKind{values: map[string]Value{}, least: change.Key}
			m.kinds[change.Key[0]] = kind
		}
		if change.New == nil {
			delete(kind.values, change.Key)
			continue
		}
		kind.least = min(kind.least, change.Key)
		kind.values[change.Key] = Value{change.New, change.After}
	}
	for _, kind := range m.kinds { // any order: each by itself
		kind.raise()
	}
}

// raise finds the least key again when that has gone.
func (k *memoryKind) raise() {
	if _, there := k.values[k.least]; there || len(k.values) == 0 {
		return
	}
	least := ""
	for key := range k.values { // any order: the least is one
		if least == "" || key < least {
			least = key
		}
	}
	k.least = least
}

// Clone returns a view that changes on its own.
func (m *Memory) Clone() *Memory {
	clone := NewMemory()
	for key, kind := range m.kinds { // any order: each kind is copied by itself
		clone.kinds[key] = &memoryKind{values: maps.Clone(kind.values), least: kind.least}
	}
	return clone
}
