package types

import "lockstep/types/canon"

// The wire forms of orders, auctions and the entries of a market.

func (m *MarketParams) Fields(c *canon.Coder) {
	c.Array(11)
	canon.Number(c, "opens", &m.Opens)
	canon.Number(c, "gate", &m.Gate)
	canon.Number(c, "pay", &m.Pay)
	canon.Number(c, "reading", &m.Reading)
	canon.Number(c, "confirm", &m.Confirm)
	canon.Number(c, "deposit", &m.Deposit)
	canon.Number(c, "bond", &m.Bond)
	canon.Number(c, "most orders", &m.MaxOrders)
	canon.Number(c, "most orders of a key", &m.KeyOrders)
	canon.Number(c, "largest quantity", &m.MaxQuantity)
	canon.Number(c, "entry", &m.Entry)
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
	c.Array(14)
	canon.Text(c, "chain id", &o.ChainID)
	c.Bytes("owner", o.Owner[:])
	canon.Part(c, "product", &o.Product, (*Product).Fields)
	canon.Number(c, "side", &o.Side)
	canon.Number(c, "number", &o.Number)
	canon.Number(c, "quantity", &o.Quantity)
	canon.Part(c, "limit", &o.Limit, (*Rate).Fields)
	canon.Number(c, "smallest fill", &o.MinFill)
	canon.Number(c, "expires", &o.Expires)
	canon.List(c, "accepted terms", &o.Accepts, fallbackFields)
	canon.Part(c, "flow", &o.Flow, (*Flow).Fields)
	canon.Part(c, "deposit", &o.Deposit, (*Range).Fields)
	canon.Part(c, "bond", &o.Bond, (*Range).Fields)
	canon.Number(c, "least record", &o.MinRecord)
}

func (r *Range) Fields(c *canon.Coder) {
	c.Array(2)
	canon.Number(c, "least", &r.Least)
	canon.Number(c, "most", &r.Most)
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

func (p *ClearingPrice) Fields(c *canon.Coder) {
	c.Array(2)
	canon.Part(c, "low", &p.Low, (*Rate).Fields)
	canon.Part(c, "high", &p.High, (*Rate).Fields)
}

func (a *Auction) Fields(c *canon.Coder) {
	c.Array(8)
	canon.Part(c, "product", &a.Product, (*Product).Fields)
	canon.Number(c, "height", &a.Height)
	canon.Number(c, "block time", &a.BlockTime)
	canon.Number(c, "clock", &a.Clock)
	canon.Text(c, "void", &a.Void)
	canon.List(c, "rounds", &a.Rounds, (*Round).Fields)
	canon.List(c, "results", &a.Results, (*Result).Fields)
	canon.List(c, "trades", &a.Trades, (*MatchTrade).Fields)
}

func (r *Round) Fields(c *canon.Coder) {
	c.Array(5)
	canon.Part(c, "fallback", &r.Fallback, fallbackFields)
	canon.Number(c, "sellers", &r.Sellers)
	canon.Number(c, "buyers", &r.Buyers)
	canon.Part(c, "price", &r.Price, (*ClearingPrice).Fields)
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
	c.Array(6)
	c.Bytes("trade", m.Trade[:])
	canon.Number(c, "round", &m.Round)
	canon.Number(c, "bid", &m.Bid)
	canon.Number(c, "offer", &m.Offer)
	canon.Number(c, "quantity", &m.Quantity)
	canon.Number(c, "price", &m.Price)
}

func (r *Conduct) Fields(c *canon.Coder) {
	c.Array(7)
	canon.Number(c, "kept", &r.Kept)
	canon.Number(c, "failed", &r.Failed)
	canon.Number(c, "fills", &r.Fills)
	canon.Number(c, "lapses", &r.Lapses)
	canon.Number(c, "refunds", &r.Refunds)
	canon.Number(c, "disputes", &r.Disputes)
	canon.Number(c, "excused", &r.Excused)
}
