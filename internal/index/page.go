package index

import (
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math"

	"lockstep/types"
)

// Page asks for a part of a list: the first when After is empty, else the part after the page with that Next.
type Page struct {
	After string
	Limit int // how many at most; zero for DefaultLimit
}

// How many entries a page has when it does not say, and at most.
const (
	DefaultLimit = 100
	MaxLimit     = 500
)

func (p Page) limit() (int, error) {
	switch {
	case p.Limit == 0:
		return DefaultLimit, nil
	case p.Limit < 0 || p.Limit > MaxLimit:
		return 0, types.Refuse(types.CodeMalformed, "a page has 1 to %d entries, not %d", MaxLimit, p.Limit)
	}
	return p.Limit, nil
}

// The lists, so that the cursor of one is not taken for that of another.
const (
	listTrades   = 't'
	listAuctions = 'a'
	listVolumes  = 'v'
	listFills    = 'f'
	listMember   = 'm'
)

// cursorText is a place in a list as it is handed out.
func cursorText(list byte, place ...int64) string {
	bytes := []byte{list}
	for _, n := range place {
		bytes = binary.BigEndian.AppendUint64(bytes, uint64(n))
	}
	return base64.RawURLEncoding.EncodeToString(bytes)
}

// parseCursor reads a place of so many numbers; those given, when there is no cursor.
func parseCursor(text string, list byte, first ...int64) ([]int64, error) {
	if text == "" {
		return first, nil
	}
	bytes, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(bytes) != 1+8*len(first) || bytes[0] != list {
		return nil, types.Refuse(types.CodeMalformed, "%.80q is not a place in this list: pass the 'next' of the last page", text)
	}
	place := make([]int64, len(first))
	for i := range place {
		place[i] = int64(binary.BigEndian.Uint64(bytes[1+8*i:]))
	}
	return place, nil
}

// smaller and larger compare places of two numbers.
func smaller(a, b []int64) []int64 {
	if a[0] < b[0] || a[0] == b[0] && a[1] < b[1] {
		return a
	}
	return b
}

func larger(a, b []int64) []int64 {
	if s := smaller(a, b); s[0] == a[0] && s[1] == a[1] {
		return b
	}
	return a
}

// moment is a bound of time as the database can compare it; times beyond the last that a ledger knows are all alike.
func moment(t types.Time) int64 { return int64(min(t, types.MaxTime+1)) }

// untilMoment is an upper bound, none when it is zero.
func untilMoment(t types.Time) int64 {
	if t == 0 {
		return math.MaxInt64
	}
	return moment(t)
}

// collect reads the rows of a page and tells whether more follow: one more was asked for.
func collect[T any](rows *sql.Rows, limit int, scan func(*T) error) (list []T, more bool, err error) {
	list = []T{}
	for rows.Next() {
		if len(list) == limit {
			more = true
			break
		}
		var entry T
		if err = scan(&entry); err != nil {
			break
		}
		list = append(list, entry)
	}
	return list, more, errors.Join(err, rows.Err(), rows.Close())
}

// toWords and fromWords turn an ID into numbers of a cursor and back.
func toWords[I ~[32]byte](of I) (words []int64) {
	for i := 0; i < len(of); i += 8 {
		words = append(words, int64(binary.BigEndian.Uint64(of[i:])))
	}
	return words
}

func fromWords(words []int64) (of id) {
	for i, word := range words {
		binary.BigEndian.PutUint64(of[8*i:], uint64(word))
	}
	return of
}
