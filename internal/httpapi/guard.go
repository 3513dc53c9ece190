package httpapi

import (
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
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"lockstep/client/wire"
	"lockstep/types"
)

// guard stands before all routes: it recovers panics, logs, checks the Host header and sets the headers
// that keep browsers from doing anything with an answer but showing it.
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
			s.meter.count(pattern, out.status, begin)
			s.log.Debug("request", "method", r.Method, "path", r.URL.Path, "status", out.status, "bytes", out.bytes,
				"duration", time.Since(begin), "remote", r.RemoteAddr)
		}()
		if r.ContentLength != 0 && r.Method != http.MethodPost && pattern != "" {
			header.Set("Connection", "close") // or the server would wait for the body of a question before it answers
		}
		unclear := badQuery(r)
		switch {
		case !s.knownHost(r):
			writeProblem(out, newProblem(http.StatusMisdirectedRequest, types.CodeMalformed, fmt.Sprintf(
				"this node is not known as %.200q: ask it by the address at which it listens, or add the name to \"hosts\" in its node.json, "+
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

// bounded serves a request when there is room for its body, which is read as a whole. Only what is posted is read: a question holds no
// room for what comes behind it, however long its answer takes.
func (s *server) bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		size := int(min(r.ContentLength, maxBatchBody))
		if r.ContentLength < 0 { // not told beforehand
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

// unrouted answers where no route is: 404, or 405 with the methods that there are. The mux knows which.
func (s *server) unrouted(w http.ResponseWriter, r *http.Request, handler http.Handler) {
	verdict := &discard{header: http.Header{}, status: http.StatusNotFound}
	handler.ServeHTTP(verdict, r)
	detail := "there is no such path; " + docsPath + " lists those that there are"
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
		panic(http.ErrAbortHandler) // half an answer is out: break it off, so that nobody takes it for a whole one
	}
	writeProblem(w, newProblem(http.StatusInternalServerError, types.CodeInternal, "the node's log says what happened"))
}

// knownHost refuses what a page of another site sends to a node on the visitor's own machine, after its name was made to
// resolve to that machine (DNS rebinding): the browser sends that name as the host.
func (s *server) knownHost(r *http.Request) bool {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if local == nil || !local.IP.IsLoopback() {
		return true
	}
	host := hostName(r.Host)
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback() || slices.Contains(s.hosts, host)
}

// hostName is the name in a Host header, in lower case, without its port and the dot that may end it.
func hostName(header string) string {
	host, _, err := net.SplitHostPort(header)
	if err != nil {
		host = strings.Trim(header, "[]")
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

// badQuery is why a query can't be read in one way only, if it can't.
func badQuery(r *http.Request) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return fmt.Errorf("the query can't be read: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if len(query[name]) > 1 {
			return fmt.Errorf("query.%.100s: it is given %d times; give it once", name, len(query[name]))
		}
	}
	return nil
}

// requireToken stands before what changes the ledger.
func (s *server) requireToken(ctx huma.Context, next func(huma.Context)) {
	scheme, given, ok := strings.Cut(ctx.Header("Authorization"), " ")
	given, ok = strings.TrimLeft(given, " "), ok && strings.EqualFold(scheme, "Bearer") // RFC 9110, section 11.1
	hash := sha256.Sum256([]byte(given))                                                // so that the comparison does not tell the length either
	if ok && subtle.ConstantTimeCompare(hash[:], s.token[:]) == 1 {
		next(ctx)
		return
	}
	_, w := humago.Unwrap(ctx)
	w.Header().Set("WWW-Authenticate", "Bearer")
	detail := "this node takes transactions only with its access token: send it as 'Authorization: Bearer <token>'"
	if ok {
		detail = "that is not the access token of this node"
	}
	writeProblem(w, newProblem(http.StatusUnauthorized, codeOf(http.StatusUnauthorized), detail))
}

func writeProblem(w http.ResponseWriter, p *problem) {
	w.Header().Set("Content-Type", wire.ProblemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p.Problem) // fails only when nobody listens any more
}

// response notes what is answered. Unwrap lets http.ResponseController reach the connection.
type response struct {
	http.ResponseWriter
	status int
	bytes  int64
	refuse func() // called before a refusal is answered
}

func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *response) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
		if status >= http.StatusBadRequest && status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
			w.refuse() // a node that has too much to do reads no more of it
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

// discard takes an answer for its status and header.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header            { return d.header }
func (d *discard) Write(text []byte) (int, error) { return len(text), nil }
func (d *discard) WriteHeader(status int)         { d.status = status }
