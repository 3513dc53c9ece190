package main

import (
	"strings"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"
)

// TestConservation trades a few times in each form; measure itself audits the chain.
func TestConservation(t *testing.T) {
	t.Parallel()
	for _, variant := range []string{"pair", "trade"} {
		t.Run(variant, func(t *testing.T) {
			t.Parallel()
			r, err := measure(t.Context(), options{variant: variant, seconds: 0.01, trades: 20})
			if err != nil {
				t.Fatal(err)
			}
			if r.TradesPerSecond <= 0 || r.Version == "" {
				t.Errorf("measured %+v", r)
			}
		})
	}
}

// TestGuarantees corrupts a redeeming witness, and the books: both must be noticed.
func TestGuarantees(t *testing.T) {
	t.Parallel()
	w, err := newWorld(t.TempDir(), must(t, "pair"), 4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.close() })
	if _, err := w.play(); err != nil {
		t.Fatal(err)
	}
	if err := w.audit(); err != nil {
		t.Fatal(err)
	}
	w.issued++
	if err := w.audit(); err == nil {
		t.Error("the audit overlooked a satoshi that is missing")
	}
	for _, h := range w.households {
		h.newSecret()
	}
	locked, err := fund(w.households[0], w.households[1])
	if err != nil {
		t.Fatal(err)
	}
	w.households[0].newSecret() // not the one it locked under
	stolen, err := collect(w.households[0], w.households[1])
	if err != nil {
		t.Fatal(err)
	}
	block, err := w.block([]*wire.MsgTx{locked, stolen})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.insert(block.bytes); err == nil || !strings.Contains(err.Error(), "OP_EQUALVERIFY") {
		t.Errorf("a wrong secret opened a payment: %v", err)
	}
}

func must(t *testing.T, name string) variant {
	t.Helper()
	v, err := findVariant(name)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
