package wallet

import (
	"fmt"
	"testing"
	"time"

	"lockstep/types"
)

// issuer is the key of somebody else.
func issuer(t *testing.T, index uint32) types.PublicKey {
	t.Helper()
	seed, err := ParseWords(artWords, "")
	if err != nil {
		t.Fatal(err)
	}
	account, err := seed.Account(index, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return account.Key()
}

func TestTrustedAssets(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	mine := key(t, w, 0)
	bank, stranger := issuer(t, 1), issuer(t, 2)
	euro := types.Asset{Issuer: bank, Code: "EUR", Decimals: 2}
	for _, c := range []struct {
		name  string
		asset types.Asset
		label string
		want  string
	}{
		{"first", euro, "bank", ""},
		{"another label for it", euro, "savings-bank", ""},
		{"another code of the issuer", types.Asset{Issuer: bank, Code: "KWH"}, "savings-bank", ""},
		{"the label of another issuer", types.Asset{Issuer: stranger, Code: "GOLD"}, "savings-bank", string(ReasonExists)},
		{"the same name", types.Asset{Issuer: bank, Code: "EUR", Decimals: 6}, "savings-bank", string(ReasonExists)},
		{"other places, another label", types.Asset{Issuer: bank, Code: "EUR", Decimals: 6}, "old", ""},
		{"without a label", types.Asset{Issuer: stranger, Code: "EUR", Decimals: 2}, "", ""},
		{"without a label, the same name", types.Asset{Issuer: stranger, Code: "EUR", Decimals: 3}, "", string(ReasonExists)},
		{"a label like a key", types.Asset{Issuer: stranger, Code: "A"}, "LK1bank", types.CodeMalformed.String()},
		{"a label of two words", types.Asset{Issuer: stranger, Code: "A"}, "my bank", types.CodeMalformed.String()},
		{"a label with a dot", types.Asset{Issuer: stranger, Code: "A"}, "a.b", types.CodeMalformed.String()},
		{"the label of own assets", types.Asset{Issuer: stranger, Code: "A"}, "own", string(ReasonExists)},
		{"own", types.Asset{Issuer: mine, Code: "EUR", Decimals: 2}, "own", ""},
		{"no code", types.Asset{Issuer: stranger, Code: "eur"}, "x", types.CodeAssetForm.String()},
	} {
		err := w.Trust(c.asset, c.label)
		got := string(ReasonOf(err))
		if got == "" && err != nil {
			got = types.CodeOf(err).String()
		}
		if got != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	again := open(t, w)
	if got := again.Trusted(); len(got) != 5 || got[0].Label != "savings-bank" || got[0].Asset != euro {
		t.Errorf("the file has %v", got)
	}
	if again.OwnLabelOf(mine) != "own" || again.OwnLabelOf(bank) != "" {
		t.Error("the wallet takes its keys for those of others, or theirs for its own")
	}
	roof, err := again.AddAccount("roof")
	if err != nil || again.OwnLabelOf(roof.Key()) != "own1" {
		t.Errorf("the second account is called %q, %v", again.OwnLabelOf(roof.Key()), err)
	}
	if err := again.Untrust(euro.ID()); err != nil {
		t.Fatal(err)
	}
	if err := again.Untrust(euro.ID()); ReasonOf(err) != ReasonMissing {
		t.Errorf("taken back twice: %v", err)
	}
	if got := open(t, again).Trusted(); len(got) != 4 {
		t.Errorf("the file has %v", got)
	}
}

func TestTrustBounds(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	for i := range maxTrusted {
		w.assets = append(w.assets, TrustedAsset{Asset: types.Asset{Issuer: issuer(t, 0), Code: fmt.Sprint(i)}})
	}
	if err := w.Trust(types.Asset{Issuer: issuer(t, 1), Code: "A"}, ""); ReasonOf(err) != ReasonLimit {
		t.Errorf("one more: %v", err)
	}
	if err := w.Trust(w.assets[0].Asset, "bank"); err != nil {
		t.Errorf("a label for one that is there: %v", err)
	}
}

func TestPinnedLedger(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	params := types.DefaultParams("town")
	town := PinLedger(&params, types.Hash{1})
	if _, used := w.Ledger(); used {
		t.Error("a new wallet is bound")
	}
	if err := w.CheckLedger(town); err != nil {
		t.Errorf("first use: %v", err)
	}
	if err := w.SetLedger(town); err != nil {
		t.Fatal(err)
	}
	again := open(t, w)
	if got, used := again.Ledger(); !used || got != town {
		t.Errorf("the file has %v", got)
	}
	fee, slot := params, params // operators can change the fee, and nobody the slot
	fee.FeeAsset, fee.MinFee, fee.Entries.Offers, fee.Threshold = types.AssetID{1}, 1, 7, 2
	slot.Slot *= 2
	village := types.DefaultParams("village")
	if err := again.CheckLedger(PinLedger(&fee, types.Hash{1})); err != nil {
		t.Errorf("a fee: %v", err)
	}
	if err := again.CheckLedger(PinLedger(&slot, types.Hash{1})); ReasonOf(err) != ReasonMismatch {
		t.Errorf("a slot: %v", err)
	}
	for name, other := range map[string]PinnedLedger{
		"another name": PinLedger(&village, types.Hash{1}),
		"same name":    PinLedger(&params, types.Hash{2}),
	} {
		if err := again.CheckLedger(other); ReasonOf(err) != ReasonLedger {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := again.CheckLedger(town); err != nil {
		t.Errorf("the same ledger: %v", err)
	}
}

func TestClocks(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 27, 1, 0, 0, 0, time.UTC)
	at := func(offset time.Duration) types.Time { return types.Time(now.Add(offset).UnixMilli()) }
	const ms = time.Millisecond
	for _, c := range []struct {
		name         string
		block, clock types.Time
		skew         types.Duration
		refused      bool
		warned       bool
	}{
		{"in step", at(0), at(0), 0, false, false},
		{"as far ahead as allowed", at(MaxAhead), at(MaxAhead), 0, false, false},
		{"further ahead", at(MaxAhead + ms), at(MaxAhead + ms), 0, true, false},
		{"as old as allowed", at(-MaxBehind), at(-MaxBehind), 0, false, false},
		{"older", at(-MaxBehind - ms), at(-MaxBehind - ms), 0, false, true},
		{"after an outage", at(0), at(-time.Hour), 3600_000, false, false},
		{"the skew is another", at(0), at(-time.Hour), 0, true, false},
		{"clock ahead of the block", at(0), at(1000 * ms), 0, true, false},
	} {
		warning, err := CheckClock(c.block, c.clock, c.skew, now)
		if (ReasonOf(err) == ReasonClock) != c.refused || (warning != "") != c.warned {
			t.Errorf("%s: %q, %v", c.name, warning, err)
		}
	}
}

func TestFeeLimits(t *testing.T) {
	t.Parallel()
	for decimals, want := range map[uint8]types.Amount{0: 0, 1: 1, 2: 10, 6: 100_000, 18: 100_000_000_000_000_000} {
		if got := DefaultFee(decimals); got != want {
			t.Errorf("%d places: %s", decimals, got)
		}
	}
	euro := types.Asset{Issuer: issuer(t, 1), Code: "EUR", Decimals: 2}
	seed, err := ParseWords(artWords, "")
	if err != nil {
		t.Fatal(err)
	}
	draft := func(fee types.Amount, limits Limits, known bool) error {
		account, err := seed.Account(0, limits)
		if err != nil {
			t.Fatal(err)
		}
		ctx := Context{Params: types.DefaultParams("town"), Asset: func(types.AssetID) (types.Asset, bool) { return euro, known }}
		ctx.Params.FeeAsset, ctx.Params.MinFee = euro.ID(), fee
		_, err = account.Draft(ctx).Sign()
		return err
	}
	raised := Limits{Fees: []FeeLimit{{Asset: euro.ID(), Most: 9000}}}
	for _, c := range []struct {
		name   string
		fee    types.Amount
		limits Limits
		known  bool
		want   Reason
	}{
		{"by default", 10, Limits{}, true, ReasonFunds}, // and then there is no money
		{"above the default", 11, Limits{}, true, ReasonLimit},
		{"of an asset that can't be shown", 1, Limits{}, false, ReasonLimit},
		{"within the limit", 9000, raised, true, ReasonFunds},
		{"above the limit", 9001, raised, true, ReasonLimit},
	} {
		if err := draft(c.fee, c.limits, c.known); ReasonOf(err) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestFilesOfTheFirstVersion: a file older than the lists of assets and ledgers opens and keeps its content.
func TestFilesOfTheFirstVersion(t *testing.T) {
	t.Parallel()
	old := contentV1{Mark: walletMarkV1, Work: quick, Accounts: []AccountInfo{{Name: "main"}, {Index: 3, Name: "roof"}}}
	old.Limits.MinBond, old.Limits.NoBond, old.Limits.MaxDeposit = 7, 1, 5000
	old.Limits.Losses = []LossLimit{{Asset: types.AssetID{7}, Most: 5}}
	c, err := decrypt(encryptAny(t, types.Encode(&old)), passphrase, MaxWork)
	if err != nil {
		t.Fatal(err)
	}
	limits := c.Limits.limits()
	if len(c.Accounts) != 2 || c.Accounts[1] != old.Accounts[1] || limits.MinBond != 7 || !limits.AllowNoBond || limits.MaxDeposit != 5000 || len(limits.Losses) != 1 {
		t.Errorf("got %+v", c)
	}
	old.Mark = walletMark
	if _, err := decrypt(encryptAny(t, types.Encode(&old)), passphrase, MaxWork); ReasonOf(err) != ReasonNotWallet {
		t.Errorf("the new mark on the old form: %v", err)
	}
}

func TestAddAccounts(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	seven, err := w.KeyAt(7)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.AddAccounts([]uint32{0, 7, 7}); err != nil {
		t.Fatal(err)
	}
	again := open(t, w)
	if got := again.Accounts(); len(got) != 2 || key(t, again, 7) != seven {
		t.Errorf("got %v", got)
	}
	many := make([]uint32, maxAccounts+1)
	for i := range many {
		many[i] = uint32(i)
	}
	if err := again.AddAccounts(many); ReasonOf(err) != ReasonAccount {
		t.Errorf("too many: %v", err)
	}
}
