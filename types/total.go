package types

import (
	"encoding/binary"
	"math/big"
	"math/bits"
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
		return Refuse(CodeMalformed, "%.80q is not a total: a whole number of smallest units below 2^128 is needed", text)
	}
	var bytes [16]byte
	n.FillBytes(bytes[:])
	*t = Total{binary.BigEndian.Uint64(bytes[:]), binary.BigEndian.Uint64(bytes[8:])}
	return nil
}
