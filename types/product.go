package types

import "lockstep/types/canon"

// Product is the subject of one auction: a commodity of a zone in a slot, for an asset. Nobody has to create it: it is open
// to orders from a while before its slot until gate closure, by the ledger's parameters.
type Product struct {
	_         struct{} `cbor:",toarray"`
	Commodity string   `json:"commodity"`
	Unit      string   `json:"unit"`
	Zone      string   `json:"zone,omitempty"`
	From      Time     `json:"from,omitzero"`  // block time, a multiple of the ledger's slot
	Until     Time     `json:"until,omitzero"` // block time, one or more slots later
	Asset     AssetID  `json:"asset"`
}

// MaxProductSlots is how many slots of the grid a product may last.
const MaxProductSlots = 96

// ID names the product.
func (p *Product) ID() ProductID { return canon.Digest(domainProduct, p) }

// Direction is the way of the energy at the points of the product's offers.
func (p *Product) Direction() Direction {
	if p.Commodity == CommodityIntake {
		return DirectionImport
	}
	return DirectionExport
}

// Goods describes a quantity of the product, as an agreement does.
func (p *Product) Goods(quantity uint64, flow Flow) Goods {
	return Goods{Commodity: p.Commodity, Unit: p.Unit, Quantity: quantity, Zone: p.Zone, From: p.From, Until: p.Until, Flow: flow}
}

// Check returns the first fault of the product on a ledger with these parameters, with [CodeProduct] or a code of goods.
func (p *Product) Check(params *Params) error {
	goods := p.Goods(1, Flow{})
	if err := goods.Check(); err != nil {
		return err
	}
	slot := uint64(params.Slot)
	switch {
	case params.MarketOf(p).Opens == 0:
		return Refuse(CodeProduct, "this ledger holds no auctions")
	case uint64(p.From)%slot != 0 || uint64(p.Until)%slot != 0 || p.Until == p.From:
		return Refuse(CodeProduct, "a product begins and ends at multiples of the slot of %s", params.Slot)
	case uint64(p.Until.Since(p.From)) > MaxProductSlots*slot:
		return Refuse(CodeProduct, "a product lasts at most %d slots of %s", MaxProductSlots, params.Slot)
	}
	return nil
}

// Opens is when the product begins to take orders, in block time.
func (p *Product) Opens(params *Params) Time {
	return p.From - Time(min(uint64(p.From), uint64(params.MarketOf(p).Opens)))
}

// Withdrawable is the last moment at which an order can be taken out or made worse, in block time: one smallest window before the gate.
func (p *Product) Withdrawable(params *Params) Time {
	gate := p.Gate(params)
	return gate - Time(min(uint64(gate), uint64(params.MinWindow)))
}

// Gate is when it takes the last ones, in block time; the first block after it holds the auction.
func (p *Product) Gate(params *Params) Time {
	return p.From - Time(min(uint64(p.From), uint64(params.MarketOf(p).Gate)))
}

// MarketParams are the rules' numbers of the auctions. A ledger whose Opens is zero holds none.
type MarketParams struct {
	_ struct{} `cbor:",toarray"`
	// Opens and Gate are how long before its slot begins a product's book opens and closes. One smallest window before that an order
	// can't be taken out or made worse any more.
	Opens Duration `json:"opens"`
	Gate  Duration `json:"gate"`
	// The deadlines of a match: it is paid at the gate, deliver-by is when the slot begins, reading-by comes Reading after it has
	// ended and confirm-by Confirm later still.
	Reading Duration `json:"reading"`
	Confirm Duration `json:"confirm"`
	// MaxOrders bounds the orders of a product, KeyOrders those of one key in it, MaxQuantity each order.
	MaxOrders   uint32 `json:"max_orders"`
	KeyOrders   uint8  `json:"key_orders"`
	MaxQuantity uint64 `json:"max_quantity"`
	// Entry restricts the right to place orders.
	Entry Entry `json:"entry"`
	// Grids are the steps and stakes of orders; a product has the first one that fits it. A product that fits none has no auction.
	Grids []Grid `json:"grids"`
}

// Entry is the group of keys that may place orders.
type Entry uint8

// The entries.
const (
	EntryNobody  Entry = 0 // of a ledger without auctions
	EntryAnyone  Entry = 1
	EntryMembers Entry = 2 // keys that an operator has admitted: then nobody can crowd a book with keys made up for it
)

var entryNames = map[Entry]string{EntryNobody: "nobody", EntryAnyone: "anyone", EntryMembers: "members"} //nolint:gochecknoglobals // a constant table

func (e Entry) String() string { return entryNames[e] }

// MarshalText writes the entry's name.
func (e Entry) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText reads an entry's name.
func (e *Entry) UnmarshalText(text []byte) error {
	return unmarshalName(e, entryNames, text, "who may enter")
}

// DefaultMarketParams suit quarter-hours of energy in a currency with six decimals: a product opens two days ahead, and its gate closes
// five minutes before the slot. A lot is 1 Wh and a tick a millionth of the currency, so limits are whole tenths of a cent for a
// kWh. The bond is the ceiling: breaking a promise never pays, at any value of the energy elsewhere (docs/explanation/markets.md).
func DefaultMarketParams() MarketParams {
	const minute = Duration(60 * 1000)
	return MarketParams{
		Opens: 48 * 60 * minute, Gate: 5 * minute, Reading: 60 * minute, Confirm: 60 * minute,
		MaxOrders: 100_000, KeyOrders: 8, MaxQuantity: 1 << 40, Entry: EntryAnyone, Grids: DefaultGrids(),
	}
}

// DefaultGrids are those of energy, under meter terms, and of all else, under hold terms.
func DefaultGrids() []Grid {
	return []Grid{
		{Commodity: CommodityEnergy, Unit: UnitWattHour, Lot: 1, Tick: 1, Ceiling: 500, Deposit: 10, Bond: 500, Fallback: &Meter{}},
		{Lot: 1, Tick: 1, Ceiling: 1 << 40, Deposit: 1, Bond: 1, Fallback: &Hold{}},
	}
}

func (m *MarketParams) check(p *Params) error {
	longest := Duration(MaxProductSlots) * p.Slot // a slot is at most a day
	switch {
	case m.Opens == 0 && m.Entry == EntryNobody && len(m.Grids) == 0:
		return nil
	case m.Opens <= m.Gate:
		return Refuse(CodeMalformed, "the market must open before its gate closes: opens %s, gate %s before the slot", m.Opens, m.Gate)
	case m.Gate < p.MinWindow:
		return Refuse(CodeMalformed, "between gate closure and slot there must be room to deliver, at least %s: the gate is at %s", p.MinWindow, m.Gate)
	case m.Opens-m.Gate < p.MinWindow:
		return Refuse(CodeMalformed, "orders may be withdrawn until %s before the gate: the market must open earlier than %s before the slot", p.MinWindow, m.Opens)
	case m.Reading < p.MinWindow || m.Confirm < p.MinWindow:
		return Refuse(CodeMalformed, "the market's windows to read and to confirm must be at least %s", p.MinWindow)
	case m.Opens > p.Horizon || m.Reading > p.Horizon || m.Confirm > p.Horizon || m.Gate+longest+m.Reading+m.Confirm > p.Horizon:
		return Refuse(CodeMalformed, "the market's times must lie within the horizon of %s", p.Horizon)
	case m.MaxOrders < 2 || m.MaxOrders > MaxBook || m.KeyOrders < 1 || m.MaxQuantity < 1 || m.MaxQuantity > maxOrderQuantity:
		return Refuse(CodeMalformed, "the market needs room for 2 to %d orders, at least one for each key, of at most 2^43", MaxBook)
	case m.Entry != EntryAnyone && m.Entry != EntryMembers:
		return Refuse(CodeMalformed, "the market must say who may place orders")
	case len(m.Grids) < 1 || len(m.Grids) > MaxGrids:
		return Refuse(CodeMalformed, "the market has %d grids of lots and ticks: 1 to %d are possible", len(m.Grids), MaxGrids)
	}
	for i := range m.Grids {
		if err := m.Grids[i].check(); err != nil {
			return err
		}
	}
	return nil
}

// MaxBook bounds the orders of one product on any ledger, and maxOrderQuantity each of them, so that an auction can add them up.
const (
	MaxBook          = 1 << 20
	maxOrderQuantity = 1 << 43
)
