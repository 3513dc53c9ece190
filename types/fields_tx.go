package types

import "lockstep/types/canon"

// The wire forms of transactions and their parts: Fields lists the fields of a type in the order of the wire, see
// [canon.Value], and Tag tells a variant of a sum. A form is protocol: it never changes.

// wireTx is a transaction as it travels. The body is a byte string, so that the received bytes are hashed.
type wireTx Tx

func (t *wireTx) Fields(c *canon.Coder) {
	c.Array(2)
	canon.View(c, "body", &t.body)
	canon.List(c, "signatures", &t.Signatures, (*Signature).Fields)
}

func (s *Signature) Fields(c *canon.Coder) {
	c.Array(2)
	c.Bytes("key", s.Key[:])
	c.Bytes("signature", s.Bytes[:])
}

func (b *Body) Fields(c *canon.Coder) {
	c.Array(7)
	canon.Text(c, "chain id", &b.ChainID)
	canon.Number(c, "valid-until", &b.ValidUntil)
	canon.List(c, "inputs", &b.Inputs, (*Outpoint).Fields)
	canon.List(c, "outputs", &b.Outputs, (*Output).Fields)
	canon.List(c, "actions", &b.Actions, actionFields)
	canon.Number(c, "fee", &b.Fee)
	canon.Text(c, "memo", &b.Memo)
}

func (o *Outpoint) Fields(c *canon.Coder) {
	c.Array(2)
	c.Bytes("transaction", o.Tx[:])
	canon.Number(c, "index", &o.Index)
}

func (o *Output) Fields(c *canon.Coder) {
	c.Array(3)
	c.Bytes("asset", o.Asset[:])
	canon.Number(c, "amount", &o.Amount)
	canon.Part(c, "lock", &o.Lock, func(l *KeyLock, c *canon.Coder) { c.Tagged(l) })
}

func (*KeyLock) Tag() uint64 { return tagKeyLock }

func (l *KeyLock) Fields(c *canon.Coder) {
	c.Array(1)
	c.Bytes("key", l.Key[:])
}

func keyFields(k *PublicKey, c *canon.Coder) { c.Bytes("key", k[:]) }
