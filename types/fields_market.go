package types

import "lockstep/types/canon"

// The wire forms of orders, auctions and the entries of a market.

func (m *MarketParams) Fields(c *canon.Coder) {
	c.Array(9)
	canon.Number(c, "opens", &m.Opens)
	canon.Number(c, "gate", &m.Gate)
	canon.Number(c, "reading", &m.Reading)
	canon.Number(c, "confirm", &m.Confirm)
	canon.Number(c, "most orders", &m.MaxOrders)
	canon.Number(c, "most orders of a key", &m.KeyOrders)
	canon.Number(c, "largest quantity", &m.MaxQuantity)
	canon.Number(c, "entry", &m.Entry)
	canon.List(c, "grids", &m.Grids, (*Grid).Fields)
}

func (g *Grid) Fields(c *canon.Coder) {
	c.Array(9)
	canon.Text(c, "commodity", &g.Commodity)
	canon.Text(c, "unit", &g.Unit)
	c.Bytes("asset", g.Asset[:])
	canon.Number(c, "lot", &g.Lot)
	canon.Number(c, "tick", &g.Tick)
	canon.Number(c, "ceiling", &g.Ceiling)
	canon.Number(c, "deposit", &g.Deposit)
	canon.Number(c, "bond", &g.Bond)
	canon.Part(c, "fallback", &g.Fallback, fallbackFields)
}

func (p *Product) Fields(c *canon.Coder) {
	c.Array(6)
	canon.Text(c, "commodity", &p.Commodity)
	canon.Text(c, "unit", &p.Unit)
	canon.Text(c, "zone", &p.Zone)
	canon.Number(c, "from", &p.From)
	canon.Number(c, "until", &p.Until)
	c.Bytes("asset", p.Asset[:])
}

func (o *Order) Fields(c *canon.Coder) {
	c.Array(17)
	canon.Text(c, "chain id", &o.ChainID)
	c.Bytes("owner", o.Owner[:])
	canon.Part(c, "product", &o.Product, (*Product).Fields)
	canon.Number(c, "side", &o.Side)
	canon.Number(c, "number", &o.Number)
	canon.Number(c, "quantity", &o.Quantity)
	canon.Number(c, "lot", &o.Lot)
	canon.Number(c, "limit", &o.Limit)
	canon.Number(c, "smallest fill", &o.MinFill)
	canon.Number(c, "expires", &o.Expires)
	canon.Part(c, "fallback", &o.Fallback, fallbackFields)
	canon.Part(c, "flow", &o.Flow, (*Flow).Fields)
	canon.Number(c, "deposit", &o.Deposit)
	canon.Number(c, "bond", &o.Bond)
	canon.Number(c, "least record", &o.MinRecord)
	c.Bytes("root", o.Root[:])
	canon.Number(c, "depth", &o.Depth)
}

func (p *PlacedOrder) Fields(c *canon.Coder) {
	c.Array(3)
	canon.Part(c, "order", &p.Order, (*Order).Fields)
	c.Bytes("transaction", p.Tx[:])
	canon.Number(c, "height", &p.Height)
}

func (b *Book) Fields(c *canon.Coder) {
	c.Array(2)
	canon.Part(c, "product", &b.Product, (*Product).Fields)
	canon.Number(c, "orders", &b.Orders)
}

func (a *Auction) Fields(c *canon.Coder) {
	c.Array(9)
	canon.Part(c, "product", &a.Product, (*Product).Fields)
	canon.Part(c, "grid", &a.Grid, (*Grid).Fields)
	canon.Number(c, "height", &a.Height)
	canon.Number(c, "block time", &a.BlockTime)
	canon.Number(c, "clock", &a.Clock)
	canon.Text(c, "void", &a.Void)
	canon.List(c, "rounds", &a.Rounds, (*Round).Fields)
	canon.List(c, "results", &a.Results, (*Result).Fields)
	canon.List(c, "trades", &a.Trades, (*MatchTrade).Fields)
}

func (r *Round) Fields(c *canon.Coder) {
	c.Array(4)
	canon.Number(c, "sellers", &r.Sellers)
	canon.Number(c, "buyers", &r.Buyers)
	canon.Number(c, "price", &r.Price)
	canon.Number(c, "volume", &r.Volume)
}

func (r *Result) Fields(c *canon.Coder) {
	c.Array(6)
	c.Bytes("owner", r.Owner[:])
	canon.Number(c, "number", &r.Number)
	c.Bytes("order", r.Order[:])
	canon.Number(c, "record", &r.Standing)
	canon.Number(c, "filled", &r.Filled)
	canon.Text(c, "excluded", &r.Excluded)
}

func (m *MatchTrade) Fields(c *canon.Coder) {
	c.Array(7)
	c.Bytes("trade", m.Trade[:])
	canon.Number(c, "round", &m.Round)
	canon.Number(c, "bid", &m.Bid)
	canon.Number(c, "offer", &m.Offer)
	canon.Number(c, "quantity", &m.Quantity)
	canon.Number(c, "price", &m.Price)
	canon.Number(c, "leaf", &m.Leaf)
}

func (r *Conduct) Fields(c *canon.Coder) {
	c.Array(6)
	canon.Number(c, "kept", &r.Kept)
	canon.Number(c, "failed", &r.Failed)
	canon.Number(c, "fills", &r.Fills)
	canon.Number(c, "refunds", &r.Refunds)
	canon.Number(c, "disputes", &r.Disputes)
	canon.Number(c, "excused", &r.Excused)
}
