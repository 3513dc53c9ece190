package types

import (
	"unicode"
	"unicode/utf8"
)

// Goods is what is handed over: energy is a number of Wh in a slot, a file or a parcel is one item.
type Goods struct {
	_         struct{} `cbor:",toarray"`
	Commodity string   `json:"commodity"`
	Unit      string   `json:"unit"`
	Quantity  uint64   `json:"quantity"`
	Zone      string   `json:"zone"`
	From      Time     `json:"from"`  // block time; zero when the goods have no slot
	Until     Time     `json:"until"` // block time
	Meters    []Gauge  `json:"meters"`
	Note      string   `json:"note"`
}

// Gauge is one register of one of the producer's meters, in the direction in which its reading counts.
type Gauge struct {
	_         struct{}  `cbor:",toarray"`
	Meter     MeterID   `json:"meter"`
	Register  string    `json:"register"`
	Direction Direction `json:"direction"`
}

// Direction is the flow that a register counts, seen from the meter's owner.
type Direction uint8

// The directions of a register.
const (
	DirectionImport Direction = 1
	DirectionExport Direction = 2
)

var directionNames = map[Direction]string{DirectionImport: "import", DirectionExport: "export"}

func (d Direction) String() string { return directionNames[d] }

// MarshalText writes the direction's name.
func (d Direction) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads a direction's name.
func (d *Direction) UnmarshalText(text []byte) error {
	return unmarshalName(d, directionNames, text, "a direction")
}

// Names and bounds of goods (protocol section 2).
const (
	CommodityEnergy = "energy"
	UnitWattHour    = "Wh"
	UnitItem        = "item"

	MaxQuantity = 1 << 48
	MaxNote     = 512
	MaxMemo     = 256
	MaxName     = 32
	maxGauges   = 16
)

// Check reports what is wrong with the description, with [CodeGoods] or [CodeText].
func (g *Goods) Check() error {
	for _, field := range []struct{ name, text string }{
		{"commodity", g.Commodity}, {"unit", g.Unit}, {"zone", g.Zone},
	} {
		if err := CheckText(field.name, field.text, MaxName); err != nil {
			return err
		}
	}
	if err := CheckText("note", g.Note, MaxNote); err != nil {
		return err
	}
	switch {
	case g.Commodity == "" || g.Unit == "":
		return Refuse(CodeGoods, "the goods need a commodity and a unit")
	case g.Quantity < 1 || g.Quantity > MaxQuantity:
		return Refuse(CodeGoods, "quantity %d is not between 1 and 2^48", g.Quantity)
	case g.Unit == UnitItem && g.Quantity != 1:
		return Refuse(CodeGoods, "goods by the item have quantity 1, not %d", g.Quantity)
	case g.From > MaxTime || g.Until > MaxTime || g.Until < g.From:
		return Refuse(CodeGoods, "the slot from %s until %s ends before it begins", g.From, g.Until)
	case g.Commodity == CommodityEnergy && (g.Unit != UnitWattHour || g.From == g.Until):
		return Refuse(CodeGoods, "energy is counted in Wh in a slot that has a beginning and an end")
	case len(g.Meters) > maxGauges:
		return Refuse(CodeGoods, "%d meters are more than %d", len(g.Meters), maxGauges)
	}
	for i, gauge := range g.Meters {
		if err := CheckText("register", gauge.Register, MaxName); err != nil {
			return err
		}
		if gauge.Direction != DirectionImport && gauge.Direction != DirectionExport {
			return Refuse(CodeGoods, "meter %d has no direction", i)
		}
	}
	return nil
}

// CheckText refuses what could not be shown safely: too long (in bytes), not UTF-8, or with control characters in it.
func CheckText(what, text string, most int) error {
	switch {
	case len(text) > most:
		return Refuse(CodeText, "the %s has %d bytes, at most %d are allowed", what, len(text), most)
	case !utf8.ValidString(text):
		return Refuse(CodeText, "the %s is not valid UTF-8", what)
	}
	for _, r := range text {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) { // either could make a terminal show something else
			return Refuse(CodeText, "the %s holds a control character", what)
		}
	}
	return nil
}
