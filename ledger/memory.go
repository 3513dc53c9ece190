package ledger

import (
	"maps"
	"slices"
)

// Memory is a view in memory, for exploring and measuring the rules without a store.
type Memory struct {
	kinds map[byte]map[string]Value
}

// NewMemory returns the view of a ledger without blocks.
func NewMemory() *Memory { return &Memory{kinds: map[byte]map[string]Value{}} }

// Get implements [View].
func (m *Memory) Get(key string) Value { return m.kinds[key[0]][key] }

// Ascend implements [View]. Both ends of the range lie within one kind of key, of which it looks at every one.
func (m *Memory) Ascend(from, to string, visit func(string, []byte) bool) {
	kind := m.kinds[from[0]]
	var keys []string
	for key := range kind { // any order: sorted below
		if key >= from && key < to {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		if !visit(key, kind[key].Encoded) {
			return
		}
	}
}

// Apply follows the changes of a block.
func (m *Memory) Apply(changes []Change) {
	for _, change := range changes {
		if change.New == nil {
			delete(m.kinds[change.Key[0]], change.Key)
			continue
		}
		kind := m.kinds[change.Key[0]]
		if kind == nil {
			kind = map[string]Value{}
			m.kinds[change.Key[0]] = kind
		}
		kind[change.Key] = Value{change.New, change.After}
	}
}

// Clone returns a view that changes on its own.
func (m *Memory) Clone() *Memory {
	clone := NewMemory()
	for kind, values := range m.kinds { // any order: each kind is copied by itself
		clone.kinds[kind] = maps.Clone(values)
	}
	return clone
}
