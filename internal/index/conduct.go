package index

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
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

// count counts a trade in the phase that it has come to instead of the one that it had; the zero phase is that of a new one.
func (b *batch) count(row *tradeRow, next progress) error {
	if row.phase != 0 && trade.Running(row.phase) == trade.Running(next.phase) {
		return nil
	}
	for role, party := range map[Role]int64{Producer: row.producer, Consumer: row.consumer} {
		statistics, err := b.statistics(conductKey{party, row.product.Asset})
		if err != nil {
			return err
		}
		conduct, price := &statistics.AsProducer, types.TotalOf(row.price)
		if role == Consumer {
			conduct = &statistics.AsConsumer
		}
		if row.phase != 0 {
			tally := tallyOf(conduct, row.phase)
			tally.Trades, tally.Value = tally.Trades-1, tally.Value.Sub(price)
		}
		tally := tallyOf(conduct, next.phase)
		tally.Trades, tally.Value = tally.Trades+1, tally.Value.Add(price)
		if next.excused {
			conduct.Excused++
		}
	}
	return nil
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
	for _, key := range slices.SortedFunc(maps.Keys(b.conduct), compareConduct) {
		if _, err := b.do.putConduct.Exec(key.party, id(key.asset), encodeConduct(b.conduct[key])); err != nil {
			return err
		}
		b.memory.conduct.put(key, b.conduct[key])
	}
	return nil
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

func encodeConduct(s *Statistics) (sums []byte) {
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
