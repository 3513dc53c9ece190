package httpapi

import (
	"context"
	"mime"
	"net/http"
	"net/netip"

	"github.com/danielgtaylor/huma/v2"
	"lockstep/client/wire"
	"lockstep/types"
	"lockstep/types/strict"
)

// Joins keeps the requests of newcomers to become members, for the ledger's operators.
type Joins interface {
	// Add keeps a request of a client, or refuses it.
	Add(ctx context.Context, client netip.Prefix, r *types.JoinRequest) error
	// List returns the requests that wait, oldest first.
	List(ctx context.Context) []types.JoinRequest
	// Decline keeps an operator's refusal beside the request that it names.
	Decline(ctx context.Context, d *types.JoinDecline) error
	// State returns the request of a key, and its refusal if it was declined.
	State(ctx context.Context, key types.PublicKey) (types.JoinRequest, *types.JoinDecline, error)
}

// maxJoinBody bounds a request to join.
const maxJoinBody = 4 << 10

func (s *server) joinOperation() huma.Operation {
	op := huma.Operation{
		Method: http.MethodPost, Path: "/v1/join-requests", OperationID: "join", Summary: "Ask to become a member",
		Description: "Keeps the signed request of a key to be admitted, for the operators of the ledger. It is no transaction: only this node " +
			"knows of it. Sending it again is safe; another request of the key replaces it.",
		MaxBodyBytes:     maxJoinBody,
		RequestBody:      &huma.RequestBody{Required: true, Content: jsonOf("JoinRequest")},
		SkipValidateBody: true, // decodeJoin is stricter
	}
	describeProblems(&op, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity)
	s.protect(&op)
	return op
}

type joinInput struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	RawBody     []byte `contentType:"application/json"`
}

func (s *server) join(ctx context.Context, in *joinInput) (*answer[types.JoinRequest], error) {
	var request types.JoinRequest
	err := decodeJoin(in.ContentType, in.RawBody, "a request to join", &request)
	if err == nil {
		err = s.noJoins()
	}
	if err == nil {
		err = s.joins.Add(ctx, clientOf(ctx).network, &request)
	}
	return respond(s, request, err)
}

// decodeJoin reads the body of a newcomer's or operator's message.
func decodeJoin(contentType string, body []byte, what string, into any) error {
	if kind, _, err := mime.ParseMediaType(contentType); err != nil || kind != "application/json" {
		return newProblem(http.StatusUnsupportedMediaType, types.CodeMalformed, "the Content-Type of "+what+" must be application/json: set it")
	}
	if err := strict.Unmarshal(body, into); err != nil {
		return types.Refuse(types.CodeMalformed, "the body must be %s: %v", what, err)
	}
	return nil
}

func (s *server) joinRequests(ctx context.Context, _ *struct{}) (*answer[wire.JoinRequests], error) {
	if err := s.noJoins(); err != nil {
		return nil, s.refuse(err)
	}
	return respond(s, wire.JoinRequests{Requests: filled(s.joins.List(ctx))}, nil)
}

func (s *server) joinState(ctx context.Context, in *memberInput) (*answer[wire.JoinState], error) {
	if member, err := s.ledger.Member(ctx, in.Key); types.CodeOf(err) != types.CodeNotFound {
		return respond(s, wire.JoinState{State: wire.JoinAdmitted, Member: &member}, err)
	}
	if err := s.noJoins(); err != nil {
		return nil, s.refuse(err)
	}
	request, decline, err := s.joins.State(ctx, in.Key)
	state := wire.JoinState{State: wire.JoinWaiting, Request: &request, Decline: decline}
	if decline != nil {
		state.State = wire.JoinDeclined
	}
	return respond(s, state, err)
}

func (s *server) declineOperation() huma.Operation {
	op := huma.Operation{
		Method: http.MethodPost, Path: "/v1/join-requests/{key}/decline", OperationID: "decline-join", Summary: "Decline a request to become a member",
		Description: "Keeps an operator's signed refusal beside the request that it names, so that the newcomer reads the reason. It is no transaction, " +
			"and an operator can still admit the key.",
		MaxBodyBytes:     maxJoinBody,
		RequestBody:      &huma.RequestBody{Required: true, Content: jsonOf("JoinDecline")},
		SkipValidateBody: true, // decodeJoin is stricter
	}
	describeProblems(&op, http.StatusForbidden, http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity)
	s.protect(&op)
	return op
}

type declineInput struct {
	Key         types.PublicKey `path:"key" doc:"the public key that asked"`
	ContentType string          `header:"Content-Type" hidden:"true"`
	RawBody     []byte          `contentType:"application/json"`
}

func (s *server) declineJoin(ctx context.Context, in *declineInput) (*answer[types.JoinDecline], error) {
	var decline types.JoinDecline
	err := decodeJoin(in.ContentType, in.RawBody, "a refusal of a request to join", &decline)
	if err == nil {
		err = s.noJoins()
	}
	if err == nil && decline.Key != in.Key {
		err = types.Refuse(types.CodeMalformed, "the refusal is about %s, the address about %s", decline.Key, in.Key)
	}
	if err == nil {
		err = s.joins.Decline(ctx, &decline)
	}
	return respond(s, decline, err)
}

// noJoins is the refusal of a node that keeps no requests to join, or nil.
func (s *server) noJoins() error {
	if s.joins == nil {
		return types.Refuse(types.CodeNotFound, "this node keeps no requests to join: tell the operator your key in another way")
	}
	return nil
}
