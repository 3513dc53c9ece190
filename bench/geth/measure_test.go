package main

import (
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
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

// TestGuarantees tampers with a secret, which the contract must refuse, and with the books, which the audit must notice.
func TestGuarantees(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"pair", "trade"} {
		w, err := newWorld(t.TempDir(), must(t, name), 4)
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
		w.burnt.Add(w.burnt, common.Big1)
		if err := w.audit(); err == nil {
			t.Error("the audit overlooked a wei made from nothing")
		}
		last := len(w.variant.steps) - 1
		honest := w.variant.steps[last].make
		w.variant.steps[last].make = func(s types.Signer, to common.Address, c, p *household) (*types.Transaction, error) {
			c.secret[0] ^= 1
			return honest(s, to, c, p)
		}
		if _, err := w.play(); err == nil || !strings.Contains(err.Error(), "failed in the EVM") {
			t.Errorf("%s: a wrong secret opened a payment: %v", name, err)
		}
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
