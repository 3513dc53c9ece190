package types

// Goods describes the delivery: energy is a number of Wh in a slot, a file or a parcel is one item.
type Goods struct {
	_         struct{} `cbor:",toarray"`
	Commodity string   `json:"commodity"`
	Unit      string   `json:"unit"`
	Quantity  uint64   `json:"quantity"`
	Zone      string   `json:"zone,omitempty"`
	From      Time     `json:"from,omitzero"`  // block time; zero when the goods have no slot
	Until     Time     `json:"until,omitzero"` // block time
	Flow      Flow     `json:"flow,omitzero"`  // where the goods are measured; zero when no meter counts them
	Note      string   `json:"note,omitempty"`
}

// Flow is one direction of one of the producer's connection points.
type Flow struct {
	_         struct{}  `cbor:",toarray"`
	Point     PointID   `json:"point"`
	Direction Direction `json:"direction"`
}

// IsZero reports whether there is no flow.
func (f Flow) IsZero() bool { return f == Flow{} }

// Direction is the way of the energy, seen from the owner of the point.
type Direction uint8

// The directions.
const (
	DirectionImport Direction = 1
	DirectionExport Direction = 2
)

var directionNames = map[Direction]string{DirectionImport: "import", DirectionExport: "export"} //nolint:gochecknoglobals // a constant table

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
	CommodityIntake = "intake" // energy that the producer takes from the grid: the trade at a price below zero, turned round
	UnitWattHour    = "Wh"
	UnitItem        = "item"

	MaxQuantity = 1 << 48
	MaxNote     = 512
	MaxMemo     = 256
	MaxName     = 32
)

// isEnergy reports whether meters can count the goods.
func (g *Goods) isEnergy() bool {
	return g.Commodity == CommodityEnergy || g.Commodity == CommodityIntake
}

// Check returns the first fault of the description, with [CodeGoods] or [CodeText].
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
	case g.isEnergy() && (g.Unit != UnitWattHour || g.From == g.Until):
		return Refuse(CodeGoods, "%s is counted in Wh in a slot that has a beginning and an end", g.Commodity)
	}
	if g.Flow.IsZero() {
		return nil
	}
	if _, known := directionNames[g.Flow.Direction]; !known || g.Flow.Point == (PointID{}) {
		return Refuse(CodeGoods, "metered goods name a connection point and one of its directions, import or export")
	}
	return nil
}
