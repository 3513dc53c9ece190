package meter

import (
	"fmt"
	"strconv"
	"strings"
)

// Direction is the way of the energy, seen from the grid's customer, as OBIS has it.
type Direction uint8

// The directions. A register whose identification says nothing of it is Undirected.
const (
	Undirected Direction = iota
	Import               // taken from the grid
	Export               // fed into the grid
)

func (d Direction) String() string {
	switch d {
	case Import:
		return "import"
	case Export:
		return "export"
	}
	return "undirected"
}

// MarshalText writes the direction's name.
func (d Direction) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// A Register describes the register of a reading by its reading identification (RI). Registers are comparable.
type Register struct {
	Code        string // as the meter writes it
	Energy      bool   // an energy register, or one whose code says nothing
	Direction   Direction
	Compensated bool // energy at the device, behind the loss of the cable, instead of at the mains

	name     string // the one that all spellings of the code share, "" for a code that is not of the standard's form
	lifetime bool   // counts from the meter's making on, so that it can't fall
	tariff   string // the code's E field, "" for a total
	family   string // the name without E: registers of one family are tariffs of one quantity
}

// parseRegister reads an OBIS code A-B:C.D.E with an optional F behind '*' or '.' (IEC 62056-6-1), in hexadecimal as
// OCMF has it (standard, "Extension to Billing Relevant OBIS Representation", table 25). Meters write placeholders
// ("1-b:1.8.e"), leading zeros ("01-00:01.08.00.FF") or only the front ("1-b"); a code that isn't of this form is taken
// as energy of no direction.
func parseRegister(code string) Register {
	code = strings.TrimSpace(code)
	r := Register{Code: code, Energy: true, family: code}
	medium, rest, ok := strings.Cut(strings.ToLower(code), "-")
	channel, rest, full := strings.Cut(rest, ":")
	a, okA := hexField(medium)
	b, okB := channelField(channel)
	if !ok || !okA || !okB {
		return r
	}
	if rest == "" { // only the front: some energy, as the medium is electricity
		if a == electricity {
			r.name = fmt.Sprintf("%02X-%02X", a, b)
			r.family = r.name
		}
		return r
	}
	fields := strings.SplitN(strings.Replace(rest, "*", ".", 1), ".", 4)
	if !full || len(fields) < 2 {
		return r
	}
	c, okC := hexField(fields[0])
	d, okD := hexField(fields[1])
	if !okC || !okD {
		return r
	}
	e, f := byte(0), byte(0xFF)
	okE, okF := true, true
	if len(fields) > 2 {
		e, okE = tariffField(fields[2])
	}
	if len(fields) > 3 {
		f, okF = historyField(fields[3])
	}
	if okE && okF {
		r.name = OBIS{a, b, c, d, e, f}.String()
	}
	if e != 0 || !okE {
		r.tariff = strings.TrimLeft(fields[2], "0")
	}
	r.family = fmt.Sprintf("%02X-%02X:%02X.%02X*%02X", a, b, c, d, f)
	if !okF {
		r.family = code
	}
	total := r.classify(c)
	r.Energy = a == electricity && d == 8 && (r.Direction != Undirected || c == 0x9E) // time integral 1: a register of energy
	r.lifetime = r.Energy && total && f == 0xFF && okF
	return r
}

const electricity = 1 // as a medium

// classify interprets the C field, and reports whether it is that of a lifetime total. 98 is older than table 25:
// meters used it for compensated import, and whether it counts through is up to them. 9E is billed by SAFE's own
// software, and nothing says in which direction.
func (r *Register) classify(c byte) (total bool) {
	switch c {
	case 0x01, 0xB0, 0xB1, 0xB2, 0xB3, 0x98:
		r.Direction = Import
	case 0x02, 0xC0, 0xC1, 0xC2, 0xC3:
		r.Direction = Export
	}
	switch c {
	case 0x98, 0xB1, 0xB3, 0xC1, 0xC3:
		r.Compensated = true
	}
	switch c {
	case 0x01, 0x02, 0xB0, 0xB1, 0xC0, 0xC1:
		return true
	}
	return false
}

func hexField(text string) (byte, bool) {
	n, err := strconv.ParseUint(text, 16, 8)
	return byte(n), err == nil
}

// channelField reads B. The letter b alone is the standard's own placeholder, which meters copy: no channel.
func channelField(text string) (byte, bool) {
	if text == "b" {
		return 0, true
	}
	return hexField(text)
}

// lastField reads E or F: hexadecimal, or three decimal digits, which can't be hexadecimal.
func lastField(text string) (byte, bool) {
	if text = strings.TrimLeft(text, "0"); text == "" {
		return 0, true
	}
	base := 16
	if len(text) > 2 {
		base = 10
	}
	n, err := strconv.ParseUint(text, base, 8)
	return byte(n), err == nil
}

// tariffField is 0 for the total: 0, the placeholder e, and FF, which leaves the field open.
func tariffField(text string) (byte, bool) {
	e, ok := lastField(text)
	if e == 0xFF || strings.TrimLeft(text, "0") == "e" {
		e = 0
	}
	return e, ok
}

// historyField is FF for the register as it stands now: FF, also in decimal, and 0. Other values are of the maker's
// own: 198 at Bauer is the same register counted from the begin of a transaction.
func historyField(text string) (byte, bool) {
	f, ok := lastField(text)
	if f == 0 {
		f = 0xFF
	}
	return f, ok
}
