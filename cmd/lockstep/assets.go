package main

import (
	"context"
	"fmt"
	"strings"

	"lockstep/api/wire"
	"lockstep/client"
	"lockstep/types"
)

// assetBook looks assets up at the node, each once. Nobody asks for all of them: anybody may issue any number.
type assetBook struct {
	ask   func(types.AssetID) (wire.Asset, error)
	known map[types.AssetID]wire.Asset
}

func newAssetBook(ctx context.Context, node *client.Client) *assetBook {
	return &assetBook{
		ask:   func(id types.AssetID) (wire.Asset, error) { return node.Asset(ctx, id) },
		known: map[types.AssetID]wire.Asset{},
	}
}

// of returns an asset by its ID.
func (b *assetBook) of(id types.AssetID) (wire.Asset, error) {
	asset, known := b.known[id]
	if known {
		return asset, nil
	}
	asset, err := b.ask(id)
	if err == nil {
		b.known[id] = asset
	}
	return asset, err
}

// look is of for the wallet: an asset that can't be looked up is unknown.
func (b *assetBook) look(id types.AssetID) (types.Asset, bool) {
	asset, err := b.of(id)
	return asset.Asset, err == nil
}

// mostOfCode is how many assets of one code an error lists.
const mostOfCode = 5

// asset finds an asset by its code or its ID.
func (s *session) asset(ctx context.Context, name string) (wire.Asset, error) {
	var id types.AssetID
	if id.UnmarshalText([]byte(name)) == nil {
		asset, err := s.assets.of(id)
		if types.CodeOf(err) == types.CodeNotFound {
			err = types.Refuse(types.CodeAssetUnknown, "there is no asset %q on this ledger", name)
		}
		return asset, err
	}
	found, err := s.node.Assets(ctx, name, client.Page{Limit: mostOfCode})
	if err != nil {
		return wire.Asset{}, err
	}
	switch len(found.Assets) {
	case 0:
		return wire.Asset{}, types.Refuse(types.CodeAssetUnknown, "there is no asset %q on this ledger", name)
	case 1:
		s.assets.known[found.Assets[0].ID] = found.Assets[0]
		return found.Assets[0], nil
	}
	var ids []string
	for _, asset := range found.Assets {
		ids = append(ids, fmt.Sprintf("%s (issued by %s)", asset.ID, asset.Asset.Issuer))
	}
	count := fmt.Sprint(len(ids))
	if found.Next != "" {
		count = "more than " + count
	}
	return wire.Asset{}, misuse("%s assets have the code %s; name one by its id: %s", count, name, strings.Join(ids, ", "))
}

// money writes an amount for a person.
func (s *session) money(id types.AssetID, amount types.Amount) string {
	asset, known := s.assets.look(id)
	if !known {
		return amount.String() + " units of " + id.String()[:8]
	}
	return amount.Format(asset.Decimals) + " " + asset.Code
}

// code is what people call an asset.
func (s *session) code(id types.AssetID) string {
	asset, known := s.assets.look(id)
	if !known {
		return id.String()[:8]
	}
	return asset.Code
}
