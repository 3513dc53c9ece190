package meter

import (
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

// A Register is what a reading identification (RI) says of the register that was read. Registers are comparable.
type Register struct {
	Code        string // as the meter writes it
	Energy      bool   // an energy register, or one whose code says nothing
	Direction   Direction
	Compensated bool // energy at the device, behind the loss of the cable, instead of at the mains

	lifetime bool   // counts from the meter's making on, so that it can't fall
	tariff   string // the code's E field, "" for a total
	family   string // the code without E: registers of one family are tariffs of one quantity
}

// parseRegister reads an OBIS code A-B:C.D.E with an optional F behind '*' or '.' (IEC 62056-6-1), in hexadecimal as
// OCMF has it (standard, "Extension to Billing Relevant OBIS Representation", table 25). Meters write placeholders
// ("1-b:1.8.e"), leading zeros ("01-00:01.08.00.FF") or only the front ("1-b"); a code that isn't of this form is taken
// as energy of no direction.
func parseRegister(code string) Register {
	code = strings.TrimSpace(code)
	r := Register{Code: code, Energy: true, family: code}
	text := strings.ToLower(code)
	medium, rest, ok := strings.Cut(text, "-")
	channel, rest, ok2 := strings.Cut(rest, ":")
	if !ok || !ok2 {
		return r
	}
	fields := strings.SplitN(strings.Replace(rest, "*", ".", 1), ".", 4)
	if len(fields) < 2 {
		return r
	}
	a, okA := hexField(medium)
	c, okC := hexField(fields[0])
	d, okD := hexField(fields[1])
	if !okA || !okC || !okD {
		return r
	}
	history := ""
	if len(fields) > 2 {
		r.tariff = tariffField(fields[2])
	}
	if len(fields) > 3 {
		history = historyField(fields[3])
	}
	r.family = strings.Join([]string{medium, channel, fields[0], fields[1], history}, " ")
	total := r.classify(c)
	r.Energy = a == 1 && d == 8 && (r.Direction != Undirected || c == 0x9E) // electricity; time integral 1, a register of energy
	r.lifetime = r.Energy && total && history == ""
	return r
}

// classify sets what the C field says, and tells whether it is that of a lifetime total. 98 is older than table 25:
// meters used it for compensated import, and whether it counts through is up to them. 9E is billed by SAFE's own
// software, and nothing says in which direction.
func (r *Register) classify(c uint64) (total bool) {
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

func hexField(text string) (uint64, bool) {
	n, err := strconv.ParseUint(text, 16, 8)
	return n, err == nil
}

// tariffField is "" for the total: 0, the placeholder e, and FF, which leaves the field open.
func tariffField(e string) string {
	switch e = strings.TrimLeft(e, "0"); e {
	case "e", "ff", "255":
		return ""
	}
	return e
}

// historyField is "" for the register as it stands now: FF, also in decimal, and 0. Other values are of the maker's
// own: 198 at Bauer is the same register counted from the begin of a transaction.
func historyField(f string) string {
	switch f = strings.TrimLeft(f, "0"); f {
	case "ff", "255":
		return ""
	}
	return f
}
