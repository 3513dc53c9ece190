package index

import (
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"math/big"

	"lockstep/types"
)

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

// total is a [types.Total] as the database has it: 16 bytes, since SQLite's integers have 63 bits for a sum.
type total types.Total

// Value implements [driver.Valuer].
func (t total) Value() (driver.Value, error) {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, t.Hi), t.Lo), nil
}

// Scan implements [database/sql.Scanner].
func (t *total) Scan(value any) error {
	bytes, ok := value.([]byte)
	if !ok || len(bytes) != 16 {
		return fmt.Errorf("%w: a total is written as %T", ErrDamaged, value)
	}
	*t = total{Hi: binary.BigEndian.Uint64(bytes), Lo: binary.BigEndian.Uint64(bytes[8:])}
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
func quotient(value, volume types.Total) string {
	if volume == (types.Total{}) {
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
