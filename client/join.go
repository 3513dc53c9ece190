package client

import (
	"context"
	"encoding/json"

	"lockstep/client/wire"
	"lockstep/types"
)

// Join sends a request to become a member to the node, which keeps it for the operators of the ledger.
func (c *Client) Join(ctx context.Context, r *types.JoinRequest) error {
	body, err := json.Marshal(r)
	if err == nil {
		err = c.exchange(ctx, request{path: "/v1/join-requests", body: body, contentType: "application/json"}, new(types.JoinRequest))
	}
	return wrap("ask to join", err)
}

// JoinRequests returns the requests that wait at the node, oldest first. Their signatures are checked, but a node can omit requests.
func (c *Client) JoinRequests(ctx context.Context) ([]types.JoinRequest, error) {
	var answer wire.JoinRequests
	err := c.get(ctx, "/v1/join-requests", nil, &answer)
	for i := range answer.Requests {
		r := &answer.Requests[i]
		if err == nil && (r.Member.Check() != nil || !types.VerifyEd25519(r.Member.Key, r.Message(), r.Signature[:])) {
			err = c.lied("its answer has a request to join that the key %s has not signed", r.Member.Key)
		}
	}
	return answer.Requests, wrap("requests to join", err)
}
