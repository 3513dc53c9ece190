package index

import (
	"database/sql"
	"errors"

	"lockstep/types"
)

// memory caches rows of the tables for the follower: the numbers of parties and products met lately, since a number replaces 32 bytes in the
// indexes, and recent conduct.
type memory struct {
	parties  recent[types.PublicKey, int64]
	products recent[types.Product, *product]
	numbered recent[int64, *product]
	conduct  recent[conductKey, *Statistics]
}

// product is a product with its number.
type product struct {
	types.Product
	n  int64
	id types.ProductID
}

// The most that is kept of each, all together in some tens of MB.
const (
	mostParties  = 200_000
	mostProducts = 10_000
	mostConduct  = 50_000
)

func newMemory() memory {
	return memory{
		parties: newRecent[types.PublicKey, int64](mostParties), products: newRecent[types.Product, *product](mostProducts),
		numbered: newRecent[int64, *product](mostProducts), conduct: newRecent[conductKey, *Statistics](mostConduct),
	}
}

// recent keeps the values that were used last. It has two halves, and drops the old half when the young one is full.
type recent[K comparable, V any] struct {
	half       int
	young, old map[K]V
}

func newRecent[K comparable, V any](most int) recent[K, V] {
	return recent[K, V]{half: most / 2, young: map[K]V{}}
}

func (r *recent[K, V]) get(key K) (V, bool) {
	value, known := r.young[key]
	if !known {
		if value, known = r.old[key]; known {
			r.put(key, value)
		}
	}
	return value, known
}

func (r *recent[K, V]) put(key K, value V) {
	if len(r.young) >= r.half {
		r.old, r.young = r.young, make(map[K]V, r.half)
	}
	r.young[key] = value
}

func (r *recent[K, V]) drop(key K) {
	delete(r.young, key)
	delete(r.old, key)
}

// party returns the number of a key, giving it one if it has none.
func (b *batch) party(key types.PublicKey) (n int64, err error) {
	n, known := b.memory.parties.get(key)
	if !known {
		if n, err = number(b.do.findParty, b.do.addParty, id(key)); err == nil {
			b.memory.parties.put(key, n)
		}
	}
	return n, err
}

// product returns a product with its number, giving it one if it has none.
func (b *batch) product(p *types.Product) (*product, error) {
	if known, ok := b.memory.products.get(*p); ok {
		return known, nil
	}
	found := &product{Product: *p, id: p.ID()}
	var err error
	if found.n, err = number(b.do.findProduct, b.do.addProduct, id(found.id), p.Commodity, p.Unit, p.Zone, p.From, p.Until, id(p.Asset)); err != nil {
		return nil, err
	}
	b.memory.products.put(*p, found)
	b.memory.numbered.put(found.n, found)
	return found, nil
}

// number returns the number of a row by its first value, and adds the row if there is none.
func number(find, add *sql.Stmt, values ...any) (n int64, err error) {
	err = find.QueryRow(values[0]).Scan(&n)
	if !isNone(err) {
		return n, err
	}
	result, err := add.Exec(values...)
	if err != nil {
		return 0, err
	}
	return result.LastInsertId()
}

// productOf returns the product of a number.
func (m *memory) productOf(find *sql.Stmt, n int64) (*product, error) {
	if known, ok := m.numbered.get(n); ok {
		return known, nil
	}
	found := &product{n: n}
	p := &found.Product
	err := find.QueryRow(n).Scan((*id)(&found.id), &p.Commodity, &p.Unit, &p.Zone, &p.From, &p.Until, (*id)(&p.Asset))
	if err != nil {
		return nil, err
	}
	m.numbered.put(n, found)
	return found, nil
}

func isNone(err error) bool { return errors.Is(err, sql.ErrNoRows) }
