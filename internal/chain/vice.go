//go:build vice

package chain

import (
	"bytes"
	"os"
	"time"

	"lockstep/types"
)

// proposal lets a validator of a test propose as the variable LOCKSTEP_TEST_VICE says. Programs are never built so for use.
func proposal(txs [][]byte) [][]byte {
	switch os.Getenv("LOCKSTEP_TEST_VICE") {
	case "garbage": // not a transaction
		return append(txs, []byte("not a transaction"))
	case "twice":
		return append(txs, txs...)
	case "forged": // with a signature of nobody
		for i, tx := range txs {
			txs[i] = bytes.Clone(tx)
			txs[i][len(tx)-1] ^= 1
		}
		return txs
	case "withhold":
		time.Sleep(time.Hour)
	case "censor": // every delivery
		kept := txs[:0]
		for _, encoded := range txs {
			if tx, err := types.DecodeTx(encoded); err == nil && !delivers(tx) {
				kept = append(kept, encoded)
			}
		}
		return kept
	}
	return txs
}

func delivers(tx *types.Tx) bool {
	for _, action := range tx.Body.Actions {
		if _, ok := action.(*types.Deliver); ok {
			return true
		}
	}
	return false
}
