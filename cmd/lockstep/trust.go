package main

import (
	"context"
	"fmt"
	"strings"

	"lockstep/internal/light"
	"lockstep/types"
	"lockstep/wallet"
)

type walletTrustCmd struct {
	walletFlags
	Asset string `arg:"" help:"The asset: its whole id, or its code and its issuer's whole key with a dot between."`
	Label string `help:"Your name for the issuer, shown with the asset everywhere." placeholder:"NAME"`
}

// shownAsset is an asset that the wallet trusts.
type shownAsset struct {
	Name     string          `json:"name"`
	Asset    types.AssetID   `json:"asset"`
	Code     string          `json:"code"`
	Decimals uint8           `json:"decimals"`
	Issuer   types.PublicKey `json:"issuer"`
	Label    string          `json:"label,omitempty"`
}

func showAsset(b *assetBook, t *wallet.TrustedAsset) shownAsset {
	return shownAsset{b.name(t.Asset.ID()), t.Asset.ID(), t.Asset.Code, t.Asset.Decimals, t.Asset.Issuer, t.Label}
}

func (c *walletTrustCmd) Run(ctx context.Context, a *app) error {
	if c.Label != "" {
		if err := wallet.CheckLabel(c.Label); err != nil {
			return &usageError{err}
		}
	}
	s, err := a.session(ctx, &c.walletFlags)
	if err != nil {
		return err
	}
	asset, err := s.asset(ctx, c.Asset)
	if err != nil {
		return err
	}
	alike := lookAlike(s.wallet.Trusted(), &asset)
	if err := s.wallet.Trust(asset, c.Label); err != nil {
		return err
	}
	shown := showAsset(s.assets, &wallet.TrustedAsset{Asset: asset, Label: c.Label})
	return a.show(shown, func(p *page) {
		p.line("%s is trusted by this wallet: asset %s,\nwith %d decimal places, issued by %s.", shown.Name, shown.Asset, shown.Decimals, shown.Issuer)
		if alike != "" {
			p.line("Its code looks like that of %s, which the wallet trusts too. They are different assets.", alike)
		}
	})
}

// lookAlike returns the code of another trusted asset that a reader may confuse with that of an asset.
func lookAlike(before []wallet.TrustedAsset, asset *types.Asset) string {
	plain := strings.NewReplacer("0", "O", "1", "I", "L", "I", "5", "S", "8", "B", "2", "Z", "6", "G", "-", "")
	for _, t := range before {
		if t.Asset.Code != asset.Code && plain.Replace(t.Asset.Code) == plain.Replace(asset.Code) {
			return t.Asset.Code
		}
	}
	return ""
}

type walletUntrustCmd struct {
	walletFlags
	Asset string `arg:"" help:"The asset, as the wallet shows it, or its id."`
}

func (c *walletUntrustCmd) Run(a *app) error {
	w, err := c.open(a)
	if err != nil {
		return err
	}
	id, err := trustedID(w, c.Asset)
	if err != nil {
		return err
	}
	if err := w.Untrust(id); err != nil {
		return err
	}
	return a.show(map[string]types.AssetID{"asset": id}, func(p *page) { p.line("Asset %s is no longer trusted by this wallet.", id) })
}

// trustedID finds a trusted asset without a node.
func trustedID(w *wallet.Wallet, name string) (id types.AssetID, err error) {
	if id.UnmarshalText([]byte(name)) == nil {
		return id, nil
	}
	code, issuer, _ := strings.Cut(name, ".")
	book := &assetBook{wallet: w}
	var found []types.Asset
	for _, t := range w.Trusted() {
		if _, label := book.standing(&t.Asset); t.Asset.Code == code && names(&t.Asset, label, issuer) {
			found = append(found, t.Asset)
		}
	}
	if prefix := strings.ToLower(name); len(found) == 0 && len(prefix) >= types.MinPrefix {
		for _, t := range w.Trusted() {
			if strings.HasPrefix(t.Asset.ID().String(), prefix) {
				found = append(found, t.Asset)
			}
		}
	}
	switch len(found) {
	case 0:
		return id, &wallet.Error{Reason: wallet.ReasonMissing, Detail: fmt.Sprintf("this wallet trusts no asset %q: list its assets with: lockstep wallet assets", name)}
	case 1:
		return found[0].ID(), nil
	}
	return id, ambiguous(name, found)
}

type walletAssetsCmd struct{ walletFlags }

func (c *walletAssetsCmd) Run(a *app) error {
	w, err := c.open(a)
	if err != nil {
		return err
	}
	book := &assetBook{wallet: w}
	shown := []shownAsset{}
	for _, t := range w.Trusted() {
		shown = append(shown, showAsset(book, &t))
	}
	return a.show(shown, func(p *page) {
		if len(shown) == 0 {
			p.line("This wallet trusts no asset yet: %s", a.next("wallet trust"))
			return
		}
		p.row("asset", "places", "id")
		for _, asset := range shown {
			p.row(asset.Name, fmt.Sprint(asset.Decimals), asset.Asset.String())
		}
	})
}

type walletLedgerCmd struct {
	walletFlags
	yesFlag
	Change  bool   `help:"Use the wallet on the ledger of the node that is asked from now on."`
	Trusted string `help:"Trust the header of this height with this hash, which you have from somebody whom you trust: later headers are checked from it." placeholder:"HEIGHT:HASH"`
}

type shownLedger struct {
	ChainID string     `json:"chain_id"`
	Genesis types.Hash `json:"genesis"`
	Params  types.Hash `json:"params"`
	Trusted string     `json:"trusted,omitempty"` // header, HEIGHT:HASH
}

func (c *walletLedgerCmd) Run(ctx context.Context, a *app) error {
	w, err := c.open(a)
	if err != nil {
		return err
	}
	ledger, used := w.Ledger()
	if c.Change {
		s, err := a.visitor(ctx)
		if err != nil {
			return err
		}
		now := s.ledger.ID()
		p := plan{ask: fmt.Sprintf("Use this wallet on ledger %q with genesis %s from now on", now.ChainID, now.Genesis)}
		if used {
			p.worst = []string{fmt.Sprintf("It is used on ledger %q with genesis %s.", ledger.ChainID, ledger.Genesis),
				"Money and trades stay on their ledger. If you did not start a new ledger yourself, the node may lie."}
		}
		if _, err := s.consent(c.yesFlag, p, wallet.Cost{}); err != nil {
			return err
		}
		if err := w.SetLedger(now); err != nil {
			return err
		}
		ledger, used = now, true
	}
	if c.Trusted != "" {
		if err := c.trust(ctx, a, w); err != nil {
			return err
		}
	}
	shown := shownLedger{ChainID: ledger.ChainID, Genesis: ledger.Genesis, Params: ledger.Params}
	header, pinned := w.Header()
	if pinned {
		shown.Trusted = light.Pin{Height: header.Height, Hash: header.Hash}.String()
	}
	return a.show(shown, func(p *page) {
		if !used {
			p.line("This wallet has not been used yet. It is used on the ledger of the first node that it asks.")
			return
		}
		p.row("ledger", ledger.ChainID)
		p.row("genesis", ledger.Genesis.String())
		p.row("parameters", ledger.Params.String())
		if pinned {
			p.row("header", shown.Trusted)
		}
	})
}

// trust makes a header the trusted one, once the node has shown it with the signatures of its validators.
func (c *walletLedgerCmd) trust(ctx context.Context, a *app, w *wallet.Wallet) error {
	pin, err := light.ParsePin(c.Trusted)
	if err != nil {
		return misuse("--trusted: %v", err)
	}
	s, err := a.visitor(ctx)
	if err != nil {
		return err
	}
	if err := w.CheckLedger(s.ledger.ID()); err != nil {
		return err
	}
	checks := light.New(s.node, light.Config{Genesis: s.ledger.ID().Genesis, Pin: pin})
	if _, err := checks.At(ctx, pin.Height); err != nil {
		return err
	}
	return checks.Trust(w)
}
