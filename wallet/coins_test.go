package wallet

import (
	"testing"

	"pgregory.net/rapid"

	"lockstep/types"
)

// TestSelectCoins: the chosen coins suffice, none repeats, none could be spared, and no choice has fewer.
func TestSelectCoins(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		amounts := rapid.SliceOfN(rapid.Uint64Range(1, 40), 0, 10).Draw(t, "amounts")
		need := types.Amount(rapid.Uint64Range(0, 200).Draw(t, "need"))
		var coins []types.Coin
		var all types.Amount
		for i, amount := range amounts {
			coins = append(coins, types.Coin{Outpoint: types.Outpoint{Index: uint32(i)}, Amount: types.Amount(amount)})
			all += types.Amount(amount)
		}
		chosen, ok := selectCoins(coins, need)
		if ok != (all >= need) {
			t.Fatalf("%d of %d: ok is %t", need, all, ok)
		}
		if !ok {
			return
		}
		seen := map[types.Outpoint]bool{}
		var sum types.Amount
		for _, coin := range chosen {
			if seen[coin.Outpoint] || coin != coins[coin.Outpoint.Index] {
				t.Fatalf("%v was chosen twice or made up", coin)
			}
			seen[coin.Outpoint] = true
			sum += coin.Amount
		}
		if sum < need {
			t.Fatalf("%d is not enough for %d", sum, need)
		}
		for _, coin := range chosen {
			if sum-coin.Amount >= need {
				t.Fatalf("%v is not needed for %d", chosen, need)
			}
		}
		if len(chosen) > 0 {
			last := chosen[len(chosen)-1]
			for _, coin := range coins {
				if !seen[coin.Outpoint] && coin.Amount < last.Amount && sum-last.Amount+coin.Amount >= need {
					t.Fatalf("%v would leave less change than %v", coin, last)
				}
			}
		}
		if fewest := fewestCoins(coins, need); len(chosen) != fewest {
			t.Fatalf("%d coins were chosen, %d are enough", len(chosen), fewest)
		}
		for i := range coins { // the order in which a node lists them must not matter
			j := rapid.IntRange(0, i).Draw(t, "swap")
			coins[i], coins[j] = coins[j], coins[i]
		}
		again, _ := selectCoins(coins, need)
		if len(again) != len(chosen) {
			t.Fatalf("another order gives another choice")
		}
		for i := range again {
			if again[i] != chosen[i] {
				t.Fatalf("another order gives another choice")
			}
		}
	})
}

// fewestCoins tries every set.
func fewestCoins(coins []types.Coin, need types.Amount) int {
	fewest := len(coins)
	for set := range 1 << len(coins) {
		var sum types.Amount
		count := 0
		for i, coin := range coins {
			if set>>i&1 == 1 {
				sum += coin.Amount
				count++
			}
		}
		if sum >= need {
			fewest = min(fewest, count)
		}
	}
	return fewest
}

// TestDraftsBalance: for all coins that a node claims and all sums sent, the transaction balances in each asset, or there is none.
func TestDraftsBalance(t *testing.T) {
	t.Parallel()
	seed, err := ParseWords(artWords, "")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		account, err := seed.Account(0, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		amount := rapid.OneOf(rapid.Uint64Range(0, 50), rapid.Uint64())
		ctx := Context{Params: types.DefaultParams("test"), BlockTime: 1000}
		if rapid.Bool().Draw(t, "fee") {
			ctx.Params.FeeAsset, ctx.Params.MinFee = types.AssetID{1}, types.Amount(rapid.Uint64Range(1, 9).Draw(t, "least"))
		}
		worth := map[types.Outpoint]types.Coin{}
		for range rapid.IntRange(0, 12).Draw(t, "coins") {
			coin := types.Coin{
				Outpoint: types.Outpoint{Index: rapid.Uint32Range(0, 8).Draw(t, "outpoint")}, // some are listed twice
				Asset:    types.AssetID{rapid.ByteRange(1, 2).Draw(t, "asset")}, Amount: types.Amount(amount.Draw(t, "worth")),
			}
			if _, twice := worth[coin.Outpoint]; !twice {
				worth[coin.Outpoint] = coin
			}
			ctx.Coins = append(ctx.Coins, coin)
		}
		for range 2 { // the second must not touch the coins of the first
			draft := account.Draft(ctx)
			for range rapid.IntRange(1, 4).Draw(t, "receivers") {
				_ = draft.Send(types.PublicKey{9}, types.AssetID{rapid.ByteRange(1, 2).Draw(t, "of")}, types.Amount(amount.Draw(t, "sum")))
			}
			tx, err := draft.Sign()
			if err != nil {
				continue
			}
			checkBalance(t, &ctx, &tx.Body, worth)
		}
	})
}

func checkBalance(t *rapid.T, ctx *Context, body *types.Body, worth map[types.Outpoint]types.Coin) {
	in, out := sums{}, sums{}
	for _, input := range body.Inputs {
		coin, known := worth[input]
		if !known {
			t.Fatalf("%s is spent twice or made up", input)
		}
		delete(worth, input)
		if err := in.add(coin.Asset, coin.Amount); err != nil {
			t.Fatal(err)
		}
	}
	for _, output := range body.Outputs {
		if output.Amount == 0 {
			t.Fatal("an output of nothing")
		}
		if err := out.add(output.Asset, output.Amount); err != nil {
			t.Fatal(err)
		}
	}
	if body.Fee != ctx.Params.MinFee {
		t.Fatalf("a fee of %s", body.Fee)
	}
	if err := out.add(ctx.Params.FeeAsset, body.Fee); err != nil {
		t.Fatal(err)
	}
	for _, asset := range sortedAssets(in, out) {
		if in[asset] != out[asset] {
			t.Fatalf("of asset %d %s comes in and %s goes out", asset[0], in[asset], out[asset])
		}
	}
}
