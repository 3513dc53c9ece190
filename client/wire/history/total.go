package history

import (
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"math/bits"

	"lockstep/types"
)

// ErrStored is that a database has something else where a total should be.
var ErrStored = errors.New("what is stored is no total")

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
		return fmt.Errorf("%w: it is a %T", ErrStored, value)
	}
	*t = totalFrom(bytes)
	return nil
}
