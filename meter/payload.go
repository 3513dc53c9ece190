package meter

import (
	"encoding/hex"
	"strconv"
	"strings"
)

// A Payload is the payload section (standard, tables 1 to 7). Fields of the standard that neither billing nor the
// ledger needs, and those of vendors, are left out; they are signed all the same, as bytes.
type Payload struct {
	FormatVersion string // FV
	GatewaySerial string // GS
	MeterSerial   string // MS
	MeterVendor   string // MV
	MeterModel    string // MM
	ChargePoint   string // CI

	Identified          bool   // IS: a user is assigned
	IdentificationLevel string // IL, table 11
	IdentificationType  string // IT, table 17
	Identification      string // ID: free text; may carry a trade's identifier, see TradeID

	Page      Page
	PageFault error // not nil: why Page is not to be used (CodePage)

	Readings []Reading
	Fault    error // not nil: why no quantity can be had from the readings (CodeReadings)
}

// A Page is a record's place in one of the two counts of a signing device (PG, table 2). Each count goes up by one.
type Page struct {
	Context byte // Transaction or Fiscal
	Number  uint64
}

// The contexts of pagination.
const (
	Transaction = 'T'
	Fiscal      = 'F'
)

func (p Page) String() string {
	if p.Context == 0 {
		return ""
	}
	return string(rune(p.Context)) + strconv.FormatUint(p.Number, 10)
}

// Clock is the state of the clock at a reading (table 19), as the letter that the standard uses.
type Clock byte

// The states of the clock, worst first.
const (
	ClockUnsynchronised Clock = 'U'
	ClockInformative    Clock = 'I'
	ClockRelative       Clock = 'R' // started from an informative clock, and durations since then are exact
	ClockSynchronised   Clock = 'S'
)

const clocksWorstFirst = "UIRS"

// worse is the worse of two states.
func (c Clock) worse(d Clock) Clock {
	if strings.IndexByte(clocksWorstFirst, byte(d)) < strings.IndexByte(clocksWorstFirst, byte(c)) {
		return d
	}
	return c
}

func (c Clock) String() string {
	switch c {
	case ClockUnsynchronised:
		return "unsynchronised"
	case ClockInformative:
		return "informative"
	case ClockRelative:
		return "relative"
	case ClockSynchronised:
		return "synchronised"
	}
	return "unknown"
}

// MarshalText writes the state's name.
func (c Clock) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// A Reading is one reading of one register (table 7), with the fields that it inherits from the reading before filled in.
type Reading struct {
	Time       int64 // Unix milliseconds, from TM
	Clock      Clock
	Reason     byte // TX: B, C, X, E, L, R, A, P, S or T; 0 if there is no transaction
	Register   Register
	Unit       string // RU
	Value      Decimal
	HasValue   bool   // false for a reading that only tells of an event
	ErrorFlags string // EF
	Status     string // ST, table 10
}

// Energy is the reading in Wh; false if it is not one of energy. kWh and Wh are the only units of energy that the
// standard has (table 20); others, such as the seconds that some meters add, are not ours to bill.
func (r *Reading) Energy() (wh Decimal, ok bool) {
	if !r.HasValue {
		return Decimal{}, false
	}
	switch r.Unit {
	case "Wh":
		return r.Value, true
	case "kWh":
		return r.Value.Shift(3), true
	}
	return Decimal{}, false
}

// MisidentifiedUser tells whether the identification level is an error of table 11: the meter looked for a user and says
// that it found none. Such a record proves its energy, which was measured, and nothing of the person that took it.
func (p *Payload) MisidentifiedUser() bool {
	switch p.IdentificationLevel {
	case "MISMATCH", "INVALID", "OUTDATED", "UNKNOWN":
		return true
	}
	return false
}

// TradeID is the identification field if it is 64 hex digits: a gateway that knows which trade it delivers for puts the
// trade's identifier there, and the meter signs it. An identification that failed names no trade.
func (p *Payload) TradeID() (id [32]byte, ok bool) {
	if p.MisidentifiedUser() {
		return id, false
	}
	b, err := hex.DecodeString(p.Identification)
	if err != nil || len(b) != len(id) {
		return id, false
	}
	return [32]byte(b), true
}

// Serial is the serial number by which records name their meter: MS, or, for a meter that names none, its gateway's (GS).
func (p *Payload) Serial() string {
	if p.MeterSerial != "" {
		return p.MeterSerial
	}
	return p.GatewaySerial
}

func parsePayload(section *jsonValue) Payload {
	p := Payload{
		FormatVersion:       scalar(section, "FV"),
		GatewaySerial:       scalar(section, "GS"),
		MeterSerial:         scalar(section, "MS"),
		MeterVendor:         scalar(section, "MV"),
		MeterModel:          scalar(section, "MM"),
		ChargePoint:         scalar(section, "CI"),
		Identified:          scalar(section, "IS") == "true",
		IdentificationLevel: scalar(section, "IL"),
		IdentificationType:  scalar(section, "IT"),
		Identification:      scalar(section, "ID"),
	}
	p.Page, p.PageFault = parsePage(scalar(section, "PG"))
	p.Readings, p.Fault = parseReadings(section)
	return p
}

// scalar is a member as text, "" if it is absent or not a scalar. Meters write some of the standard's strings as
// numbers (FV, CT), and nothing is gained by refusing them.
func scalar(v *jsonValue, name string) string {
	if m, ok := v.member(name); ok {
		return m.text
	}
	return ""
}

func parsePage(text string) (Page, error) {
	if text == "" {
		return Page{}, refuse(CodePage, "the record has no pagination (PG)")
	}
	context, digits := text[0], text[1:]
	number, err := strconv.ParseUint(digits, 10, 64)
	if context != Transaction && context != Fiscal || err != nil || !allDigits(digits) || len(digits) > 1 && digits[0] == '0' {
		return Page{}, refuse(CodePage, "pagination %.40q is not T or F and a number without leading zeros", text)
	}
	return Page{Context: context, Number: number}, nil
}

func parseReadings(section *jsonValue) ([]Reading, error) {
	array, ok := section.member("RD")
	if !ok || array.kind != jsonArray || len(array.items) == 0 {
		return nil, refuse(CodeReadings, "the record has no readings (RD)")
	}
	readings := make([]Reading, 0, len(array.items))
	carry := make(map[string]string, len(inherited))
	for i := range array.items {
		r, err := parseReading(&array.items[i], carry)
		if err != nil {
			return nil, refuse(CodeReadings, "reading %d: %s", i+1, err.Why)
		}
		readings = append(readings, r)
	}
	return readings, nil
}

// inherited are the fields that a reading takes from the one before it in the record if it leaves them out ("fields
// that have an identical value to the previous reading are omitted"). RV is not among them: a reading without it is one
// of an event, and to take the last value for the present one would invent a measurement.
var inherited = [...]string{"TM", "TX", "RI", "RU", "EF", "ST"} //nolint:gochecknoglobals // a constant table

// parseReading reads one reading. carry holds the inherited fields of the reading before, and those of this one after.
func parseReading(v *jsonValue, carry map[string]string) (Reading, *Error) {
	if v.kind != jsonObject {
		return Reading{}, refuse(CodeReadings, "it is %v and not an object", v.kind)
	}
	for _, name := range inherited {
		if m, ok := v.member(name); ok {
			if m.kind != jsonString {
				return Reading{}, refuse(CodeReadings, "%s is %v and must be a string", name, m.kind)
			}
			carry[name] = m.text
		}
	}
	r := Reading{
		Register:   parseRegister(carry["RI"]),
		Unit:       strings.TrimSpace(carry["RU"]),
		ErrorFlags: carry["EF"],
		Status:     strings.TrimSpace(carry["ST"]),
	}
	var ok bool
	if r.Time, r.Clock, ok = parseTime(carry["TM"]); !ok {
		return r, refuse(CodeReadings, "TM %.60q is not a time with its zone and the clock's state, as in 2018-07-24T13:22:04,000+0200 S", carry["TM"])
	}
	switch reason := strings.TrimSpace(carry["TX"]); {
	case reason == "":
	case len(reason) == 1 && strings.Contains("BCXELRAPST", reason):
		r.Reason = reason[0]
	default:
		return r, refuse(CodeReadings, "TX %.20q is none of the standard's reasons", reason)
	}
	if m, given := v.member("RV"); given {
		if m.kind != jsonNumber && m.kind != jsonString {
			return r, refuse(CodeReadings, "RV is %v", m.kind)
		}
		// Meters pad values in strings with zeros or spaces.
		value, err := ParseDecimal(strings.Trim(m.text, " "))
		if err != nil {
			return r, refuse(CodeReadings, "RV %.80q is not a decimal number within bounds", m.text)
		}
		if value.Sign() < 0 {
			return r, refuse(CodeReadings, "RV %s is negative", value)
		}
		r.Value, r.HasValue = value, true
	}
	return r, nil
}
