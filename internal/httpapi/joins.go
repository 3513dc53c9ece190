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
	request, err := decodeJoin(in.ContentType, in.RawBody)
	if err == nil {
		err = s.noJoins()
	}
	if err == nil {
		err = s.joins.Add(ctx, clientOf(ctx).network, &request)
	}
	return respond(s, request, err)
}

func decodeJoin(contentType string, body []byte) (r types.JoinRequest, err error) {
	if kind, _, err := mime.ParseMediaType(contentType); err != nil || kind != "application/json" {
		return r, newProblem(http.StatusUnsupportedMediaType, types.CodeMalformed, "the Content-Type of a request to join must be application/json: set it")
	}
	if err := strict.Unmarshal(body, &r); err != nil {
		return r, types.Refuse(types.CodeMalformed, "the body must be a request to join: %v", err)
	}
	return r, nil
}

func (s *server) joinRequests(ctx context.Context, _ *struct{}) (*answer[wire.JoinRequests], error) {
	if err := s.noJoins(); err != nil {
		return nil, s.refuse(err)
	}
	return respond(s, wire.JoinRequests{Requests: filled(s.joins.List(ctx))}, nil)
}

// noJoins is the refusal of a node that keeps no requests to join, or nil.
func (s *server) noJoins() error {
	if s.joins == nil {
		return types.Refuse(types.CodeNotFound, "this node keeps no requests to join: tell the operator your key in another way")
	}
	return nil
}
