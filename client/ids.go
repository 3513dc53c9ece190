package client

import (
	"context"
	"net/url"
	"strings"

	"lockstep/client/wire"
)

// IDs returns the first few IDs of a kind (trade, offer, asset, product, transaction, point, key) that begin with some digits, in order.
// A node that omits IDs can't be detected.
func (c *Client) IDs(ctx context.Context, kind, prefix string) (ids wire.IDs, err error) {
	err = c.get(ctx, "/v1/ids/"+url.PathEscape(kind)+"/"+url.PathEscape(prefix), nil, &ids)
	for _, id := range ids.IDs {
		if err == nil && !strings.HasPrefix(id, prefix) {
			err = c.lied("%q does not begin with %q", id, prefix)
		}
	}
	return ids, wrap("ids of a "+kind, err)
}
