package main

import (
	"strings"
	"testing"

	"lockstep/types"
)

// TestTooCoarse warns of an asset whose prices of energy would go in steps of more than a hundredth for a kWh, and of no other.
func TestTooCoarse(t *testing.T) {
	t.Parallel()
	params := types.DefaultParams("test")
	for decimals, want := range []string{"steps of 1000 for", "steps of 100 for", "steps of 10 for", "steps of 1 for", "steps of 0.1 for", "", "", ""} {
		asset := types.Asset{Code: "EUR", Decimals: uint8(decimals)}
		got := strings.Join(tooCoarse(&params, &asset), "\n")
		if (got == "") != (want == "") || !strings.Contains(got, want) || want != "" && !strings.Contains(got, "--decimals 6 suits") {
			t.Errorf("%d decimal places: %q, not %q", decimals, got, want)
		}
	}
	cents := types.Asset{Code: "EUR", Decimals: 2}
	params.Market.Grids[0].Lot = 1000 // a kWh
	if got := tooCoarse(&params, &cents); got != nil {
		t.Errorf("a lot of 1 kWh: %q", got)
	}
	params.Market.Grids = params.Market.Grids[:1]
	params.Market.Grids[0].Asset = types.AssetID{1}
	params.Market.Grids[0].Lot = 1
	if got := tooCoarse(&params, &cents); got != nil {
		t.Errorf("an asset without auctions: %q", got)
	}
	params = types.DefaultParams("test")
	params.Market.Opens = 0
	if got := tooCoarse(&params, &cents); got != nil {
		t.Errorf("a ledger without auctions: %q", got)
	}
}
