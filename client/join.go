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

// JoinState returns the state of a key's request to join at the node. A refusal is signed by an operator; that a request waits is the node's word.
func (c *Client) JoinState(ctx context.Context, key types.PublicKey) (wire.JoinState, error) {
	var answer wire.JoinState
	err := c.get(ctx, "/v1/join-requests/"+key.String(), nil, &answer)
	if err == nil && !honestState(&answer, key) {
		err = c.lied("its answer on the request to join of %s holds something that nobody has signed, or is about another key", key)
	}
	return answer, wrap("request to join", err)
}

// honestState reports whether an answer is about a key, and its parts are signed.
func honestState(s *wire.JoinState, key types.PublicKey) bool {
	if r := s.Request; r != nil && (r.Member.Key != key || r.Member.Check() != nil || !types.VerifyEd25519(key, r.Message(), r.Signature[:])) {
		return false
	}
	if d := s.Decline; d != nil && (d.Key != key || !types.VerifyEd25519(d.Operator, d.Message(), d.Signature[:])) {
		return false
	}
	switch s.State {
	case wire.JoinWaiting:
		return s.Request != nil && s.Decline == nil
	case wire.JoinDeclined:
		return s.Request != nil && s.Decline != nil && s.Decline.ValidUntil == s.Request.ValidUntil
	case wire.JoinAdmitted:
		return s.Member != nil && s.Member.Key == key
	}
	return false
}

// DeclineJoin sends an operator's refusal of a request to join to the node, which shows it to the newcomer.
func (c *Client) DeclineJoin(ctx context.Context, d *types.JoinDecline) error {
	body, err := json.Marshal(d)
	if err == nil {
		err = c.exchange(ctx, request{path: "/v1/join-requests/" + d.Key.String() + "/decline", body: body, contentType: "application/json"}, new(types.JoinDecline))
	}
	return wrap("decline a request to join", err)
}
