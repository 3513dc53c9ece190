package wallet

import (
	"bytes"
	"encoding/json"
	"slices"

	"lockstep/types"
	"lockstep/types/strict"
)

// Partial is a transaction that needs the signatures of several keys, with those that it has so far. It travels between
// the parties as a small file, see [Partial.Encode]; nobody has to trust the way, since what is signed can't be changed.
type Partial struct {
	// Tx carries the signatures so far, in the order of Needs.
	Tx *types.Tx
	// Needs are the keys that must sign, in order of first need, as the one who made the file says. Were it wrong, the
	// ledger would refuse the transaction.
	Needs []types.PublicKey
}

// partialFile is the form in which a partial transaction travels.
type partialFile struct {
	Lockstep string            `json:"lockstep"`
	Tx       []byte            `json:"tx"`
	Needs    []types.PublicKey `json:"needs"`
}

const (
	partialMark = "partial transaction"

	// MaxPartialBytes bounds the file: a transaction in base64 and the keys.
	MaxPartialBytes = types.MaxTxBytes/3*4 + 4096
	maxNeeds        = 8
)

// Encode writes the file that the other party is to sign.
func (p *Partial) Encode() []byte {
	encoded, err := json.MarshalIndent(partialFile{partialMark, p.Tx.Bytes(), p.Needs}, "", "  ")
	if err != nil {
		panic("wallet: bytes and keys always encode: " + err.Error())
	}
	return append(encoded, '\n')
}

// ParsePartial reads what [Partial.Encode] writes and refuses everything else; only white space may differ. All
// signatures in it are good ones, by keys that it says it needs. What it would do is for [Account.Explain] to tell.
func ParsePartial(file []byte) (*Partial, error) {
	bad := func(why string) (*Partial, error) {
		return nil, refuse(ReasonPartial, "this is not a partial transaction: %s", why)
	}
	if len(file) > MaxPartialBytes {
		return bad("it is too large to be one")
	}
	var fields partialFile
	if err := strict.Unmarshal(file, &fields); err != nil {
		return bad("it can't be read as one; pass on the file as it was made")
	}
	if fields.Lockstep != partialMark {
		return bad("it does not say that it is one")
	}
	if again, err := json.Marshal(fields); err != nil || !bytes.Equal(again, compact(file)) {
		return bad("it was changed; pass on the file as it was made")
	}
	tx, err := types.DecodeTx(fields.Tx)
	if err != nil {
		return nil, err
	}
	p := &Partial{Tx: tx, Needs: fields.Needs}
	if err := p.check(); err != nil {
		return nil, err
	}
	return p, nil
}

// compact removes the white space of valid JSON.
func compact(text []byte) []byte {
	var out bytes.Buffer
	if err := json.Compact(&out, text); err != nil {
		return nil
	}
	return out.Bytes()
}

// check holds the signatures against the keys: each is of a needed key, in their order, and good.
func (p *Partial) check() error {
	if len(p.Needs) == 0 || len(p.Needs) > maxNeeds {
		return refuse(ReasonPartial, "it needs %d signatures; 1 to %d are possible", len(p.Needs), maxNeeds)
	}
	for i, key := range p.Needs {
		if slices.Contains(p.Needs[:i], key) {
			return refuse(ReasonPartial, "it names %s twice among the keys it needs", key)
		}
	}
	next := 0
	for _, signature := range p.Tx.Signatures {
		at := slices.Index(p.Needs[next:], signature.Key)
		if at < 0 {
			return refuse(ReasonPartial, "it carries a signature of %s that is not needed or out of order", signature.Key)
		}
		next += at + 1
	}
	if !types.VerifySignatures(p.Tx)[0] {
		return types.Refuse(types.CodeSignature, "a signature in the partial transaction is not good: it was changed after it was signed")
	}
	return nil
}

// Missing lists the keys that have still to sign.
func (p *Partial) Missing() []types.PublicKey {
	return slices.DeleteFunc(slices.Clone(p.Needs), p.hasSigned)
}

func (p *Partial) hasSigned(key types.PublicKey) bool {
	return slices.ContainsFunc(p.Tx.Signatures, func(s types.Signature) bool { return s.Key == key })
}

// Complete returns the transaction once all have signed it.
func (p *Partial) Complete() (*types.Tx, bool) { return p.Tx, len(p.Missing()) == 0 }

// with returns the partial transaction with one more signature, at its place.
func (p *Partial) with(signature types.Signature) *Partial {
	signatures := append(slices.Clone(p.Tx.Signatures), signature)
	slices.SortFunc(signatures, func(a, b types.Signature) int {
		return slices.Index(p.Needs, a.Key) - slices.Index(p.Needs, b.Key)
	})
	return &Partial{Tx: types.NewTx(p.Tx.Body, signatures...), Needs: p.Needs}
}
