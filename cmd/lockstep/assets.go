package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"unicode"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/types"
	"lockstep/wallet"
)

// standing is the relation of the wallet to an asset's issuer.
type standing int

const (
	unknownIssuer standing = iota
	trusted                // by the wallet
	own                    // issued by the wallet
)

// assetBook finds assets: in the wallet's list of trusted assets, else at the node, which it asks once for each. It never asks
// for all assets, since anyone may issue any number.
type assetBook struct {
	ask    func(types.AssetID) (wire.Asset, error)
	told   map[types.AssetID]wire.Asset // from the node, after a check against the ID
	wallet *wallet.Wallet               // nil without one
}

func newAssetBook(ctx context.Context, node *client.Client) *assetBook {
	return &assetBook{
		ask:  func(id types.AssetID) (wire.Asset, error) { return node.Asset(ctx, id) },
		told: map[types.AssetID]wire.Asset{},
	}
}

// trusted lists the assets that the wallet trusts.
func (b *assetBook) trusted() []wallet.TrustedAsset {
	if b.wallet == nil {
		return nil
	}
	return b.wallet.Trusted()
}

// of returns an asset by its ID: an ID commits to issuer, code and decimals, so no node can lie about them.
func (b *assetBook) of(id types.AssetID) (types.Asset, error) {
	for _, t := range b.trusted() {
		if t.Asset.ID() == id {
			return t.Asset, nil
		}
	}
	if asset, known := b.told[id]; known {
		return asset.Asset, nil
	}
	asset, err := b.ask(id)
	if types.CodeOf(err) == types.CodeNotFound {
		err = types.Refuse(types.CodeAssetUnknown, "there is no asset %s on this ledger", id)
	}
	if err == nil {
		err = b.note(asset)
	}
	return asset.Asset, err
}

// note caches an asset from the node once it matches its ID.
func (b *assetBook) note(asset wire.Asset) error {
	if asset.Asset.ID() != asset.ID || asset.Asset.Check() != nil {
		return types.Refuse(types.CodeInternal, "the node's data of asset %s do not match its id: don't trust that node, ask another", asset.ID)
	}
	b.told[asset.ID] = asset
	return nil
}

// look is [assetBook.of] for display: it returns false for an asset that can't be found.
func (b *assetBook) look(id types.AssetID) (types.Asset, bool) {
	asset, err := b.of(id)
	return asset, err == nil
}

// standing returns the relation of the wallet to an asset's issuer, and the wallet's label for the issuer.
func (b *assetBook) standing(asset *types.Asset) (standing, string) {
	stands, label := unknownIssuer, ""
	if b.wallet != nil {
		if label = b.wallet.OwnLabelOf(asset.Issuer); label != "" {
			stands = own
		}
	}
	for _, t := range b.trusted() {
		if t.Asset == *asset {
			return max(stands, trusted), cmp.Or(t.Label, label)
		}
	}
	return stands, label
}

// shortKey returns enough of a key to tell issuers apart at a glance. It proves nothing: only a label or the whole key does.
func shortKey(key types.PublicKey) string { return key.String()[:13] }

// name returns the name by which every command shows an asset: its code, then the label of its issuer or the beginning of the
// issuer's key. A mark follows when the wallet does not know the issuer.
func (b *assetBook) name(id types.AssetID) string {
	name, mark := b.nameAndMark(id)
	return name + mark
}

// nameAndMark returns the two parts of a name, for a text that has something between them.
func (b *assetBook) nameAndMark(id types.AssetID) (name, mark string) {
	asset, known := b.look(id)
	if !known {
		return "asset " + id.String()[:12], " (unknown)"
	}
	stands, label := b.standing(&asset)
	if stands == unknownIssuer && b.wallet != nil {
		mark = " (unknown issuer)"
	}
	return asset.Code + "." + cmp.Or(label, shortKey(asset.Issuer)), mark
}

// money formats an amount for display.
func (s *session) money(id types.AssetID, amount types.Amount) string {
	asset, known := s.assets.look(id)
	if !known {
		return amount.String() + " smallest units of " + s.assets.name(id)
	}
	return amount.Format(asset.Decimals) + " " + s.assets.name(id)
}

// code is [assetBook.name].
func (s *session) code(id types.AssetID) string { return s.assets.name(id) }

// unknown reports whether the wallet does not know an asset's issuer; false without a wallet.
func (s *session) unknown(id types.AssetID) bool {
	asset, known := s.assets.look(id)
	if s.assets.wallet == nil {
		return false
	}
	stands, _ := s.assets.standing(&asset)
	return !known || stands == unknownIssuer
}

// decimals returns the number of decimal places of an asset.
func (s *session) decimals(id types.AssetID) int {
	asset, _ := s.assets.look(id)
	return int(asset.Decimals)
}

// mostListed bounds the assets that an error lists.
const mostListed = 5

// asset finds the asset that a user names: by its ID or a unique beginning of it; by its code, among the assets that the wallet trusts or issues; or by
// code and issuer as they are shown, with a dot between. Only a whole ID, or a code with the issuer's whole key, names an asset
// of an unknown issuer. Without a wallet, a code or the beginning of an ID names the only asset that has it.
func (s *session) asset(ctx context.Context, name string) (types.Asset, error) {
	var id types.AssetID
	if id.UnmarshalText([]byte(name)) == nil {
		return s.assets.of(id)
	}
	asset, err := s.assetOfCode(ctx, name)
	if err == nil || wallet.ReasonOf(err) != "" || strings.HasPrefix(strings.ToLower(name), "lk1") {
		return asset, err
	}
	if _, _, notOne := types.PrefixRange(name); notOne != nil { // no beginning of an ID either
		return asset, err
	}
	return s.assetOfPrefix(ctx, strings.ToLower(name))
}

// assetOfPrefix finds the asset whose ID alone has a beginning. Anybody can search for an issuer whose asset has that beginning, so an unknown issuer's
// takes the whole ID where there is a wallet.
func (s *session) assetOfPrefix(ctx context.Context, prefix string) (types.Asset, error) {
	found, err := s.node.IDs(ctx, "asset", prefix)
	if err != nil {
		return types.Asset{}, err
	}
	var assets []types.Asset
	for _, text := range found.IDs {
		var id types.AssetID
		if err := id.UnmarshalText([]byte(text)); err != nil {
			return types.Asset{}, err
		}
		asset, err := s.assets.of(id)
		if err != nil {
			return types.Asset{}, err
		}
		assets = append(assets, asset)
	}
	switch len(assets) {
	case 0:
		return types.Asset{}, types.Refuse(types.CodeAssetUnknown, "there is no asset on this ledger whose code is %q or whose id begins with it", prefix)
	case 1:
		if stands, _ := s.assets.standing(&assets[0]); s.assets.wallet != nil && stands == unknownIssuer {
			return types.Asset{}, s.untrusted(prefix, assets)
		}
		return assets[0], nil
	}
	return types.Asset{}, misuse("%s is the beginning of several ids; give more digits of the one you mean: %s", prefix, listed(assets))
}

// assetOfCode finds an asset by its code.
func (s *session) assetOfCode(ctx context.Context, name string) (types.Asset, error) {
	code, issuer, _ := strings.Cut(name, ".")
	if err := checkCode(name, code); err != nil {
		return types.Asset{}, err
	}
	var mine []types.Asset
	for _, t := range s.assets.trusted() {
		if _, label := s.assets.standing(&t.Asset); t.Asset.Code == code && names(&t.Asset, label, issuer) {
			mine = append(mine, t.Asset)
		}
	}
	if len(mine) == 1 {
		return mine[0], nil
	}
	if len(mine) > 1 {
		return types.Asset{}, ambiguous(name, mine)
	}
	return s.assetOfNode(ctx, name, code, issuer)
}

// mostOfCode bounds the assets of one code that are fetched: anyone may issue any number.
const mostOfCode = 100

// assetsOf lists assets of a code that the node knows.
func (s *session) assetsOf(ctx context.Context, code string) (found []types.Asset, err error) {
	told, err := s.node.Assets(ctx, code, client.Page{Limit: mostOfCode})
	for _, asset := range told.Assets {
		if err := s.assets.note(asset); err != nil {
			return nil, err
		}
		found = append(found, asset.Asset)
	}
	return found, err
}

// assetOfNode finds an asset that the wallet has not pinned.
func (s *session) assetOfNode(ctx context.Context, name, code, issuer string) (types.Asset, error) {
	told, err := s.assetsOf(ctx, code)
	if err != nil {
		return types.Asset{}, err
	}
	byStanding := map[standing][]types.Asset{}
	var whole []types.Asset // named by the issuer's whole key
	for _, asset := range told {
		stands, label := s.assets.standing(&asset)
		if names(&asset, label, issuer) {
			byStanding[stands] = append(byStanding[stands], asset)
		}
		if issuer == asset.Issuer.String() {
			whole = append(whole, asset)
		}
	}
	candidates := [][]types.Asset{byStanding[own], whole}
	if s.assets.wallet == nil {
		candidates = append(candidates, byStanding[unknownIssuer])
	}
	for _, found := range candidates {
		if len(found) == 1 {
			return found[0], nil
		}
		if len(found) > 1 {
			return types.Asset{}, ambiguous(name, found)
		}
	}
	if strangers := byStanding[unknownIssuer]; len(strangers) > 0 {
		return types.Asset{}, s.untrusted(name, strangers)
	}
	return types.Asset{}, types.Refuse(types.CodeAssetUnknown, "there is no asset %q on this ledger", name)
}

// names reports whether the text after a code stands for an asset's issuer: no text, its label, its key, or the beginning of the
// key that is shown.
func names(asset *types.Asset, label, issuer string) bool {
	return issuer == "" || issuer == label || issuer == asset.Issuer.String() || issuer == shortKey(asset.Issuer)
}

// checkCode refuses a malformed asset code. A code has capital letters, digits and '-'.
func checkCode(name, code string) error {
	if types.CheckAssetCode(code) == nil {
		return nil
	}
	if capitals := strings.ToUpper(code); types.CheckAssetCode(capitals) == nil {
		return misuse("%q is not the code of an asset: codes have capital letters; write %s if you mean that asset", name, capitals)
	}
	for _, r := range code {
		if r > unicode.MaxASCII {
			return misuse("%q is not the code of an asset: it holds the character %U, and codes have only A to Z, digits and '-'", name, r)
		}
	}
	return misuse("%q is neither the code nor the id of an asset", name)
}

func ambiguous(name string, found []types.Asset) error {
	return misuse("%d assets are called %s; name one by its id: %s", len(found), name, listed(found))
}

// untrusted says how to trust an asset whose issuer is unknown.
func (s *session) untrusted(name string, found []types.Asset) error {
	id := found[0].ID().String()
	if len(found) > 1 {
		id = "ID"
	}
	return &wallet.Error{Reason: wallet.ReasonAsset, Detail: fmt.Sprintf("this wallet knows no issuer of %s, and anybody can issue an asset of that code. "+
		"On the ledger: %s. Compare the key with the one that the issuer publishes; if they are equal: %s", name, listed(found), s.next("wallet trust", id, "--label", "NAME"))}
}

func listed(found []types.Asset) string {
	var texts []string
	for i := range found[:min(len(found), mostListed)] {
		asset := &found[i]
		texts = append(texts, fmt.Sprintf("%s (%s, %d decimal places, issued by %s)", asset.ID(), asset.Code, asset.Decimals, asset.Issuer))
	}
	if more := len(found) - len(texts); more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(texts, ", ")
}

// vouch refuses an asset of an unknown issuer in an offer or a proposal of others, unless the user has named the asset: by its
// ID, or by another name that only this asset has.
func (s *session) vouch(ctx context.Context, id types.AssetID, named string) error {
	if named != "" {
		asset, err := s.asset(ctx, named)
		if err == nil && asset.ID() != id {
			err = &wallet.Error{Reason: wallet.ReasonAsset, Detail: fmt.Sprintf("it is not paid in %s, as --asset says, but in %s (asset %s)",
				named, s.assets.name(id), id)}
		}
		return err
	}
	asset, err := s.assets.of(id)
	if err != nil {
		return err
	}
	if stands, _ := s.assets.standing(&asset); stands != unknownIssuer {
		return nil
	}
	return &wallet.Error{Reason: wallet.ReasonAsset, Detail: fmt.Sprintf("it is paid in %s, whose issuer %s this wallet does not know: anybody can "+
		"issue an asset of that code. If you know the issuer: %s. To take it once: --asset %s",
		s.assets.name(id), asset.Issuer, s.next("wallet trust", id.String(), "--label", "NAME"), id)}
}

// spendable parses an asset to spend and an amount of it. Giving money away is no risk, so the only asset of a code may have an
// unknown issuer; its name is then marked.
func (s *session) spendable(ctx context.Context, amount, name string) (types.Asset, types.Amount, error) {
	asset, err := s.asset(ctx, name)
	if wallet.ReasonOf(err) == wallet.ReasonAsset {
		code, _, _ := strings.Cut(name, ".")
		if all, listing := s.assetsOf(ctx, code); listing == nil && len(all) == 1 {
			asset, err = all[0], nil
		}
	}
	if err != nil {
		return asset, 0, err
	}
	parsed, err := parseAmount(amount, asset.Decimals)
	return asset, parsed, err
}
