package types_test

import (
	"bytes"
	"crypto/ed25519"
	"testing"

	"lockstep/types"
)

// submitted is a transaction of an action, signed by its submitter.
func submitted(chainID string, action types.Action, by string) *types.Tx {
	return sign(types.NewTx(types.Body{ChainID: chainID, ValidUntil: noon, Actions: []types.Action{action}}), by)
}

// TestMandatesAreOverAllTheyNeed: a mandate is valid for the signed content only, and any other change of the action
// spoils it. The submitter is nothing that the parties sign.
func TestMandatesAreOverAllTheyNeed(t *testing.T) {
	t.Parallel()
	verdict := func(name string, tx *types.Tx, want bool) {
		t.Helper()
		if got := verifySingly(tx); got != want {
			t.Errorf("%s, each alone: %t", name, got)
		}
		for how, verify := range verifiers() {
			if got := verify(tx)[0]; got != want {
				t.Errorf("%s, %s: %t", name, how, got)
			}
			if got := verify(sampleTx(), tx, sampleTx()); !got[0] || got[1] != want || !got[2] {
				t.Errorf("%s, %s, between two others: %v", name, how, got)
			}
		}
	}
	for name, change := range map[string]func(*types.Agree){
		"fine":                    func(*types.Agree) {},
		"another submitter":       func(a *types.Agree) { a.Submitter = keyOf("producer") },
		"valid for longer":        func(a *types.Agree) { a.Mandates.ValidUntil++ },
		"valid for less":          func(a *types.Agree) { a.Mandates.ValidUntil-- },
		"another price":           func(a *types.Agree) { a.Agreement.Price++ },
		"another nonce":           func(a *types.Agree) { a.Agreement.Nonce++ },
		"an agreement of another": func(a *types.Agree) { a.Agreement.ChainID = "elsewhere" },
		"signatures swapped": func(a *types.Agree) {
			m := &a.Mandates
			m.Producer.Bytes, m.Consumer.Bytes = m.Consumer.Bytes, m.Producer.Bytes
		},
		"producer's key changed": func(a *types.Agree) { a.Mandates.Producer.Key = keyOf("arbiter") },
		"consumer's key changed": func(a *types.Agree) { a.Mandates.Consumer.Key = keyOf("arbiter") },
		"producer's bytes":       func(a *types.Agree) { a.Mandates.Producer.Bytes[3] ^= 1 },
		"consumer's bytes":       func(a *types.Agree) { a.Mandates.Consumer.Bytes[3] ^= 1 },
	} {
		agree := sampleAgree()
		change(agree)
		verdict("agree, "+name, submitted("samplestadt", agree, "submitter"), name == "fine" || name == "another submitter")
	}
	for name, change := range map[string]func(*types.Split){
		"fine":                   func(*types.Split) {},
		"another submitter":      func(s *types.Split) { s.Submitter = keyOf("producer") },
		"valid for longer":       func(s *types.Split) { s.Mandates.ValidUntil++ },
		"another trade":          func(s *types.Split) { s.Trade[0] ^= 1 },
		"another phase":          func(s *types.Split) { s.Phase = types.PhasePaid },
		"another instalment":     func(s *types.Split) { s.Released++ },
		"shares swapped":         func(s *types.Split) { s.ToProducer, s.ToConsumer = s.ToConsumer, s.ToProducer },
		"more to the producer":   func(s *types.Split) { s.ToProducer++ },
		"more to the consumer":   func(s *types.Split) { s.ToConsumer++ },
		"producer's key changed": func(s *types.Split) { s.Mandates.Producer.Key = keyOf("arbiter") },
		"consumer's bytes":       func(s *types.Split) { s.Mandates.Consumer.Bytes[40] ^= 1 },
	} {
		split := sampleSplit()
		change(split)
		verdict("split, "+name, submitted("samplestadt", split, "consumer"), name == "fine" || name == "another submitter")
	}
	verdict("agree on another chain", submitted("elsewhere", sampleAgree(), "submitter"), false)
	verdict("split on another chain", submitted("elsewhere", sampleSplit(), "consumer"), false)
	verdict("agree of an unsigned transaction", types.NewTx(types.Body{ChainID: "samplestadt", Actions: []types.Action{sampleAgree()}}), true)
	unsigned := sampleAgree()
	unsigned.Mandates.Consumer = types.Signature{Key: keyOf("consumer")}
	verdict("mandate without a signature", submitted("samplestadt", unsigned, "submitter"), false)
	both := types.Body{ChainID: "samplestadt", ValidUntil: noon, Actions: []types.Action{sampleAgree(), sampleSplit(), unsigned}}
	verdict("the third of three actions", sign(types.NewTx(both), "consumer"), false)
}

// TestMandateDomains: a signature for one purpose is invalid for another, even over equal bytes.
func TestMandateDomains(t *testing.T) {
	t.Parallel()
	agree, split, tx := sampleAgree(), sampleSplit(), sampleTx()
	messages := map[string][]byte{
		"agree": agree.Message("samplestadt"), "split": split.Message("samplestadt"), "transaction": types.SigningMessage(tx.BodyBytes()),
	}
	for a, first := range messages {
		for b, second := range messages {
			if a != b && (bytes.HasPrefix(first, second) || bytes.Equal(first[:16], second[:16])) {
				t.Errorf("the messages of %s and %s begin alike", a, b)
			}
		}
	}
	// A body whose bytes are the rest of a mandate's message is signed with the domain of transactions before it.
	rest := messages["agree"][len("lockstep/agree/v1\x00"):]
	signature := ed25519.Sign(signer("consumer"), types.SigningMessage(rest))
	if types.VerifyEd25519(keyOf("consumer"), messages["agree"], signature) {
		t.Error("a signature under a transaction is a mandate")
	}
}

// TestMandatesDecideTheHash: a verdict is remembered by the hash of the whole transaction, so every byte of a mandate is in it.
func TestMandatesDecideTheHash(t *testing.T) {
	t.Parallel()
	changed := sampleAgree()
	changed.Mandates.Consumer.Bytes[63] ^= 1
	a, b := submitted("samplestadt", sampleAgree(), "submitter"), submitted("samplestadt", changed, "submitter")
	if a.Hash() == b.Hash() || a.ID() == b.ID() {
		t.Error("another mandate does not change hash and ID")
	}
	if first, second := sampleAgree(), changed; first.Agreement.ID() != second.Agreement.ID() {
		t.Error("the ID of the trade depends on a mandate")
	}
}
