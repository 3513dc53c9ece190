package types

import "crypto/sha256"

// Member is somebody whom an operator vouches for by name.
type Member struct {
	_    struct{}  `cbor:",toarray"`
	Key  PublicKey `json:"key"`
	Name string    `json:"name"`
}

// MeterForm says how a meter signs its readings.
type MeterForm uint8

// The forms of signed readings; see package meter.
const (
	FormOCMF   MeterForm = 1
	FormNative MeterForm = 2
)

var formNames = map[MeterForm]string{FormOCMF: "ocmf", FormNative: "native"}

func (f MeterForm) String() string { return formNames[f] }

// MarshalText writes the form's name.
func (f MeterForm) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads a form's name.
func (f *MeterForm) UnmarshalText(text []byte) error {
	return unmarshalName(f, formNames, text, "a form of readings")
}

// RegisteredMeter is a meter as an operator enrolled it: once, ever, for one member.
type RegisteredMeter struct {
	_     struct{}  `cbor:",toarray"`
	Form  MeterForm `json:"form"`
	Key   HexBytes  `json:"key"` // SubjectPublicKeyInfo in DER, the point uncompressed
	Owner PublicKey `json:"owner"`
	// RetiredAt is the ledger clock's moment from which new agreements can't name the meter; zero while they can.
	RetiredAt Time `json:"retired_at"`
}

const maxMeterKey = 256

// ID is the meter's name on the ledger. A key has one canonical form, so it can't come twice under two names.
func (m *RegisteredMeter) ID() MeterID { return sha256.Sum256(m.Key) }

// Check reports a form that is not known or a key out of bounds; whether it is a key, the ledger finds out.
func (m *RegisteredMeter) Check() error {
	if _, known := formNames[m.Form]; !known || len(m.Key) == 0 || len(m.Key) > maxMeterKey || m.RetiredAt != 0 {
		return Refuse(CodeMeterForm, "a meter needs a form and a key of at most %d bytes", maxMeterKey)
	}
	return nil
}

// Slot is what is known of one gauge in one slot: which trades were delivered on it, and what was read.
type Slot struct {
	_        struct{}      `cbor:",toarray"`
	Gauge    Gauge         `json:"gauge"`
	From     Time          `json:"from"`
	Until    Time          `json:"until"`
	Claims   []Claim       `json:"claims"` // in order: of the block that recorded the agreement, then of the trade ID
	Readings []SlotReading `json:"readings"`
	Open     uint16        `json:"open"` // claims whose trade is not over
}

// Claim is the place of a delivered trade in its slot. It keeps it, however the trade ends.
type Claim struct {
	_         struct{} `cbor:",toarray"`
	Height    uint64   `json:"height"` // of the block that recorded the agreement
	Trade     TradeID  `json:"trade"`
	Quantity  uint64   `json:"quantity"`
	ReadingBy Time     `json:"reading_by"`
}

// SlotReading is a stretch of a slot for which a signed reading is known. Stretches never overlap.
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
