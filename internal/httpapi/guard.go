package httpapi

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"lockstep/client/wire"
	"lockstep/internal/access"
	"lockstep/types"
)

// guard wraps all routes. It recovers panics, logs, checks the Host header, and sets the headers that keep a browser from using an answer
// in any way but to show it.
func (s *server) guard(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		body := &requestBody{ReadCloser: r.Body}
		r.Body = body
		out := &response{ResponseWriter: w, refuse: func() { body.drain(w, r) }}
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("X-Content-Type-Options", "nosniff")
		handler, pattern := mux.Handler(r)
		defer func() {
			if failure := recover(); failure != nil {
				s.recovered(out, r, failure)
			}
			s.counters.count(pattern, out.status, begin)
			s.log.Debug("request", "method", r.Method, "path", r.URL.Path, "status", out.status, "bytes", out.bytes,
				"duration", time.Since(begin), "remote", r.RemoteAddr)
		}()
		if r.ContentLength != 0 && r.Method != http.MethodPost && pattern != "" {
			header.Set("Connection", "close") // else the server would wait for the body of a GET before it answers
		}
		unclear := badQuery(r)
		switch {
		case !s.knownHost(r):
			writeProblem(out, newProblem(http.StatusMisdirectedRequest, types.CodeMalformed, fmt.Sprintf(
				"this node does not serve the host %.200q: use the address at which it listens, or add the name to \"hosts\" in its node.json, "+
					"or start it with --allow-host", r.Host)))
		case s.crossOrigin(out, r):
		case unclear != nil:
			writeProblem(out, newProblem(http.StatusBadRequest, types.CodeMalformed, unclear.Error()))
		case pattern == "":
			s.unrouted(out, r, handler)
		default:
			s.bounded(mux).ServeHTTP(out, s.withClient(r))
		}
	})
}

// bounded serves a request when there is memory for its body, which is read as a whole. Only the body of a POST is read, so a GET takes
// no memory for a body, even while its answer is streamed.
func (s *server) bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		size := int(min(r.ContentLength, maxBatchBody))
		if r.ContentLength < 0 { // the length is not announced
			size = maxBatchBody
		}
		if size > 0 && r.Method == http.MethodPost {
			holder := clientOf(r.Context())
			if status := s.bodies.take(holder, size); status != http.StatusOK {
				w.Header().Set("Connection", "close")
				writeProblem(w, full(status, "bytes of requests", s.bodies))
				return
			}
			defer s.bodies.give(holder, size)
		}
		next.ServeHTTP(w, r)
	})
}

// unrouted answers a request without a route: 404, or 405 with the methods that the mux allows.
func (s *server) unrouted(w http.ResponseWriter, r *http.Request, handler http.Handler) {
	verdict := &discard{header: http.Header{}, status: http.StatusNotFound}
	handler.ServeHTTP(verdict, r)
	detail := "there is no such path; " + docsPath + " lists the paths"
	if verdict.status == http.StatusMethodNotAllowed {
		allow := verdict.header.Get("Allow")
		w.Header().Set("Allow", allow)
		detail = "this path takes " + allow
	}
	writeProblem(w, newProblem(verdict.status, codeOf(verdict.status), detail))
}

func (s *server) recovered(w *response, r *http.Request, failure any) {
	if err, ok := failure.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
		s.log.Error("a request failed", "method", r.Method, "path", r.URL.Path, "panic", failure, "stack", string(debug.Stack()))
	}
	if w.status != 0 {
		panic(http.ErrAbortHandler) // a part of the answer is sent: abort, so that the client does not take it for complete
	}
	writeProblem(w, newProblem(http.StatusInternalServerError, types.CodeInternal, "the request failed in the node; its log has the cause"))
}

// knownHost reports whether a request names this node as its host.
func (s *server) knownHost(r *http.Request) bool { return KnownHost(r, s.hosts) }

// KnownHost reports whether a request names this server as its host: by a loopback address, or by one of the hosts as [ParseHost] returns
// them. It protects a server on a visitor's own machine against DNS rebinding: another site lets its name resolve to that machine, and the
// browser sends this name as the host. A server on another address than loopback has many names, so all are known.
func KnownHost(r *http.Request, hosts []string) bool {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if local == nil || !local.IP.IsLoopback() {
		return true
	}
	host := hostName(r.Host)
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback() || slices.Contains(hosts, host)
}

// hostName returns the name in a Host header in lower case, without the port and a final dot.
func hostName(header string) string {
	host, _, err := net.SplitHostPort(header)
	if err != nil {
		host = strings.Trim(header, "[]")
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

// badQuery returns why a query is malformed or ambiguous, or nil.
func badQuery(r *http.Request) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return fmt.Errorf("the query can't be read: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if len(query[name]) > 1 {
			return fmt.Errorf("query.%.100s: given %d times; give it once", name, len(query[name]))
		}
	}
	return nil
}

// requireToken lets a request pass only with an access token: the node's own, or a named one, which then bounds its transactions.
func (s *server) requireToken(ctx huma.Context, next func(huma.Context)) {
	scheme, given, ok := strings.Cut(ctx.Header("Authorization"), " ")
	given, ok = strings.TrimLeft(given, " "), ok && strings.EqualFold(scheme, "Bearer") // RFC 9110, section 11.1
	hash := sha256.Sum256([]byte(given))                                                // so that the time of the comparison does not reveal the length
	if ok && subtle.ConstantTimeCompare(hash[:], s.token[:]) == 1 {
		next(ctx)
		return
	}
	detail := "this node takes transactions only with an access token: send it as 'Authorization: Bearer <token>'"
	if ok {
		holder, err := s.holder(given)
		if holder != nil {
			next(huma.WithValue(ctx, holderKey{}, holder))
			return
		}
		detail = "this is not an access token of the node: send the one in its api.token file, or one that its operator made for you"
		if err != nil {
			detail = err.Error()
		}
	}
	_, w := humago.Unwrap(ctx)
	w.Header().Set("WWW-Authenticate", "Bearer")
	writeProblem(w, newProblem(http.StatusUnauthorized, codeOf(http.StatusUnauthorized), detail))
}

// holder returns the holder of a named token, or nil.
func (s *server) holder(token string) (*access.Holder, error) {
	if s.tokens == nil {
		return nil, nil
	}
	holder, err := s.tokens.Find(token, time.Now())
	if fault := s.tokens.Fault(); fault != nil {
		s.log.Error("no named token is good until the file of tokens is mended", "error", fault)
		err = errors.New("the node can't read its named tokens at present; its log has the cause")
	}
	return holder, err
}

type holderKey struct{}

// takeRate counts transactions for the token of a request, or refuses them all.
func takeRate(ctx context.Context, transactions int) error {
	holder, _ := ctx.Value(holderKey{}).(*access.Holder)
	if holder == nil {
		return nil
	}
	if wait, ok := holder.Take(time.Now(), transactions); !ok {
		seconds := int((wait + time.Second - 1) / time.Second)
		return huma.ErrorWithHeaders(newProblem(http.StatusTooManyRequests, types.CodeUnavailable, fmt.Sprintf(
			"token %s submits more transactions a second than its operator allows; try again in %d s", holder.Name, seconds)),
			http.Header{"Retry-After": {strconv.Itoa(seconds)}})
	}
	return nil
}

func writeProblem(w http.ResponseWriter, p *problem) {
	w.Header().Set("Content-Type", wire.ProblemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p.Problem) // fails only when the client has left
}

// response records the status and the length of an answer. Unwrap gives http.ResponseController access to the connection.
type response struct {
	http.ResponseWriter
	status int
	bytes  int64
	refuse func() // called before a refusal is written
}

func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *response) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
		if status >= http.StatusBadRequest && status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
			w.refuse() // an overloaded node does not read the rest of the body
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(text []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(text)
	w.bytes += int64(n)
	return n, err
}

// discard keeps the status and the header of an answer and drops its body.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header            { return d.header }
func (d *discard) Write(text []byte) (int, error) { return len(text), nil }
func (d *discard) WriteHeader(status int)         { d.status = status }
