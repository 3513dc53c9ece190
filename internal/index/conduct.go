package index

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"

	"lockstep/trade"
	"lockstep/types"
)

// conductKey identifies one row of a party's conduct.
type conductKey struct {
	party int64
	asset types.AssetID
}

func compareConduct(a, b conductKey) int {
	return cmp.Or(cmp.Compare(a.party, b.party), bytes.Compare(a.asset[:], b.asset[:]))
}

// tallyOf returns the tally that trades in a phase are counted in: one for all that go on, so that most steps change none.
func tallyOf(c *Conduct, phase types.Phase) *Tally {
	switch phase {
	case types.PhaseAgreed, types.PhasePaid, types.PhaseDelivered:
		return &c.Open
	case types.PhaseReleased:
		return &c.Released
	case types.PhaseSplit:
		return &c.Split
	case types.PhaseSettled:
		return &c.Settled
	case types.PhaseAwarded:
		return &c.Awarded
	case types.PhaseRefunded:
		return &c.Refunded
	case types.PhaseLapsed:
		return &c.Lapsed
	}
	return new(Tally)
}

// count counts a trade of the table in the phase that it has come to, instead of the one that it had there; the zero phase is that of a new row.
// Those in memory are counted by the questions, see [conductOf].
func (b *batch) count(row *tradeRow, before types.Phase) error {
	if before != 0 && trade.Running(before) == trade.Running(row.next.phase) {
		return nil
	}
	price := types.TotalOf(row.price)
	for _, side := range [...]struct {
		party int64
		of    func(*Statistics) *Conduct
	}{{row.producer, asProducer}, {row.consumer, asConsumer}} {
		statistics, err := b.statistics(conductKey{side.party, row.product.Asset})
		if err != nil {
			return err
		}
		conduct := side.of(statistics)
		if before != 0 {
			tally := tallyOf(conduct, before)
			tally.Trades, tally.Value = tally.Trades-1, tally.Value.Sub(price)
		}
		tallyOf(conduct, row.next.phase).add(price)
		if row.next.excused {
			conduct.Excused++
		}
	}
	return nil
}

func asProducer(s *Statistics) *Conduct { return &s.AsProducer }
func asConsumer(s *Statistics) *Conduct { return &s.AsConsumer }

func (t *Tally) add(price types.Total) { t.Trades, t.Value = t.Trades+1, t.Value.Add(price) }

// conductOf counts the trades in memory: those of a party, or of all.
func conductOf(o *open, party *int64) map[conductKey]*Statistics {
	counted := map[conductKey]*Statistics{}
	of := func(party int64, row *tradeRow) *Statistics {
		key := conductKey{party, row.product.Asset}
		if counted[key] == nil {
			counted[key] = &Statistics{Asset: key.asset}
		}
		return counted[key]
	}
	o.visit(party, nil, 0, math.MaxInt64, func(row *tradeRow) bool {
		price := types.TotalOf(row.price)
		if party == nil || *party == row.producer {
			of(row.producer, row).AsProducer.Open.add(price)
		}
		if party == nil || *party == row.consumer {
			of(row.consumer, row).AsConsumer.Open.add(price)
		}
		return true
	})
	return counted
}

// addOpen adds the open trades of other statistics.
func (s *Statistics) addOpen(other *Statistics) {
	for _, of := range []func(*Statistics) *Conduct{asProducer, asConsumer} {
		to, from := &of(s).Open, &of(other).Open
		to.Trades, to.Value = to.Trades+from.Trades, to.Value.Add(from.Value)
	}
}

// statistics returns the statistics of a party, for the batch to change.
func (b *batch) statistics(key conductKey) (*Statistics, error) {
	if b.conduct[key] != nil {
		return b.conduct[key], nil
	}
	found, known := b.memory.conduct.get(key)
	if !known {
		found = &Statistics{Asset: key.asset}
		var sums []byte
		err := b.do.findConduct.QueryRow(key.party, id(key.asset)).Scan(&sums)
		if err == nil {
			err = decodeConduct(sums, found)
		}
		if err != nil && !isNone(err) {
			return nil, err
		}
	}
	b.conduct[key] = found
	return found, nil
}

func (b *batch) writeConduct() error {
	rows := rowWriter{one: b.do.putConduct, some: b.do.putConducts}
	for _, key := range slices.SortedFunc(maps.Keys(b.conduct), compareConduct) {
		if err := rows.add(key.party, bytes.Clone(key.asset[:]), encodeConduct(b.conduct[key])); err != nil {
			return err
		}
		b.memory.conduct.put(key, b.conduct[key])
	}
	return rows.finish()
}

// conductNumbers visits the numbers of a party's statistics in the order in which they are stored.
func conductNumbers(s *Statistics, visit func(*uint64)) {
	for _, conduct := range []*Conduct{&s.AsProducer, &s.AsConsumer} {
		visit(&conduct.Excused)
		for _, tally := range []*Tally{
			&conduct.Open, &conduct.Released, &conduct.Lapsed, &conduct.Refunded, &conduct.Settled, &conduct.Awarded, &conduct.Split,
		} {
			visit(&tally.Trades)
			visit(&tally.Value.Hi)
			visit(&tally.Value.Lo)
		}
	}
}

func encodeConduct(s *Statistics) []byte {
	sums := make([]byte, 0, 64)
	conductNumbers(s, func(n *uint64) { sums = binary.AppendUvarint(sums, *n) })
	return sums
}

func decodeConduct(sums []byte, s *Statistics) error {
	whole := true
	conductNumbers(s, func(n *uint64) {
		value, length := binary.Uvarint(sums)
		*n, sums, whole = value, sums[max(length, 0):], whole && length > 0
	})
	if !whole || len(sums) > 0 {
		return fmt.Errorf("%w: what a party did is not written as it should be", ErrDamaged)
	}
	return nil
}
