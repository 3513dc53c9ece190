package types

import (
	"slices"

	"lockstep/types/canon"
)

// MeterForm says how a meter signs its readings.
type MeterForm uint8

// The forms of signed readings; see package meter.
const (
	FormOCMF   MeterForm = 1
	FormNative MeterForm = 2
)

var formNames = map[MeterForm]string{FormOCMF: "ocmf", FormNative: "native"} //nolint:gochecknoglobals // a constant table

func (f MeterForm) String() string { return formNames[f] }

// MarshalText writes the form's name.
func (f MeterForm) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads a form's name.
func (f *MeterForm) UnmarshalText(text []byte) error {
	return unmarshalName(f, formNames, text, "a form of readings")
}

// Point is a connection point as an operator enrolled it: one place where energy flows, measured by one meter at a time.
// Its owner sells energy there; a trade names the point and a direction (docs/adr/0019).
type Point struct {
	_         struct{}     `cbor:",toarray"`
	Owner     PublicKey    `json:"owner"`
	Parent    PointID      `json:"parent,omitzero"` // of a sub-meter: the point behind which it measures
	Meters    []PointMeter `json:"meters"`          // in order of From; the first one names the point
	RetiredAt Time         `json:"retired_at,omitzero"`
	// Counts of the points below this one that sell a direction, so that a change of the tree reads the ancestors alone.
	ImportBelow Below `json:"import_below"`
	ExportBelow Below `json:"export_below"`
}

// PointMeter is the meter of a point from a moment on: its key, and its registers that count in each direction.
type PointMeter struct {
	_      struct{}  `cbor:",toarray"`
	From   Time      `json:"from,omitzero"` // block time, the beginning of a slot; zero: from the beginning of the point
	Form   MeterForm `json:"form"`
	Key    HexBytes  `json:"key"`    // SubjectPublicKeyInfo in DER, the point uncompressed
	Serial string    `json:"serial"` // as the meter writes it in its records; empty for the native form, where the key is the meter
	// The registers that count in each direction, by their one name (see package meter): none, a total, or disjoint tariffs.
	Import []string `json:"import"`
	Export []string `json:"export"`
}

// Below counts the points below another one that sell a direction.
type Below struct {
	_     struct{} `cbor:",toarray"`
	Open  uint32   `json:"open"`           // with no end in sight
	Until Time     `json:"until,omitzero"` // the latest moment until which one of the others does
}

// Bounds of a registry.
const (
	MaxSerial    = 64  // bytes
	MaxRegisters = 4   // tariffs of a direction, so that one reading holds a native record of each
	MaxExchanges = 64  // meters that one point has in all its time
	MaxDepth     = 8   // points on a path, the uppermost included
	maxMeterKey  = 256 // bytes
	maxRegister  = 24  // bytes
)

// ID is the name of the point whose first meter this is: the hash of its key and its serial number. Each of them has one
// form, so one meter can't stand under two names.
func (m *PointMeter) ID() PointID {
	return canon.Digest(domainPoint, &meterIdentity{Key: m.Key, Serial: m.Serial})
}

// meterIdentity names a meter for ever.
type meterIdentity struct {
	Key    HexBytes
	Serial string
}

// Fields lists the parts that are hashed.
func (m *meterIdentity) Fields(c *canon.Coder) {
	c.Array(2)
	canon.Blob(c, "key", &m.Key)
	canon.Text(c, "serial number", &m.Serial)
}

// Registers are those that count in a direction.
func (m *PointMeter) Registers(d Direction) []string {
	switch d {
	case DirectionImport:
		return m.Import
	case DirectionExport:
		return m.Export
	}
	return nil
}

// Check reports a form that is not known or a part out of bounds; whether key and registers are good, the ledger finds out.
func (m *PointMeter) Check() error {
	if _, known := formNames[m.Form]; !known {
		return Refuse(CodeMeterForm, "the form %d of readings is neither OCMF nor native", m.Form)
	}
	if len(m.Key) == 0 || len(m.Key) > maxMeterKey {
		return Refuse(CodeMeterForm, "a meter's key has 1 to %d bytes, this has %d", maxMeterKey, len(m.Key))
	}
	if err := CheckText("serial number", m.Serial, MaxSerial); err != nil {
		return err
	}
	if native := m.Form == FormNative; native != (m.Serial == "") {
		if native {
			return Refuse(CodeMeterForm, "a gateway of the native form has a key for each meter, so it has no serial number: %q", m.Serial)
		}
		return Refuse(CodeMeterForm, "an OCMF meter needs its serial number, as its records write it (MS)")
	}
	for _, registers := range [][]string{m.Import, m.Export} {
		if len(registers) > MaxRegisters {
			return Refuse(CodeMeterForm, "%d registers count in one direction, at most %d can", len(registers), MaxRegisters)
		}
		for _, register := range registers {
			if err := CheckText("register", register, maxRegister); err != nil {
				return err
			}
		}
	}
	return nil
}

// ID names the point.
func (p *Point) ID() PointID { return p.Meters[0].ID() }

// MeterAt is the meter that the point has at a moment of block time. It is false before the first one.
func (p *Point) MeterAt(at Time) (*PointMeter, bool) {
	for i, m := range slices.Backward(p.Meters) {
		if m.From <= at {
			return &p.Meters[i], true
		}
	}
	return nil, false
}

// RegistersAt are the registers that count in a direction at a moment of block time, none if the direction is not sold there.
func (p *Point) RegistersAt(d Direction, at Time) []string {
	if m, ok := p.MeterAt(at); ok {
		return m.Registers(d)
	}
	return nil
}

// Last is the meter that the point has in the end.
func (p *Point) Last() *PointMeter { return &p.Meters[len(p.Meters)-1] }

// SellsFrom reports whether the point sells a direction at any moment from one on. The trades of a retired point go on, at most
// until the horizon after its retirement.
func (p *Point) SellsFrom(d Direction, from Time, horizon Duration) bool {
	if p.RetiredAt != 0 && from >= p.RetiredAt.Add(horizon) {
		return false
	}
	if len(p.RegistersAt(d, from)) > 0 {
		return true
	}
	return slices.ContainsFunc(p.Meters, func(m PointMeter) bool { return m.From > from && len(m.Registers(d)) > 0 })
}

// Below returns the count of the points below that sell a direction.
func (p *Point) Below(d Direction) *Below {
	if d == DirectionImport {
		return &p.ImportBelow
	}
	return &p.ExportBelow
}

// Slot holds the trades of one flow in one slot, and the readings of it: the claims of those that were delivered, the number of the others,
// and the offers in an auction.
type Slot struct {
	_        struct{}      `cbor:",toarray"`
	Flow     Flow          `json:"flow"`
	From     Time          `json:"from"`
	Until    Time          `json:"until"`
	Claims   []Claim       `json:"claims"` // in order: of the block that recorded the agreement, then of the trade ID
	Readings []SlotReading `json:"readings"`
	Open     uint16        `json:"open"`   // claims whose trade is not over
	Agreed   uint32        `json:"agreed"` // agreements recorded directly whose trade is neither delivered nor over
	// Product is the auction in which the point sells the slot, alone; zero when none. Orders are its offers there that stand, Sold those
	// that have left their book with a match.
	Product ProductID `json:"product,omitzero"`
	Orders  uint8     `json:"orders,omitzero"`
	Sold    uint8     `json:"sold,omitzero"`
}

// Claim is the place of a delivered trade in its slot. It keeps it, however the trade ends.
type Claim struct {
	_         struct{} `cbor:",toarray"`
	Height    uint64   `json:"height"` // of the block that recorded the agreement
	Trade     TradeID  `json:"trade"`
	Quantity  uint64   `json:"quantity"`
	ReadingBy Time     `json:"reading_by"`
}

// SlotReading is a part of a slot for which a signed reading is known. The parts of a slot never overlap.
type SlotReading struct {
	_        struct{} `cbor:",toarray"`
	At       Time     `json:"at"` // ledger clock
	From     Time     `json:"from"`
	Until    Time     `json:"until"`
	Quantity uint64   `json:"quantity"` // whole Wh
}

// Bounds of a slot, which keep the cost of a settlement bounded.
const (
	MaxClaims       = 256
	MaxReadings     = 96
	MaxRecords      = 4    // signed records in one reading
	MaxRecordLength = 8192 // bytes
)
