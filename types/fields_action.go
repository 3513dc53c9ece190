package types

import "lockstep/types/canon"

// The wire forms of actions.

func (*Issue) Tag() uint64       { return tagIssue }
func (*Redeem) Tag() uint64      { return tagRedeem }
func (*Post) Tag() uint64        { return tagPost }
func (*Cancel) Tag() uint64      { return tagCancel }
func (*Take) Tag() uint64        { return tagTake }
func (*Place) Tag() uint64       { return tagPlace }
func (*Withdraw) Tag() uint64    { return tagWithdraw }
func (*Agree) Tag() uint64       { return tagAgree }
func (*Pay) Tag() uint64         { return tagPay }
func (*Deliver) Tag() uint64     { return tagDeliver }
func (*Release) Tag() uint64     { return tagRelease }
func (*Split) Tag() uint64       { return tagSplit }
func (*Settle) Tag() uint64      { return tagSettle }
func (*Award) Tag() uint64       { return tagAward }
func (*Reading) Tag() uint64     { return tagReading }
func (*Accept) Tag() uint64      { return tagAccept }
func (*Decline) Tag() uint64     { return tagDecline }
func (*Draw) Tag() uint64        { return tagDraw }
func (*Recognise) Tag() uint64   { return tagRecognise }
func (*Unrecognise) Tag() uint64 { return tagUnrecognise }
func (*Admit) Tag() uint64       { return tagAdmit }
func (*Enrol) Tag() uint64       { return tagEnrol }
func (*Exchange) Tag() uint64    { return tagExchange }
func (*Retire) Tag() uint64      { return tagRetire }

func (a *Issue) Fields(c *canon.Coder) {
	c.Array(2)
	canon.Part(c, "asset", &a.Asset, (*Asset).Fields)
	canon.Number(c, "amount", &a.Amount)
}

func (a *Redeem) Fields(c *canon.Coder) {
	c.Array(2)
	c.Bytes("asset", a.Asset[:])
	canon.Number(c, "amount", &a.Amount)
}

func (a *Post) Fields(c *canon.Coder) {
	c.Array(2)
	canon.Part(c, "offer", &a.Offer, (*Offer).Fields)
	canon.Number(c, "stake", &a.Stake)
}

func (a *Cancel) Fields(c *canon.Coder) {
	c.Array(1)
	c.Bytes("offer", a.Offer[:])
}

func (a *Take) Fields(c *canon.Coder) {
	c.Array(5)
	c.Bytes("offer", a.Offer[:])
	c.Bytes("consumer", a.Consumer[:])
	canon.Number(c, "quantity", &a.Quantity)
	canon.Number(c, "nonce", &a.Nonce)
	c.Bytes("digest", a.Digest[:])
}

func (a *Place) Fields(c *canon.Coder) {
	c.Array(1)
	canon.Part(c, "order", &a.Order, (*Order).Fields)
}

func (a *Withdraw) Fields(c *canon.Coder) {
	c.Array(3)
	c.Bytes("product", a.Product[:])
	c.Bytes("owner", a.Owner[:])
	canon.Number(c, "number", &a.Number)
}

func (a *Agree) Fields(c *canon.Coder) {
	c.Array(3)
	canon.Part(c, "agreement", &a.Agreement, (*Agreement).Fields)
	canon.Part(c, "mandates", &a.Mandates, (*Mandates).Fields)
	c.Bytes("submitter", a.Submitter[:])
}

func (a *Pay) Fields(c *canon.Coder) {
	c.Array(2)
	c.Bytes("trade", a.Trade[:])
	c.Bytes("digest", a.Digest[:])
}

func (a *Deliver) Fields(c *canon.Coder) {
	c.Array(1)
	c.Bytes("trade", a.Trade[:])
}

func (a *Release) Fields(c *canon.Coder) {
	c.Array(4)
	c.Bytes("trade", a.Trade[:])
	canon.Number(c, "instalment", &a.Instalment)
	c.Bytes("preimage", a.Preimage[:])
	canon.LongList(c, "path", &a.Path, MaxDigestDepth, func(h *Hash, c *canon.Coder) { c.Bytes("hash", h[:]) })
}

func (a *Split) Fields(c *canon.Coder) {
	c.Array(7)
	c.Bytes("trade", a.Trade[:])
	canon.Number(c, "phase", &a.Phase)
	canon.Number(c, "released", &a.Released)
	canon.Number(c, "share of the producer", &a.ToProducer)
	canon.Number(c, "share of the consumer", &a.ToConsumer)
	canon.Part(c, "mandates", &a.Mandates, (*Mandates).Fields)
	c.Bytes("submitter", a.Submitter[:])
}

func (m *Mandates) Fields(c *canon.Coder) {
	c.Array(3)
	canon.Number(c, "valid-until", &m.ValidUntil)
	canon.Part(c, "producer's signature", &m.Producer, (*Signature).Fields)
	canon.Part(c, "consumer's signature", &m.Consumer, (*Signature).Fields)
}

func (a *Settle) Fields(c *canon.Coder) {
	c.Array(1)
	c.Bytes("trade", a.Trade[:])
}

func (a *Award) Fields(c *canon.Coder) {
	c.Array(3)
	c.Bytes("trade", a.Trade[:])
	canon.Number(c, "share of the producer", &a.ToProducer)
	canon.Number(c, "share of the consumer", &a.ToConsumer)
}

func (a *Reading) Fields(c *canon.Coder) {
	c.Array(3)
	canon.Part(c, "flow", &a.Flow, (*Flow).Fields)
	canon.Number(c, "from", &a.From)
	canon.List(c, "records", &a.Records, func(record *HexBytes, c *canon.Coder) { canon.Blob(c, "content", record) })
}

func (a *Accept) Fields(c *canon.Coder) {
	c.Array(2)
	c.Bytes("key", a.Key[:])
	c.Bytes("asset", a.Asset[:])
}

func (a *Decline) Fields(c *canon.Coder) {
	c.Array(2)
	c.Bytes("key", a.Key[:])
	c.Bytes("asset", a.Asset[:])
}

func (a *Draw) Fields(c *canon.Coder) {
	c.Array(3)
	c.Bytes("key", a.Key[:])
	c.Bytes("asset", a.Asset[:])
	canon.Number(c, "amount", &a.Amount)
}

func (a *Recognise) Fields(c *canon.Coder) {
	c.Array(3)
	c.Bytes("operator", a.Operator[:])
	canon.Part(c, "asset", &a.Asset, (*Asset).Fields)
	canon.Number(c, "smallest output", &a.Least)
}

func (a *Unrecognise) Fields(c *canon.Coder) {
	c.Array(2)
	c.Bytes("operator", a.Operator[:])
	c.Bytes("asset", a.Asset[:])
}

func (a *Admit) Fields(c *canon.Coder) {
	c.Array(2)
	c.Bytes("operator", a.Operator[:])
	canon.Part(c, "member", &a.Member, (*Member).Fields)
}

func (a *Enrol) Fields(c *canon.Coder) {
	c.Array(4)
	c.Bytes("operator", a.Operator[:])
	c.Bytes("owner", a.Owner[:])
	c.Bytes("parent", a.Parent[:])
	canon.Part(c, "meter", &a.Meter, (*PointMeter).Fields)
}

func (a *Exchange) Fields(c *canon.Coder) {
	c.Array(3)
	c.Bytes("operator", a.Operator[:])
	c.Bytes("point", a.Point[:])
	canon.Part(c, "meter", &a.Meter, (*PointMeter).Fields)
}

func (a *Retire) Fields(c *canon.Coder) {
	c.Array(2)
	c.Bytes("operator", a.Operator[:])
	c.Bytes("point", a.Point[:])
}
