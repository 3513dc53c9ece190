package types

import (
	"crypto/sha256"
	"slices"

	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
)

// MaxTxBytes bounds a whole transaction as it travels.
const MaxTxBytes = 64 << 10

// Body is what the parties of a transaction sign: inputs to spend, outputs to make, actions to do, all or none.
type Body struct {
	_          struct{}   `cbor:",toarray"`
	ChainID    string     `json:"chain_id"`
	ValidUntil Time       `json:"valid_until"` // block time; zero only in an unsigned transaction
	Inputs     []Outpoint `json:"inputs"`
	Outputs    []Output   `json:"outputs"`
	Actions    []Action   `json:"actions"`
	Fee        Amount     `json:"fee"`
	Memo       string     `json:"memo"`
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

// envelope is the wire form. The body travels as a byte string, so that its bytes as received are what is hashed.
type envelope struct {
	_          struct{} `cbor:",toarray"`
	Body       []byte
	Signatures []Signature
}

// NewTx puts a body and its signatures together.
func NewTx(body Body, signatures ...Signature) *Tx {
	bodyBytes := Encode(&body)
	return assemble(body, bodyBytes, signatures, Encode(&envelope{Body: bodyBytes, Signatures: signatures}))
}

// NewRelease makes the one unsigned transaction that releases instalment k of a trade.
func NewRelease(chainID string, release Release) *Tx {
	return NewTx(Body{ChainID: chainID, Actions: []Action{&release}})
}

// NewSettle makes the one unsigned transaction that settles a trade.
func NewSettle(chainID string, trade TradeID) *Tx {
	return NewTx(Body{ChainID: chainID, Actions: []Action{&Settle{Trade: trade}}})
}

// DecodeTx reads a transaction and refuses what is too large or not canonical. Whoever calls it must not change raw later.
func DecodeTx(raw []byte) (*Tx, error) {
	if len(raw) > MaxTxBytes {
		return nil, Refuse(CodeTooLarge, "the transaction has %d bytes, at most %d are allowed", len(raw), MaxTxBytes)
	}
	var wire envelope
	if err := Decode(raw, &wire); err != nil {
		return nil, err
	}
	var body Body
	if err := Decode(wire.Body, &body); err != nil {
		return nil, err
	}
	return assemble(body, wire.Body, wire.Signatures, raw), nil
}

func assemble(body Body, bodyBytes []byte, signatures []Signature, raw []byte) *Tx {
	return &Tx{
		Body: body, Signatures: signatures,
		body: bodyBytes, raw: raw, id: sha256.Sum256(bodyBytes), hash: sha256.Sum256(raw),
	}
}

// ID is the SHA-256 of the body's bytes: the same whoever has signed yet.
func (t *Tx) ID() TxID { return t.id }

// Hash is the SHA-256 of the whole transaction, signatures included. A verdict on signatures is remembered by it.
func (t *Tx) Hash() Hash { return t.hash }

// Bytes is the transaction as it travels. Not to be changed.
func (t *Tx) Bytes() []byte { return t.raw }

// BodyBytes is what is signed, without the domain. Not to be changed.
func (t *Tx) BodyBytes() []byte { return t.body }

// WithSignature returns the transaction with one more signature.
func (t *Tx) WithSignature(signature Signature) *Tx {
	signatures := append(slices.Clone(t.Signatures), signature)
	return assemble(t.Body, t.body, signatures, Encode(&envelope{Body: t.body, Signatures: signatures}))
}

// VerifySignatures checks every signature of every transaction and returns, for each transaction, whether all of its
// own are good. Single and batched checks follow the same rule (ZIP-215), so the verdict never depends on the batch.
func VerifySignatures(txs ...*Tx) []bool {
	good := make([]bool, len(txs))
	batch := ed25519.NewBatchVerifierWithCapacity(len(txs))
	owner := make([]int, 0, len(txs))
	for i, tx := range txs {
		good[i] = true
		message := SigningMessage(tx.body)
		for _, s := range tx.Signatures {
			batch.AddWithOptions(s.Key[:], message, s.Bytes[:], verifyOptions())
			owner = append(owner, i)
		}
	}
	if len(owner) == 0 {
		return good
	}
	all, each := batch.Verify(nil)
	if all {
		return good
	}
	for j, ok := range each {
		if !ok {
			good[owner[j]] = false
		}
	}
	return good
}
