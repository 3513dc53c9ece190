package httpapi

import (
	"errors"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"lockstep/client/wire"
	"lockstep/types"
)

// statusOf returns the HTTP status of a code. It is the only place that maps them.
func statusOf(code types.Code) int {
	switch code {
	case types.CodeOK:
		return http.StatusOK
	case types.CodeMalformed:
		return http.StatusBadRequest
	case types.CodeTooLarge:
		return http.StatusRequestEntityTooLarge
	case types.CodeToken:
		return http.StatusUnauthorized
	case types.CodeNotFound:
		return http.StatusNotFound
	case types.CodePruned:
		return http.StatusGone
	case types.CodePending, types.CodeAhead:
		return http.StatusConflict
	case types.CodePoolFull, types.CodeUnavailable:
		return http.StatusServiceUnavailable
	case types.CodeInternal:
		return http.StatusInternalServerError
	}
	return http.StatusUnprocessableEntity // a rule of the ledger refuses the transaction: the code says which
}

// codeOf returns the code of a request that HTTP itself refuses. It only distinguishes the side that must act.
func codeOf(status int) types.Code {
	switch status {
	case http.StatusUnauthorized:
		return types.CodeToken
	case http.StatusNotFound:
		return types.CodeNotFound
	case http.StatusGone:
		return types.CodePruned
	case http.StatusRequestEntityTooLarge:
		return types.CodeTooLarge
	case http.StatusRequestTimeout, http.StatusServiceUnavailable:
		return types.CodeUnavailable
	}
	if status >= http.StatusInternalServerError {
		return types.CodeInternal
	}
	return types.CodeMalformed
}

// problem is an error in the form in which it is sent.
type problem struct{ wire.Problem }

func newProblem(status int, code types.Code, detail string) *problem {
	return &problem{wire.Problem{
		Type: docsPath + "#" + code.String(), Title: code.Sentence(), Status: status, Detail: detail, Code: code,
	}}
}

// Error, GetStatus and ContentType implement the error interfaces of huma.
func (p *problem) Error() string             { return p.Detail }
func (p *problem) GetStatus() int            { return p.Status }
func (p *problem) ContentType(string) string { return wire.ProblemType }

// useProblems replaces the errors of huma, whose constructor is a variable of its package. huma answers an unreadable parameter with 422
// and an unreadable body with 500; here both are 400. Failures of the node take another path: see refuse.
var useProblems = sync.OnceFunc(func() { //nolint:gochecknoglobals // guards a variable of huma's package, which is set once
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		if status == http.StatusUnprocessableEntity || status == http.StatusInternalServerError {
			status = http.StatusBadRequest
		}
		details := make([]string, 0, len(errs))
		for _, err := range errs {
			details = append(details, describe(err))
		}
		if len(details) > 0 {
			message = strings.Join(details, "; ")
		}
		return newProblem(status, codeOf(status), message)
	}
})

// describe returns the parameter and its fault. It does not repeat the value, which the client has sent.
func describe(err error) string {
	detail, ok := errors.AsType[*huma.ErrorDetail](err)
	if !ok {
		return err.Error()
	}
	message := strings.TrimPrefix(detail.Message, "invalid value: "+types.CodeMalformed.String()+": ")
	return detail.Location + ": " + message
}

// refuse turns an error of the ledger into a problem. A failure of the node is logged and its text is not sent: it may be confidential.
func (s *server) refuse(err error) error {
	if known, ok := errors.AsType[*problem](err); ok {
		return known
	}
	if refusal, ok := errors.AsType[*types.Refusal](err); ok && refusal.Code != types.CodeInternal {
		return newProblem(statusOf(refusal.Code), refusal.Code, refusal.Detail)
	}
	s.log.Error("a request failed", "error", err)
	return newProblem(http.StatusInternalServerError, types.CodeInternal, "the request failed in the node; its log has the cause")
}
