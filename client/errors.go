package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"

	"lockstep/client/wire"
	"lockstep/types"
)

const maxProblem = 64 << 10

// unreachable returns the error of a node that did not answer. If the context has ended, by the caller or by our timeout, it is the cause
// of that.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return types.Refuse(types.CodeUnavailable, "the node at %s can't be reached (%v); start the node, or check the address", c.base, cause(err))
}

// cause removes the method and the address that net/http adds to an error: our text has the address.
func cause(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

// strange returns the error for a server that does not answer like a node.
func (c *Client) strange(format string, args ...any) error {
	return types.Refuse(types.CodeInternal, "the server at %s is not a Lockstep node of this version: %s; check the address",
		c.base, fmt.Sprintf(format, args...))
}

// lied returns the error of a node whose answer contradicts itself or the question.
func (c *Client) lied(format string, args ...any) error {
	return types.Refuse(types.CodeInternal, "don't trust the node at %s: %s", c.base, fmt.Sprintf(format, args...))
}

// problem turns a problem document (RFC 9457) into a refusal.
func (c *Client) problem(response *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(response.Body, maxProblem)) // a short read fails to decode below
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	var problem wire.Problem
	if kind == wire.ProblemType && json.Unmarshal(text, &problem) == nil && problem.Code != types.CodeOK {
		return &types.Refusal{Code: problem.Code, Detail: problem.Detail}
	}
	switch response.StatusCode {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout: // a proxy without its node
		return types.Refuse(types.CodeUnavailable, "the node behind %s does not answer (HTTP %d); start the node, or check the address",
			c.base, response.StatusCode)
	}
	return c.strange("HTTP %d without a problem document", response.StatusCode)
}
