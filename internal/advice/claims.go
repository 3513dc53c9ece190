package advice

import (
	"context"
	"slices"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/types"
)

// Claims are the claims of other trades that are served before an agreement, from the same meter in the same slot.
type Claims struct {
	Metered bool // goods that no meter counts have no claims
	Sum     uint64
	Before  []wire.Claim
	More    bool // there are more than the node lists
}

// ClaimsBefore lists the claims that are served before an agreement. An agreement that is not on the ledger yet comes after all claims
// of its slot. The node supplies the list: a wallet can't check that it is complete.
func ClaimsBefore(ctx context.Context, node *client.Client, agreement *types.Agreement) (found Claims, err error) {
	flow := agreement.Goods.Flow
	if flow.IsZero() {
		return Claims{}, nil
	}
	claims, err := node.Claims(ctx, flow, agreement.Goods.From)
	if err != nil {
		return Claims{}, err
	}
	found = Claims{Metered: true, More: claims.Partial}
	for _, slot := range claims.Slots {
		found.Before = append(found.Before, slot.Claims...)
	}
	own := agreement.ID()
	if at := slices.IndexFunc(found.Before, func(c wire.Claim) bool { return c.Trade == own }); at >= 0 { // claims of the same block share with it
		height := found.Before[at].Height
		found.Before = slices.DeleteFunc(found.Before, func(c wire.Claim) bool { return c.Trade == own || c.Height > height })
	}
	for _, claim := range found.Before {
		found.Sum += claim.Quantity // of at most 2,000 claims of 2^48, which fits
	}
	return found, nil
}
