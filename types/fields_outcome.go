package types

import "lockstep/types/canon"

// The wire forms of the leaves of the log of outcomes.

// The tags of effects. A tag names one effect permanently: numbers are never reused.
const (
	tagBegun    = 0x4c51
	tagNoted    = 0x4c52
	tagStepped  = 0x4c53
	tagEnded    = 0x4c54
	tagMatched  = 0x4c55
	tagCleared  = 0x4c56
	tagGoverned = 0x4c57
)

func (o *Outcome) Fields(c *canon.Coder) {
	c.Array(5)
	canon.Number(c, "height", &o.Height)
	canon.Number(c, "at", &o.At)
	c.Bytes("transaction", o.Tx[:])
	canon.Number(c, "part", &o.Part)
	canon.List(c, "effects", &o.Effects, effectFields)
}

func effectFields(e *Effect, c *canon.Coder) { canon.Sum(c, e, newEffect) }

func newEffect(tag uint64) Effect {
	switch tag {
	case tagBegun:
		return new(Begun)
	case tagNoted:
		return new(Noted)
	case tagStepped:
		return new(Stepped)
	case tagEnded:
		return new(Ended)
	case tagMatched:
		return new(Matched)
	case tagCleared:
		return new(Cleared)
	case tagGoverned:
		return new(Governed)
	}
	return nil
}

func (*Begun) Tag() uint64    { return tagBegun }
func (*Noted) Tag() uint64    { return tagNoted }
func (*Stepped) Tag() uint64  { return tagStepped }
func (*Ended) Tag() uint64    { return tagEnded }
func (*Matched) Tag() uint64  { return tagMatched }
func (*Cleared) Tag() uint64  { return tagCleared }
func (*Governed) Tag() uint64 { return tagGoverned }

func (g *Governed) Fields(c *canon.Coder) {
	c.Array(3)
	canon.Number(c, "number", &g.Number)
	canon.List(c, "signers", &g.Signers, keyFields)
	canon.Part(c, "decision", &g.Decision, (*Decision).Fields)
}

func (b *Begun) Fields(c *canon.Coder) {
	c.Array(2)
	c.Bytes("parameters", b.Params[:])
	canon.LongList(c, "outages", &b.Outages, MaxOutages, func(o *Outage, c *canon.Coder) {
		c.Array(2)
		canon.Number(c, "begin", &o.Since)
		canon.Number(c, "end", &o.Until)
	})
}

func (n *Noted) Fields(c *canon.Coder) {
	c.Array(2)
	canon.Number(c, "event", &n.Event)
	c.Bytes("subject", n.Subject[:])
}

func (s *Stepped) Fields(c *canon.Coder) {
	c.Array(10)
	c.Bytes("trade", s.Trade[:])
	canon.Number(c, "event", &s.Event)
	canon.Number(c, "phase", &s.Phase)
	c.Bytes("digest", s.Digest[:])
	canon.Number(c, "depth", &s.Depth)
	canon.Number(c, "released", &s.Released)
	c.Bytes("preimage", s.Preimage[:])
	canon.Number(c, "allotted", &s.Allotted)
	canon.List(c, "locked outputs", &s.Locked, (*Locked).Fields)
	canon.List(c, "claims ahead", &s.Ahead, (*Ahead).Fields)
}

func (a *Ahead) Fields(c *canon.Coder) {
	c.Array(3)
	canon.Number(c, "claims", &a.Claims)
	canon.Number(c, "quantity", &a.Quantity)
	canon.Number(c, "agreed", &a.Agreed)
}

func (e *Ended) Fields(c *canon.Coder) {
	c.Array(2)
	canon.Number(c, "event", &e.Event)
	if e.Trade == nil {
		e.Trade = new(Trade)
	}
	canon.Part(c, "trade", e.Trade, (*Trade).Fields)
}

func (m *Matched) Fields(c *canon.Coder) {
	c.Array(2)
	c.Bytes("product", m.Product[:])
	canon.Part(c, "match", &m.Match, (*MatchTrade).Fields)
}

func (a *Cleared) Fields(c *canon.Coder) {
	c.Array(7)
	canon.Part(c, "product", &a.Product, (*Product).Fields)
	canon.Part(c, "grid", &a.Grid, (*Grid).Fields)
	canon.Number(c, "block time", &a.BlockTime)
	canon.Text(c, "void", &a.Void)
	canon.List(c, "rounds", &a.Rounds, (*Round).Fields)
	canon.Number(c, "orders", &a.Orders)
	c.Bytes("root", a.Root[:])
}

// Fields is the stored form, see [canon.Value].
func (h *LogHead) Fields(c *canon.Coder) {
	c.Array(2)
	canon.Number(c, "size", &h.Size)
	c.Bytes("root", h.Root[:])
}
