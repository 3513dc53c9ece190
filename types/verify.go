package types

import (
	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519/extra/cache"
)

// One option set for single and batched checks, so that no two nodes can disagree on a signature (ZIP-215).
func verifyOptions() *ed25519.Options { return &ed25519.Options{Verify: ed25519.VerifyOptionsZIP_215} }

// SigningMessage returns the signed message: the domain and the body's bytes.
func SigningMessage(body []byte) []byte { return appendSigningMessage(nil, body) }

func appendSigningMessage(to, body []byte) []byte {
	return append(append(to, domainSignature...), body...)
}

// VerifyEd25519 checks one signature by the ZIP-215 rule.
func VerifyEd25519(key PublicKey, message, signature []byte) bool {
	return ed25519.VerifyWithOptions(key[:], message, signature, verifyOptions())
}

// Verifier checks the signatures of transactions. It remembers the keys that it met last in the form that is quickest to
// check with, for most transactions come from keys that have signed before. It may be used by several goroutines.
type Verifier struct {
	keys *cache.Verifier // nil: none are remembered
}

// NewVerifier remembers up to so many keys, at about 2 KiB each.
func NewVerifier(keys int) *Verifier {
	return &Verifier{cache.NewVerifier(cache.NewLRUCache(max(keys, 1)))}
}

// VerifySignatures is [Verifier.Verify] for once, with nothing remembered.
func VerifySignatures(txs ...*Tx) []bool { return new(Verifier).Verify(txs...) }

// SignedMessage is a message with its signature, beside those of transactions.
type SignedMessage struct {
	Key       PublicKey
	Signature [64]byte
	Message   []byte
}

// Verify checks every signature of every transaction, those of mandates included, and returns, for each transaction, whether
// all of its own are valid. The rule is ZIP-215 for every batch, and for known and new keys: the
// verdict on a transaction depends on it alone.
func (v *Verifier) Verify(txs ...*Tx) []bool {
	good, _ := v.VerifyWith(nil, txs...)
	return good
}

// VerifyWith is [Verifier.Verify] with other messages in the same batch, whose keys are not remembered.
func (v *Verifier) VerifyWith(others []SignedMessage, txs ...*Tx) (good, goodOthers []bool) {
	good = make([]bool, len(txs))
	owners := make([]int, 0, len(txs)) // of all signatures in order: indexes into txs
	for i, tx := range txs {
		good[i] = true
		for range tx.countSignatures() {
			owners = append(owners, i)
		}
	}
	switch {
	case len(owners) == 0 && len(others) == 0:
	case len(owners) == 1 && len(others) == 0: // a batch of one costs twice as much
		txs[owners[0]].eachSignature(nil, func(s *Signature, message []byte) { good[owners[0]] = v.verifyOne(s, message) })
	default:
		each := v.verifyBatch(txs, len(owners), others)
		for j, owner := range owners {
			good[owner] = good[owner] && each[j]
		}
		goodOthers = each[len(owners):]
	}
	return good, goodOthers
}

func (t *Tx) countSignatures() int {
	count := len(t.Signatures)
	for _, action := range t.Body.Actions {
		if a, ok := action.(endorsed); ok {
			count += a.endorsements()
		}
	}
	return count
}

// eachSignature calls visit for each signature of a transaction with the message that it signs: those under the transaction, then
// the signatures in its actions. The message is made in the memory of buffer, which it returns, and doesn't outlive the call.
func (t *Tx) eachSignature(buffer []byte, visit func(s *Signature, message []byte)) []byte {
	buffer = appendSigningMessage(buffer[:0], t.body)
	for i := range t.Signatures {
		visit(&t.Signatures[i], buffer)
	}
	for _, action := range t.Body.Actions {
		if a, ok := action.(endorsed); ok {
			a.eachEndorsement(t.Body.ChainID, visit)
		}
	}
	return buffer
}

func (v *Verifier) verifyOne(s *Signature, message []byte) bool {
	if v.keys == nil {
		return VerifyEd25519(s.Key, message, s.Bytes[:])
	}
	return v.keys.VerifyWithOptions(s.Key[:], message, s.Bytes[:], verifyOptions())
}

// verifyBatch returns the verdicts on the signatures of the transactions, of which there are so many, then on the others.
func (v *Verifier) verifyBatch(txs []*Tx, signatures int, others []SignedMessage) []bool {
	batch := ed25519.NewBatchVerifierWithCapacity(signatures + len(others))
	add := batch.AddWithOptions
	if v.keys != nil {
		add = func(key ed25519.PublicKey, message, signature []byte, options *ed25519.Options) {
			v.keys.AddWithOptions(batch, key, message, signature, options)
		}
	}
	options := verifyOptions()
	visit := func(s *Signature, message []byte) { add(s.Key[:], message, s.Bytes[:], options) }
	var buffer []byte // a message is hashed at once, so its memory serves the next transaction too
	for _, tx := range txs {
		buffer = tx.eachSignature(buffer, visit)
	}
	for i := range others {
		batch.AddWithOptions(others[i].Key[:], others[i].Message, others[i].Signature[:], options)
	}
	_, each := batch.Verify(nil)
	return each
}
