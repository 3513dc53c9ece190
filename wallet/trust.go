package wallet

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"lockstep/types"
)

// TrustedAsset is an asset whose issuer the user knows, under a label of the user's own.
type TrustedAsset struct {
	Asset types.Asset
	Label string
}

const (
	// OwnLabel stands for the wallet's own keys as issuers.
	OwnLabel = "own"

	maxTrusted = 256
	maxLabel   = 32
	keyPrefix  = "lk1" // of every key as text, so no label may begin with it
)

// checkTrusted refuses an asset that can't stand beside those before it.
func checkTrusted(before []TrustedAsset, trusted *TrustedAsset) error {
	if err := trusted.Asset.Check(); err != nil {
		return err
	}
	if err := CheckLabel(trusted.Label); err != nil {
		return err
	}
	for i := range before {
		other := &before[i]
		switch {
		case other.Asset == trusted.Asset:
			return refuse(ReasonExists, "the asset %s is trusted already", trusted.Asset.ID())
		case other.Label == trusted.Label && sharesName(&other.Asset, &trusted.Asset, trusted.Label):
			return refuse(ReasonExists, "asset %s would have the same name or issuer's label as %s of %s, which is trusted already: choose another label",
				trusted.Asset.ID(), other.Asset.Code, other.Asset.Issuer)
		}
	}
	return nil
}

// sharesName reports whether two assets of one label would be mistaken for each other: a label stands for one issuer, and an
// issuer's assets of one code differ in their decimal places alone.
func sharesName(a, b *types.Asset, label string) bool {
	if a.Issuer == b.Issuer {
		return a.Code == b.Code
	}
	return label != ""
}

// CheckLabel refuses a label that could be taken for a key or for two words.
func CheckLabel(label string) error {
	if err := types.CheckText("label", label, maxLabel); err != nil {
		return err
	}
	odd := strings.IndexFunc(label, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' && r != '_' })
	if odd >= 0 || strings.HasPrefix(strings.ToLower(label), keyPrefix) {
		return types.Refuse(types.CodeMalformed, "%q is not a label: take letters, digits, '-' and '_', and don't begin with %q, as keys do", label, keyPrefix)
	}
	return nil
}

// Trusted lists the assets that the user trusts.
func (w *Wallet) Trusted() []TrustedAsset {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.assets)
}

// Trust adds an asset to those that the user trusts, or gives one another label, and stores it. The label may be empty.
func (w *Wallet) Trust(asset types.Asset, label string) error {
	owner := w.OwnLabelOf(asset.Issuer)
	w.mu.Lock()
	defer w.mu.Unlock()
	if owner == "" && strings.HasPrefix(label, OwnLabel) {
		return refuse(ReasonExists, "labels that begin with %q are for assets that the wallet issues itself: choose another than %q", OwnLabel, label)
	}
	kept := slices.DeleteFunc(slices.Clone(w.assets), func(t TrustedAsset) bool { return t.Asset == asset })
	trusted := TrustedAsset{Asset: asset, Label: label}
	if err := checkTrusted(kept, &trusted); err != nil {
		return err
	}
	if len(kept) >= maxTrusted {
		return refuse(ReasonLimit, "the wallet trusts %d assets, which is the most: take one back first", len(kept))
	}
	return w.setAssets(append(kept, trusted))
}

// Untrust takes an asset out of those that the user trusts, and stores it.
func (w *Wallet) Untrust(id types.AssetID) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	kept := slices.DeleteFunc(slices.Clone(w.assets), func(t TrustedAsset) bool { return t.Asset.ID() == id })
	if len(kept) == len(w.assets) {
		return refuse(ReasonMissing, "the wallet does not trust the asset %s", id)
	}
	return w.setAssets(kept)
}

func (w *Wallet) setAssets(assets []TrustedAsset) error {
	before := w.assets
	w.assets = assets
	if err := w.write(true); err != nil {
		w.assets = before
		return err
	}
	return nil
}

// OwnLabelOf is the label of an issuer that is an account of the wallet: "own", with the account's number behind it from 1 on. It
// is empty for other keys.
func (w *Wallet) OwnLabelOf(issuer types.PublicKey) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, info := range w.infos {
		if account, err := w.account(info.Index); err != nil || account.key != issuer {
			continue
		}
		if info.Index == 0 {
			return OwnLabel
		}
		return OwnLabel + strconv.FormatUint(uint64(info.Index), 10)
	}
	return ""
}
