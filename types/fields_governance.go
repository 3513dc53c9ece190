package types

import "lockstep/types/canon"

// The wire forms of decisions of operators, and of the entries that they change.

func (*Govern) Tag() uint64       { return tagGovern }
func (*SetValidator) Tag() uint64 { return tagSetValidator }
func (*SetParams) Tag() uint64    { return tagSetParams }
func (*SetMarket) Tag() uint64    { return tagSetMarket }
func (*Dismiss) Tag() uint64      { return tagDismiss }

func (a *Govern) Fields(c *canon.Coder) {
	c.Array(3)
	canon.Part(c, "decision", &a.Decision, (*Decision).Fields)
	canon.List(c, "signatures", &a.Signatures, (*Signature).Fields)
	c.Bytes("submitter", a.Submitter[:])
}

func (d *Decision) Fields(c *canon.Coder) {
	c.Array(5)
	canon.Text(c, "chain id", &d.ChainID)
	canon.Number(c, "nonce", &d.Nonce)
	canon.Number(c, "valid-until", &d.ValidUntil)
	canon.Number(c, "insist", &d.Insist)
	canon.List(c, "acts", &d.Acts, func(a *Act, c *canon.Coder) { canon.Sum(c, a, actOf) })
}

// actOf returns an empty act, or nil for any other tag. So a decision holds no decision.
func actOf(tag uint64) Act {
	act, _ := actionOf(tag).(Act)
	return act
}

func (a *SetValidator) Fields(c *canon.Coder) {
	c.Array(3)
	c.Bytes("key", a.Key[:])
	canon.Number(c, "power", &a.Power)
	canon.List(c, "consents", &a.Consent, (*Consent).Fields)
}

func (a *SetParams) Fields(c *canon.Coder) {
	c.Array(3)
	c.Bytes("replaces", a.Replaces[:])
	canon.Number(c, "from", &a.From)
	canon.Part(c, "parameters", &a.Change, (*ParamChange).Fields)
}

func (a *SetMarket) Fields(c *canon.Coder) {
	c.Array(2)
	canon.Number(c, "from", &a.From)
	canon.Part(c, "market", &a.Market, (*MarketParams).Fields)
}

func (a *Dismiss) Fields(c *canon.Coder) {
	c.Array(1)
	c.Bytes("member", a.Member[:])
}

func (a *Consent) Fields(c *canon.Coder) {
	c.Array(2)
	canon.Part(c, "checkpoint", &a.At, (*Checkpoint).Fields)
	c.Bytes("signature", a.Signature[:])
}

func (p *Checkpoint) Fields(c *canon.Coder) {
	c.Array(3)
	canon.Number(c, "height", &p.Height)
	c.Bytes("hash", p.Hash[:])
	canon.Number(c, "until", &p.Until)
}

func (p *ParamChange) Fields(c *canon.Coder) {
	c.Array(7)
	canon.Number(c, "longest validity", &p.MaxValidity)
	c.Bytes("fee asset", p.FeeAsset[:])
	canon.Number(c, "least fee", &p.MinFee)
	canon.Part(c, "entries", &p.Entries, (*EntryParams).Fields)
	canon.List(c, "operators", &p.Operators, keyFields)
	canon.Number(c, "threshold", &p.Threshold)
	canon.Number(c, "version of the rules", &p.Rules)
}

func (l *LaterMarket) Fields(c *canon.Coder) {
	c.Array(2)
	canon.Number(c, "from", &l.From)
	canon.Part(c, "market", &l.Market, (*MarketParams).Fields)
}

func (v *Validator) Fields(c *canon.Coder) {
	c.Array(2)
	c.Bytes("key", v.Key[:])
	canon.Number(c, "power", &v.Power)
}

func (g *Governance) Fields(c *canon.Coder) {
	c.Array(4)
	canon.Part(c, "parameters", &g.Params, (*Params).Fields)
	canon.List(c, "scheduled", &g.Scheduled, (*ScheduledParam).Fields)
	canon.List(c, "validators", &g.Validators, (*Seat).Fields)
	canon.List(c, "moves", &g.Moves, (*PowerMove).Fields)
}

func (s *ScheduledParam) Fields(c *canon.Coder) {
	c.Array(2)
	canon.Number(c, "from", &s.From)
	canon.Part(c, "change", &s.Change, (*ParamChange).Fields)
}

func (s *Seat) Fields(c *canon.Coder) {
	c.Array(2)
	canon.Part(c, "validator", &s.Validator, (*Validator).Fields)
	canon.Number(c, "silent", &s.Silent)
}

func (m *PowerMove) Fields(c *canon.Coder) {
	c.Array(3)
	canon.Number(c, "height", &m.Height)
	canon.Number(c, "given", &m.Given)
	canon.Number(c, "taken", &m.Taken)
}

func (d *Decided) Fields(c *canon.Coder) {
	c.Array(6)
	canon.Number(c, "number", &d.Number)
	canon.Number(c, "height", &d.Height)
	canon.Number(c, "at", &d.At)
	c.Bytes("transaction", d.Tx[:])
	canon.List(c, "signers", &d.Signers, keyFields)
	canon.Part(c, "decision", &d.Decision, (*Decision).Fields)
}
