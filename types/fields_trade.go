package types

import "lockstep/types/canon"

// The wire forms of agreements, offers and trades. They are hashed into the IDs of the protocol.

func (a *Agreement) Fields(c *canon.Coder) {
	c.Array(12)
	canon.Text(c, "chain id", &a.ChainID)
	c.Bytes("producer", a.Producer[:])
	c.Bytes("consumer", a.Consumer[:])
	canon.Part(c, "goods", &a.Goods, (*Goods).Fields)
	c.Bytes("asset", a.Asset[:])
	canon.Number(c, "price", &a.Price)
	canon.Number(c, "deposit", &a.Deposit)
	canon.Number(c, "bond", &a.Bond)
	canon.Number(c, "instalments", &a.Instalments)
	canon.Part(c, "deadlines", &a.Deadlines, (*Deadlines).Fields)
	canon.Part(c, "fallback", &a.Fallback, fallbackFields)
	canon.Number(c, "nonce", &a.Nonce)
}

func (o *Offer) Fields(c *canon.Coder) {
	c.Array(12)
	canon.Text(c, "chain id", &o.ChainID)
	c.Bytes("producer", o.Producer[:])
	canon.Part(c, "goods", &o.Goods, (*Goods).Fields)
	c.Bytes("asset", o.Asset[:])
	canon.Part(c, "price", &o.Price, (*Rate).Fields)
	canon.Part(c, "deposit", &o.Deposit, (*Rate).Fields)
	canon.Part(c, "bond", &o.Bond, (*Rate).Fields)
	canon.Number(c, "smallest fill", &o.MinFill)
	canon.Number(c, "instalments", &o.Instalments)
	canon.Part(c, "deadlines", &o.Deadlines, (*Deadlines).Fields)
	canon.Part(c, "fallback", &o.Fallback, fallbackFields)
	canon.Number(c, "nonce", &o.Nonce)
}

func (s *StandingOffer) Fields(c *canon.Coder) {
	c.Array(3)
	canon.Part(c, "offer", &s.Offer, (*Offer).Fields)
	canon.Number(c, "remaining", &s.Remaining)
	canon.Number(c, "stake", &s.Stake)
}

func (g *Goods) Fields(c *canon.Coder) {
	c.Array(8)
	canon.Text(c, "commodity", &g.Commodity)
	canon.Text(c, "unit", &g.Unit)
	canon.Number(c, "quantity", &g.Quantity)
	canon.Text(c, "zone", &g.Zone)
	canon.Number(c, "from", &g.From)
	canon.Number(c, "until", &g.Until)
	canon.Part(c, "flow", &g.Flow, (*Flow).Fields)
	canon.Text(c, "note", &g.Note)
}

func (f *Flow) Fields(c *canon.Coder) {
	c.Array(2)
	c.Bytes("point", f.Point[:])
	canon.Number(c, "direction", &f.Direction)
}

func (d *Deadlines) Fields(c *canon.Coder) {
	c.Array(4)
	canon.Number(c, "pay-by", &d.PayBy)
	canon.Number(c, "deliver-by", &d.DeliverBy)
	canon.Number(c, "reading-by", &d.ReadingBy)
	canon.Number(c, "confirm-by", &d.ConfirmBy)
}

func (r *Rate) Fields(c *canon.Coder) {
	c.Array(2)
	canon.Number(c, "mantissa", &r.Mantissa)
	canon.Number(c, "exponent", &r.Exponent)
}

func fallbackFields(f *Fallback, c *canon.Coder) {
	canon.Sum(c, f, func(tag uint64) Fallback {
		switch tag {
		case tagHold:
			return &Hold{}
		case tagMeter:
			return &Meter{}
		case tagArbiter:
			return &Arbiter{}
		}
		return nil
	})
}

func (*Hold) Tag() uint64    { return tagHold }
func (*Meter) Tag() uint64   { return tagMeter }
func (*Arbiter) Tag() uint64 { return tagArbiter }

func (*Hold) Fields(c *canon.Coder) { c.Array(0) }

func (*Meter) Fields(c *canon.Coder) { c.Array(0) }

func (a *Arbiter) Fields(c *canon.Coder) {
	c.Array(1)
	c.Bytes("key", a.Key[:])
}

func (t *Trade) Fields(c *canon.Coder) {
	c.Array(10)
	canon.Part(c, "agreement", &t.Agreement, (*Agreement).Fields)
	canon.Number(c, "phase", &t.Phase)
	canon.Number(c, "height", &t.Height)
	c.Bytes("digest", t.Digest[:])
	canon.Number(c, "depth", &t.Depth)
	canon.Number(c, "released", &t.Released)
	c.Bytes("preimage", t.Preimage[:])
	canon.Number(c, "allotted", &t.Allotted)
	canon.List(c, "locked outputs", &t.Locked, (*Locked).Fields)
	canon.List(c, "steps", &t.Steps, (*Step).Fields)
}

func (l *Locked) Fields(c *canon.Coder) {
	c.Array(2)
	canon.Number(c, "part", &l.Part)
	canon.Number(c, "amount", &l.Amount)
}

func (s *Step) Fields(c *canon.Coder) {
	c.Array(3)
	canon.Number(c, "kind", &s.Kind)
	canon.Number(c, "at", &s.At)
	c.Bytes("transaction", s.Tx[:])
}
