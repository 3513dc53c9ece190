package types

import (
	"crypto/sha256"
	"slices"
)

// MaxTxBytes bounds a whole transaction as it travels.
const MaxTxBytes = 64 << 10

// Body is the signed part of a transaction: inputs to spend, outputs to make, actions to do, all or none.
type Body struct {
	_          struct{}   `cbor:",toarray"`
	ChainID    string     `json:"chain_id"`
	ValidUntil Time       `json:"valid_until,omitzero"` // block time; zero only in an unsigned transaction
	Inputs     []Outpoint `json:"inputs"`
	Outputs    []Output   `json:"outputs"`
	Actions    []Action   `json:"actions"`
	Fee        Amount     `json:"fee"`
	Memo       string     `json:"memo,omitempty"`
}

// Tx is a transaction as it travels: the body's bytes and the signatures over them. It is decoded once and never
// changes; make one with [NewTx] or [DecodeTx].
type Tx struct {
	Body       Body        `json:"body"`
	Signatures []Signature `json:"signatures"`

	body []byte
	raw  []byte
	id   TxID
	hash Hash
}

// NewTx puts a body and its signatures together.
func NewTx(body Body, signatures ...Signature) *Tx {
	return (&Tx{Body: body, Signatures: signatures, body: Encode(&body)}).sealed()
}

// NewRelease makes the one unsigned transaction that releases instalment k of a trade.
func NewRelease(chainID string, release Release) *Tx {
	return NewTx(Body{ChainID: chainID, Actions: []Action{&release}})
}

// NewSettle makes the one unsigned transaction that settles a trade.
func NewSettle(chainID string, trade TradeID) *Tx {
	return NewTx(Body{ChainID: chainID, Actions: []Action{&Settle{Trade: trade}}})
}

// DecodeTx reads a transaction and refuses one that is too large or not canonical. The caller must not change raw later.
func DecodeTx(raw []byte) (*Tx, error) {
	if len(raw) > MaxTxBytes {
		return nil, Refuse(CodeTooLarge, "the transaction has %d bytes, at most %d are allowed", len(raw), MaxTxBytes)
	}
	tx := &Tx{raw: raw}
	if err := Decode(raw, (*wireTx)(tx)); err != nil {
		return nil, err
	}
	if err := Decode(tx.body, &tx.Body); err != nil {
		return nil, err
	}
	return tx.hashed(), nil
}

// sealed encodes the transaction anew: its body's bytes stay.
func (t *Tx) sealed() *Tx {
	t.raw = Encode((*wireTx)(t))
	return t.hashed()
}

func (t *Tx) hashed() *Tx {
	t.id, t.hash = sha256.Sum256(t.body), sha256.Sum256(t.raw)
	return t
}

// ID is the SHA-256 of the body's bytes, which does not depend on the signatures.
func (t *Tx) ID() TxID { return t.id }

// Hash is the SHA-256 of the whole transaction, signatures included. A verdict on signatures is remembered by it.
func (t *Tx) Hash() Hash { return t.hash }

// Bytes is the transaction as it travels. Not to be changed.
func (t *Tx) Bytes() []byte { return t.raw }

// BodyBytes is the signed message without its domain. Not to be changed.
func (t *Tx) BodyBytes() []byte { return t.body }

// WithSignature returns the transaction with one more signature.
func (t *Tx) WithSignature(signature Signature) *Tx {
	return (&Tx{Body: t.Body, Signatures: append(slices.Clone(t.Signatures), signature), body: t.body}).sealed()
}
