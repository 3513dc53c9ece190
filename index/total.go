package index

import (
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"math/big"
	"math/bits"

	"lockstep/types"
)

// Total is a sum of amounts or of quantities, in 128 bits: 2^64 of the largest of them fit, so that it is always exact.
// In JSON and text it is a decimal number.
type Total struct{ Hi, Lo uint64 }

// TotalOf is the total of one number.
func TotalOf[N ~uint64](n N) Total { return Total{Lo: uint64(n)} }

// Add returns t+u.
func (t Total) Add(u Total) Total {
	lo, carry := bits.Add64(t.Lo, u.Lo, 0)
	hi, _ := bits.Add64(t.Hi, u.Hi, carry)
	return Total{hi, lo}
}

// Sub returns t-u; u is a part of t.
func (t Total) Sub(u Total) Total {
	lo, borrow := bits.Sub64(t.Lo, u.Lo, 0)
	hi, _ := bits.Sub64(t.Hi, u.Hi, borrow)
	return Total{hi, lo}
}

// Big is the total as a number of any size.
func (t Total) Big() *big.Int {
	n := new(big.Int).SetUint64(t.Hi)
	return n.Or(n.Lsh(n, 64), new(big.Int).SetUint64(t.Lo))
}

func (t Total) String() string { return t.Big().String() }

// MarshalText writes a decimal number.
func (t Total) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads a decimal number.
func (t *Total) UnmarshalText(text []byte) error {
	n, ok := new(big.Int).SetString(string(text), 10)
	if !ok || n.Sign() < 0 || n.BitLen() > 128 || n.String() != string(text) {
		return types.Refuse(types.CodeMalformed, "%.80q is not a total: a whole number of smallest units below 2^128 is needed", text)
	}
	var bytes [16]byte
	n.FillBytes(bytes[:])
	*t = totalFrom(bytes[:])
	return nil
}

func totalFrom(bytes []byte) Total {
	return Total{binary.BigEndian.Uint64(bytes), binary.BigEndian.Uint64(bytes[8:])}
}

// Value implements [driver.Valuer]. SQLite's integers have 63 bits for a sum, so a total is written as 16 bytes.
func (t Total) Value() (driver.Value, error) {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, t.Hi), t.Lo), nil
}

// Scan implements [database/sql.Scanner].
func (t *Total) Scan(value any) error {
	bytes, ok := value.([]byte)
	if !ok || len(bytes) != 16 {
		return fmt.Errorf("%w: a total is written as %T", ErrDamaged, value)
	}
	*t = totalFrom(bytes)
	return nil
}

// amount is a [types.Amount] as the database has it: 8 bytes, since SQLite's integers end at 2^63.
type amount types.Amount

// Value implements [driver.Valuer].
func (a amount) Value() (driver.Value, error) {
	return binary.BigEndian.AppendUint64(nil, uint64(a)), nil
}

// Scan implements [database/sql.Scanner].
func (a *amount) Scan(value any) error {
	bytes, ok := value.([]byte)
	if !ok || len(bytes) != 8 {
		return fmt.Errorf("%w: an amount is written as %T", ErrDamaged, value)
	}
	*a = amount(binary.BigEndian.Uint64(bytes))
	return nil
}

// id is any 32 bytes of the protocol, as the database has them.
type id [32]byte

// Value implements [driver.Valuer].
func (i id) Value() (driver.Value, error) { return i[:], nil }

// Scan implements [database/sql.Scanner].
func (i *id) Scan(value any) error {
	bytes, ok := value.([]byte)
	if !ok || len(bytes) != len(i) {
		return fmt.Errorf("%w: an ID is written as %T", ErrDamaged, value)
	}
	copy(i[:], bytes)
	return nil
}

// quotient is value/volume as a decimal number, rounded to nine places; "" when there is no volume.
func quotient(value, volume Total) string {
	if volume == (Total{}) {
		return ""
	}
	return decimal(new(big.Rat).SetFrac(value.Big(), volume.Big()), 9)
}

// decimal writes a fraction with as many places as it needs, at most so many.
func decimal(r *big.Rat, places int) string {
	text := r.FloatString(places)
	end := len(text)
	for text[end-1] == '0' {
		end--
	}
	if text[end-1] == '.' {
		end--
	}
	return text[:end]
}

// exactPlaces hold the middle of two rates, each of at most [types.MaxExponent] places.
const exactPlaces = types.MaxExponent + 1
