package canon_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"reflect"
	"strings"
	"testing"

	"lockstep/types/canon"
)

// One type for each thing that there is a form for. That whole domain types agree with an encoder that knows nothing of
// this one is shown in package types.
type (
	number uint64
	small  uint8
	text   string
	blob   []byte
	list   []number
)

func (n *number) Fields(c *canon.Coder) { canon.Number(c, "number", n) }
func (s *small) Fields(c *canon.Coder)  { canon.Number(c, "number", s) }
func (t *text) Fields(c *canon.Coder)   { canon.Text(c, "text", t) }
func (b *blob) Fields(c *canon.Coder)   { canon.Blob(c, "blob", b) }
func (l *list) Fields(c *canon.Coder)   { canon.List(c, "numbers", (*[]number)(l), (*number).Fields) }

type longList []number

const mostOfLongList = canon.MaxEntries + 2

func (l *longList) Fields(c *canon.Coder) {
	canon.LongList(c, "numbers", (*[]number)(l), mostOfLongList, (*number).Fields)
}

func ptr[T any](v T) *T { return &v }

// Source: RFC 8949, appendix A, as far as the types go.
func TestRFC8949(t *testing.T) {
	t.Parallel()
	var upTo25 list
	for i := range number(25) {
		upTo25 = append(upTo25, i+1)
	}
	for encoded, v := range map[string]canon.Value{
		"00": ptr(number(0)), "01": ptr(number(1)), "0a": ptr(number(10)), "17": ptr(number(23)), "1818": ptr(number(24)), "1819": ptr(number(25)),
		"1864": ptr(number(100)), "1903e8": ptr(number(1000)), "1a000f4240": ptr(number(1_000_000)),
		"1b000000e8d4a51000": ptr(number(1_000_000_000_000)), "1bffffffffffffffff": ptr(number(math.MaxUint64)),
		"40": &blob{}, "4401020304": &blob{1, 2, 3, 4},
		"60": ptr(text("")), "6161": ptr(text("a")), "6449455446": ptr(text("IETF")), "62225c": ptr(text(`"\`)), "62c3bc": ptr(text("ü")),
		"63e6b0b4": ptr(text("水")), "64f0908591": ptr(text("𐅑")),
		"80": &list{}, "83010203": &list{1, 2, 3}, "98190102030405060708090a0b0c0d0e0f101112131415161718181819": &upTo25,
	} {
		raw, err := hex.DecodeString(encoded)
		if err != nil {
			t.Fatal(err)
		}
		if got := canon.Encode(v); !bytes.Equal(got, raw) {
			t.Errorf("%v is written as %x, want %s", reflect.ValueOf(v).Elem(), got, encoded)
		}
		read := reflect.New(reflect.TypeOf(v).Elem()).Interface().(canon.Value)
		if err := canon.Decode(raw, read); err != nil || !reflect.DeepEqual(read, v) {
			t.Errorf("%s is read as %v (%v), want %v", encoded, reflect.ValueOf(read).Elem(), err, reflect.ValueOf(v).Elem())
		}
		for cut := range raw {
			if canon.Decode(raw[:cut], read) == nil {
				t.Errorf("%x, the beginning of %s, is accepted", raw[:cut], encoded)
			}
		}
		if err := canon.Decode(append(raw, 0), read); err == nil || !strings.Contains(err.Error(), "1 bytes too many") {
			t.Errorf("%s with a byte more: %v", encoded, err)
		}
	}
}

// Numbers change their form at the edges of 1, 2, 4 and 8 bytes; one of a small type must fit it.
func TestNumberEdges(t *testing.T) {
	t.Parallel()
	for _, edge := range []uint64{0, 24, 1 << 8, 1 << 16, 1 << 32} {
		for _, n := range []number{number(edge - 1), number(edge), number(edge + 1)} {
			var read number
			if err := canon.Decode(canon.Encode(&n), &read); err != nil || read != n {
				t.Errorf("%d is read as %d (%v)", n, read, err)
			}
			var least small
			if err := canon.Decode(canon.Encode(&n), &least); (err == nil) != (n <= math.MaxUint8) {
				t.Errorf("%d in a byte: %v", n, err)
			}
		}
	}
}

// A list is read up to its bound, not beyond.
func TestLongList(t *testing.T) {
	t.Parallel()
	numbers := make(longList, mostOfLongList)
	var read longList
	if err := canon.Decode(canon.Encode(&numbers), &read); err != nil || len(read) != len(numbers) {
		t.Errorf("%d of %d numbers are read (%v)", len(read), len(numbers), err)
	}
	short := list(numbers)
	if err := canon.Decode(canon.Encode(&numbers), &short); err == nil || !strings.Contains(err.Error(), "at most 8192") {
		t.Errorf("a list takes %d numbers: %v", len(numbers), err)
	}
	numbers = append(numbers, 0)
	if err := canon.Decode(canon.Encode(&numbers), &read); err == nil || !strings.Contains(err.Error(), "at most 8194") {
		t.Errorf("a long list takes %d numbers: %v", len(numbers), err)
	}
}

// FuzzDecode: bytes are refused, or they are the encoding of their value.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{0x83, 1, 2, 3})
	f.Add([]byte{0x1b, 0, 0, 0, 1, 0, 0, 0, 0})
	f.Add([]byte{0x63, 0xe6, 0xb0, 0xb4})
	f.Fuzz(func(t *testing.T, encoded []byte) {
		for _, v := range []canon.Value{new(number), new(small), new(text), new(blob), new(list)} {
			if canon.Decode(encoded, v) == nil && !bytes.Equal(canon.Encode(v), encoded) {
				t.Errorf("%x is accepted as %v and written as %x", encoded, v, canon.Encode(v))
			}
		}
	})
}

// TestEncodeKeepsWhatItReturned encodes one value after the other: the memory that serves again is none that was returned.
func TestEncodeKeepsWhatItReturned(t *testing.T) {
	t.Parallel()
	values := []*list{{1, 2}, {1 << 40}, {}, {7, 7, 7}}
	want := []string{"820102", "811b0000010000000000", "80", "83070707"}
	var got [][]byte
	for _, value := range values {
		got = append(got, canon.Encode(value))
	}
	for i := range values {
		if hex.EncodeToString(got[i]) != want[i] {
			t.Errorf("value %d is %x, not %s", i, got[i], want[i])
		}
	}
}

// TestDigest: a digest is that of the prefix and the encoding, with any earlier content of the memory.
func TestDigest(t *testing.T) {
	t.Parallel()
	for _, value := range []*list{{1, 2, 1 << 40}, {}, {3}} {
		for _, prefix := range []string{"a domain", ""} {
			if got, want := canon.Digest(prefix, value), sha256.Sum256(append([]byte(prefix), canon.Encode(value)...)); got != want {
				t.Errorf("%q and %v have the digest %x, not %x", prefix, *value, got, want)
			}
		}
	}
}
