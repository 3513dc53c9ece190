package wallet_test

import (
	"testing"

	"pgregory.net/rapid"

	"lockstep/types"
)

// TestCoinsOfALiar: for all coins that a node shows, of all sums and assets, a payment that the ledger accepts costs its account the
// sum that its user was shown, fee included, and nothing of any other asset.
func TestCoinsOfALiar(t *testing.T) {
	t.Parallel()
	paid := 0
	rapid.Check(t, func(rt *rapid.T) {
		w, paul, clara := newParties(t)
		w.params.Entries.Coins = 2 // so that there are purses
		other := types.Asset{Issuer: w.bank.Key(), Code: "GOLD"}
		draft := w.draft(w.bank)
		must(t, draft.Issue(other, 1000))
		must(t, draft.Send(clara.Key(), other.ID(), 400))
		must(t, draft.Send(clara.Key(), other.ID(), 600))
		w.accept(draft.Sign())
		w.give(300, clara)
		w.give(200, clara)
		w.params.FeeAsset, w.params.MinFee = w.euro.ID(), 3
		assets := []types.AssetID{w.euro.ID(), other.ID()}
		before := []types.Amount{w.has(clara, assets[0]), w.has(clara, assets[1])}

		ctx := w.context(clara)
		ctx.Coins = append(ctx.Coins, w.context(paul).Coins...)
		for range rapid.IntRange(0, 4).Draw(rt, "lies") {
			coin := &ctx.Coins[rapid.IntRange(0, len(ctx.Coins)-1).Draw(rt, "coin")]
			switch rapid.IntRange(0, 3).Draw(rt, "lie") {
			case 0:
				coin.Amount = types.Amount(rapid.IntRange(1, 2000).Draw(rt, "sum"))
			case 1:
				coin.Asset = rapid.SampledFrom(assets).Draw(rt, "asset")
			case 2:
				coin.Outpoint = ctx.Coins[rapid.IntRange(0, len(ctx.Coins)-1).Draw(rt, "as")].Outpoint
			case 3:
				coin.Outpoint = rapid.SampledFrom(assets).Draw(rt, "purse").PurseOutpoint()
			}
		}
		pay := clara.Draft(ctx)
		sums := []types.Amount{types.Amount(rapid.IntRange(0, 900).Draw(rt, "euros")), types.Amount(rapid.IntRange(0, 900).Draw(rt, "gold"))}
		for i, sum := range sums {
			if sum > 0 {
				must(t, pay.Send(paul.Key(), assets[i], sum))
			}
		}
		if cost := pay.Cost(); cost.Fee.Amount != 3 {
			rt.Fatalf("shown is a fee of %s", cost.Fee.Amount)
		}
		tx, err := pay.Sign()
		if err != nil {
			return
		}
		sums[0] += 3
		if w.block(tx)[0] != types.CodeOK {
			sums = []types.Amount{0, 0}
		} else {
			paid++
		}
		for i, asset := range assets {
			if left := w.has(clara, asset); left != before[i]-sums[i] {
				rt.Fatalf("of asset %d there were %s, %s was to go, and %s is left", i, before[i], sums[i], left)
			}
		}
	})
	if paid == 0 {
		t.Error("no payment was taken: this test tests nothing")
	}
}
