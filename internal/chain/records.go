package chain

import (
	"crypto/sha256"
	"sync"

	"lockstep/internal/ledger"
	"lockstep/types"
)

// rememberedRecords bounds the signatures of meters that are remembered: 32 bytes each, twice so many at most.
const rememberedRecords = 64 << 10

// records remembers valid signatures of meters under their records. They are checked with those of transactions, in batches and on all cores; the rules,
// which execute on one, need not check them again. It never remembers a bad one.
type records struct {
	mu            sync.RWMutex
	newest, older map[[32]byte]struct{}
}

// verify answers as [types.VerifyEd25519].
func (r *records) verify(key [32]byte, message, signature []byte) bool {
	return r.known(key, message, signature) || types.VerifyEd25519(key, message, signature)
}

func (r *records) known(key [32]byte, message, signature []byte) bool {
	if len(signature) != len(types.Signature{}.Bytes) {
		return false
	}
	id := recordID(key, message, signature)
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, known := r.newest[id]
	if !known {
		_, known = r.older[id]
	}
	return known
}

// add remembers the valid ones of some signatures.
func (r *records) add(signed []types.SignedMessage, good []bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range signed {
		if !good[i] {
			continue
		}
		if r.newest == nil || len(r.newest) >= rememberedRecords {
			r.newest, r.older = map[[32]byte]struct{}{}, r.newest
		}
		r.newest[recordID(signed[i].Key, signed[i].Message, signed[i].Signature[:])] = struct{}{}
	}
}

// recordID is a hash of all three: key and signature have one length each.
func recordID(key [32]byte, message, signature []byte) [32]byte {
	return sha256.Sum256(append(append(append(make([]byte, 0, 256), key[:]...), signature...), message...))
}

// Verify checks the signatures of transactions, and remembers the valid ones of the meters whose records they carry.
func (v *verifier) Verify(txs ...*types.Tx) []bool {
	var signed []types.SignedMessage
	for _, tx := range txs {
		signed = append(signed, ledger.RecordSignatures(tx)...)
	}
	good, goodRecords := v.signatures.VerifyWith(signed, txs...)
	v.records.add(signed, goodRecords)
	return good
}
