package types

import "lockstep/types/canon"

// The wire forms of a ledger's entries other than trades: its parameters, assets, members, meters, slots and events.

func (p *Params) Fields(c *canon.Coder) {
	c.Array(16)
	canon.Text(c, "chain id", &p.ChainID)
	canon.Number(c, "clock cap", &p.ClockCap)
	canon.Number(c, "smallest window", &p.MinWindow)
	canon.Number(c, "horizon", &p.Horizon)
	canon.Number(c, "longest validity", &p.MaxValidity)
	c.Bytes("fee asset", p.FeeAsset[:])
	canon.Number(c, "least fee", &p.MinFee)
	canon.Number(c, "slot", &p.Slot)
	canon.List(c, "operators", &p.Operators, keyFields)
	canon.Number(c, "threshold", &p.Threshold)
	canon.Number(c, "version of the rules", &p.Rules)
	canon.Part(c, "market", &p.Market, (*MarketParams).Fields)
	canon.Part(c, "entries", &p.Entries, (*EntryParams).Fields)
	canon.List(c, "genesis assets", &p.Genesis, (*GenesisAsset).Fields)
	canon.List(c, "origins", &p.Continues, (*Origin).Fields)
	canon.List(c, "later markets", &p.Later, (*LaterMarket).Fields)
}

func (o *Origin) Fields(c *canon.Coder) {
	c.Array(4)
	canon.Text(c, "chain id", &o.ChainID)
	canon.Number(c, "height", &o.Height)
	c.Bytes("app hash", o.AppHash[:])
	c.Bytes("state", o.State[:])
}

func (a *Asset) Fields(c *canon.Coder) {
	c.Array(3)
	c.Bytes("issuer", a.Issuer[:])
	canon.Text(c, "code", &a.Code)
	canon.Number(c, "decimals", &a.Decimals)
}

func (a *AssetState) Fields(c *canon.Coder) {
	c.Array(6)
	canon.Part(c, "asset", &a.Asset, (*Asset).Fields)
	canon.Number(c, "issued", &a.Issued)
	canon.Number(c, "fees", &a.Fees)
	canon.Number(c, "recognised since", &a.Recognised)
	canon.Number(c, "smallest output", &a.Least)
	canon.Number(c, "uses", &a.Uses)
}

func (m *Member) Fields(c *canon.Coder) {
	c.Array(2)
	c.Bytes("key", m.Key[:])
	canon.Text(c, "name", &m.Name)
}

func (p *Point) Fields(c *canon.Coder) {
	c.Array(6)
	c.Bytes("owner", p.Owner[:])
	c.Bytes("parent", p.Parent[:])
	canon.List(c, "meters", &p.Meters, (*PointMeter).Fields)
	canon.Number(c, "retired at", &p.RetiredAt)
	canon.Part(c, "import below", &p.ImportBelow, (*Below).Fields)
	canon.Part(c, "export below", &p.ExportBelow, (*Below).Fields)
}

func (m *PointMeter) Fields(c *canon.Coder) {
	c.Array(6)
	canon.Number(c, "from", &m.From)
	canon.Number(c, "form", &m.Form)
	canon.Blob(c, "key", &m.Key)
	canon.Text(c, "serial number", &m.Serial)
	canon.List(c, "import registers", &m.Import, registerFields)
	canon.List(c, "export registers", &m.Export, registerFields)
}

func registerFields(register *string, c *canon.Coder) { canon.Text(c, "register", register) }

func (b *Below) Fields(c *canon.Coder) {
	c.Array(2)
	canon.Number(c, "open", &b.Open)
	canon.Number(c, "until", &b.Until)
}

func (s *Slot) Fields(c *canon.Coder) {
	c.Array(10)
	canon.Part(c, "flow", &s.Flow, (*Flow).Fields)
	canon.Number(c, "from", &s.From)
	canon.Number(c, "until", &s.Until)
	canon.List(c, "claims", &s.Claims, (*Claim).Fields)
	canon.List(c, "readings", &s.Readings, (*SlotReading).Fields)
	canon.Number(c, "open", &s.Open)
	canon.Number(c, "agreed", &s.Agreed)
	c.Bytes("product", s.Product[:])
	canon.Number(c, "orders", &s.Orders)
	canon.Number(c, "sold", &s.Sold)
}

func (l *Claim) Fields(c *canon.Coder) {
	c.Array(4)
	canon.Number(c, "height", &l.Height)
	c.Bytes("trade", l.Trade[:])
	canon.Number(c, "quantity", &l.Quantity)
	canon.Number(c, "reading-by", &l.ReadingBy)
}

func (r *SlotReading) Fields(c *canon.Coder) {
	c.Array(4)
	canon.Number(c, "at", &r.At)
	canon.Number(c, "from", &r.From)
	canon.Number(c, "until", &r.Until)
	canon.Number(c, "quantity", &r.Quantity)
}

func (e *Event) Fields(c *canon.Coder) {
	c.Array(8)
	canon.Text(c, "kind", &e.Kind)
	canon.Number(c, "height", &e.Height)
	canon.Number(c, "at", &e.At)
	c.Bytes("transaction", e.Tx[:])
	c.Bytes("trade", e.Trade[:])
	c.Bytes("offer", e.Offer[:])
	c.Bytes("product", e.Product[:])
	canon.List(c, "keys", &e.Keys, keyFields)
}
