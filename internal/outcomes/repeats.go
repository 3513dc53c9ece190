package outcomes

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// The leaves of a segment repeat IDs: of trades, transactions, keys and assets. They are random bytes, and the leaves of a trade stand far apart, so a packed segment has a
// table of the IDs that occur again, and its chunks have places in this table instead.

const (
	idMark   = "\x58\x20" // begins each string of 32 bytes in the canonical encoding
	idLength = 32
	mostIDs  = 1 << 18 // of a segment that are looked at: one of trades alone has some 150,000
)

// repeats are the IDs of a segment. All chunks are counted, the table is made, and then the IDs of all chunks are taken in the same order.
type repeats struct {
	numbers map[[idLength]byte]uint32 // of each ID, by its first place
	ids     [][idLength]byte          // by their numbers
	again   []bool                    // the ID occurs again
	found   []uint32                  // the number of the ID at each place where one stands; noNumber behind the bound
	places  []uint32                  // of the IDs in the table
	table   []byte                    // concatenated
}

const noNumber = mostIDs

func newRepeats() *repeats { return &repeats{numbers: make(map[[idLength]byte]uint32, mostIDs/2)} }

// nextID returns where the next ID begins, from a place on; -1 when there is none. Other bytes may look like an ID, which does no harm.
func nextID(content []byte, from int) int {
	at := bytes.Index(content[from:], []byte(idMark))
	if at < 0 || from+at+len(idMark)+idLength > len(content) {
		return -1
	}
	return from + at + len(idMark)
}

// count takes up the IDs of a chunk.
func (r *repeats) count(chunk []byte) {
	for at := nextID(chunk, 0); at >= 0; at = nextID(chunk, at+idLength) {
		id := [idLength]byte(chunk[at:])
		number, known := r.numbers[id]
		switch {
		case known:
			r.again[number] = true
		case len(r.ids) < mostIDs:
			number = uint32(len(r.ids))
			r.numbers[id], r.ids, r.again = number, append(r.ids, id), append(r.again, false)
		default:
			number = noNumber
		}
		r.found = append(r.found, number)
	}
}

// finish makes the table, once all chunks are counted.
func (r *repeats) finish() {
	r.numbers = nil
	r.places = make([]uint32, len(r.ids))
	for number, again := range r.again {
		if again {
			r.places[number] = uint32(len(r.table) / idLength)
			r.table = append(r.table, r.ids[number][:]...)
		}
	}
}

// take returns the next chunk with places instead of the IDs of the table: their number; the bytes before each; each place less the one before, which is small since chunks often have IDs in the
// same order; and all other bytes.
func (r *repeats) take(chunk []byte) []byte {
	var gaps, places []byte
	rest := make([]byte, 0, len(chunk))
	count, done, last := 0, 0, int64(0)
	for at := nextID(chunk, 0); at >= 0; at = nextID(chunk, at+idLength) {
		number := r.found[0]
		r.found = r.found[1:]
		if number == noNumber || !r.again[number] {
			continue
		}
		place := int64(r.places[number])
		gaps, places = binary.AppendUvarint(gaps, uint64(at-done)), binary.AppendVarint(places, place-last)
		rest = append(rest, chunk[done:at]...)
		count, done, last = count+1, at+idLength, place
	}
	taken := append(binary.AppendUvarint(nil, uint64(count)), gaps...)
	return append(append(append(taken, places...), rest...), chunk[done:]...)
}

var errRepeats = errors.New("its places in the table of IDs are damaged")

// checkTable refuses a table that is none.
func checkTable(table []byte) error {
	if len(table)%idLength != 0 {
		return errRepeats
	}
	return nil
}

// putBack returns the chunk of which [repeats.take] made some bytes, if it has the wanted length.
func putBack(taken, table []byte, want uint64) ([]byte, error) {
	count, read := binary.Uvarint(taken)
	if read <= 0 || count > want/idLength {
		return nil, errRepeats
	}
	taken = taken[read:]
	gaps := make([]uint64, count)
	for i := range gaps {
		if gaps[i], read = binary.Uvarint(taken); read <= 0 {
			return nil, errRepeats
		}
		taken = taken[read:]
	}
	places := make([]int64, count)
	last, all := int64(0), int64(len(table)/idLength)
	for i := range places {
		step, read := binary.Varint(taken)
		if read <= 0 || step < -last || step >= all-last {
			return nil, errRepeats
		}
		last += step
		places[i], taken = last, taken[read:]
	}
	if uint64(len(taken))+count*idLength != want {
		return nil, errRepeats
	}
	chunk := make([]byte, 0, want)
	for i, gap := range gaps {
		if gap > uint64(len(taken)) {
			return nil, errRepeats
		}
		chunk = append(append(chunk, taken[:gap]...), table[places[i]*idLength:(places[i]+1)*idLength]...)
		taken = taken[gap:]
	}
	return append(chunk, taken...), nil
}
