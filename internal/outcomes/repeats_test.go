package outcomes

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestRepeats draws segments of few IDs and of bytes that look like IDs. Each chunk is put back as it was, and an ID that repeats stands in the table once.
func TestRepeats(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		piece := rapid.OneOf(
			rapid.Map(rapid.IntRange(0, 4), func(id int) string { return idMark + strings.Repeat(fmt.Sprint(id), idLength) }),
			rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 40), func(other []byte) string { return string(other) }),
			rapid.Just(idMark),
		)
		var chunks [][]byte
		r := newRepeats()
		for range rapid.IntRange(1, 4).Draw(t, "chunks") {
			chunk := []byte(strings.Join(rapid.SliceOfN(piece, 0, 20).Draw(t, "chunk"), ""))
			chunks = append(chunks, chunk)
			r.count(chunk)
		}
		r.finish()
		for _, chunk := range chunks {
			taken := r.take(chunk)
			back, err := putBack(taken, r.table, uint64(len(chunk)))
			if err != nil || !bytes.Equal(back, chunk) {
				t.Fatalf("%x is put back as %x (%v)", chunk, back, err)
			}
		}
		listed := map[string]bool{}
		for at := 0; at < len(r.table); at += idLength {
			id := string(r.table[at : at+idLength])
			if listed[id] {
				t.Fatalf("the table has %x twice", id)
			}
			listed[id] = true
		}
	})
}

// TestRepeatedIDs: an ID that repeats takes few bytes, another one stays where it is.
func TestRepeatedIDs(t *testing.T) {
	t.Parallel()
	id := func(n byte) string { return idMark + strings.Repeat(string(n), idLength) }
	first, second := []byte("a"+id(1)+"b"+id(2)+"c"), []byte(id(1)+id(3)+"d"+id(1))
	r := newRepeats()
	r.count(first)
	r.count(second)
	r.finish()
	if want := strings.Repeat("\x01", idLength); string(r.table) != want {
		t.Errorf("the table is %x, want %x", r.table, want)
	}
	for _, c := range []struct {
		chunk []byte
		taken string
	}{
		{first, "\x01\x03\x00a" + idMark + "b" + id(2) + "c"},
		{second, "\x02\x02\x25\x00\x00" + idMark + id(3) + "d" + idMark},
	} {
		if taken := r.take(c.chunk); string(taken) != c.taken {
			t.Errorf("%x is taken as %x, want %x", c.chunk, taken, c.taken)
		}
	}
}

// TestDamagedRepeats gives each kind of damage an error.
func TestDamagedRepeats(t *testing.T) {
	t.Parallel()
	table := []byte(strings.Repeat("\x01", idLength) + strings.Repeat("\x02", idLength))
	for name, c := range map[string]struct {
		taken string
		want  uint64
	}{
		"nothing":             {"", 0},
		"too many IDs":        {"\x02\x00\x00\x00\x00", 40},
		"no gap":              {"\x01", 32},
		"no place":            {"\x01\x00", 32},
		"a place before all":  {"\x01\x00\x01", 32},
		"a place behind all":  {"\x01\x00\x04", 32},
		"a gap behind all":    {"\x01\x05\x00rest", 36},
		"another length":      {"\x01\x00\x00rest", 35},
		"a place far too far": {"\x01\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 32},
	} {
		if chunk, err := putBack([]byte(c.taken), table, c.want); err == nil {
			t.Errorf("%s: %x", name, chunk)
		}
	}
	if chunk, err := putBack([]byte("\x01\x04\x02rest"), table, 36); err != nil || string(chunk) != "rest"+strings.Repeat("\x02", idLength) {
		t.Errorf("the last place: %x (%v)", chunk, err)
	}
	if checkTable(table) != nil || checkTable(table[1:]) == nil {
		t.Error("a table of a part of an ID is taken")
	}
}

// FuzzPutBack: bytes are refused, or have the wanted length.
func FuzzPutBack(f *testing.F) {
	f.Add([]byte("\x01\x04\x02rest"), []byte(strings.Repeat("\x01", 2*idLength)), uint16(36))
	f.Fuzz(func(t *testing.T, taken, table []byte, want uint16) {
		if chunk, err := putBack(taken, table, uint64(want)); err == nil && len(chunk) != int(want) {
			t.Errorf("%d bytes instead of %d", len(chunk), want)
		}
	})
}

// TestManyIDs: IDs behind the bound stay where they are, however often they occur.
func TestManyIDs(t *testing.T) {
	t.Parallel()
	var chunk []byte
	id := func(n int) { chunk = fmt.Appendf(chunk, idMark+"%032d", n) }
	for n := range mostIDs + 1 {
		id(n)
	}
	for _, n := range []int{mostIDs - 1, mostIDs, mostIDs} {
		id(n)
	}
	r := newRepeats()
	r.count(chunk)
	r.finish()
	if want := fmt.Sprintf("%032d", mostIDs-1); string(r.table) != want {
		t.Errorf("the table has %d IDs, %.64q, want %s", len(r.table)/idLength, r.table, want)
	}
	if back, err := putBack(r.take(chunk), r.table, uint64(len(chunk))); err != nil || !bytes.Equal(back, chunk) {
		t.Errorf("%d bytes are put back as %d (%v)", len(chunk), len(back), err)
	}
}
