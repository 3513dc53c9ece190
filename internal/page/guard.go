package page

import (
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
)

// policy allows a page its own files and nothing else: no inline script or style, no other site, no frame.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard wraps all routes. It checks the Host header, refuses forms that another site has sent, sets the headers that keep a browser from
// using a page in any way but to show it, and recovers panics.
func (s *Server) guard(next http.Handler) http.Handler {
	foreign := http.NewCrossOriginProtection()
	foreign.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		refusePlainly(w, http.StatusForbidden, "another site has sent this form: nothing was done")
	}))
	next = foreign.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("Content-Security-Policy", policy)
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
		header.Set("Referrer-Policy", "same-origin")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY")
		defer func() {
			failure := recover()
			if failure == nil {
				return
			}
			if failure != http.ErrAbortHandler { //nolint:errorlint // a panic value
				s.log.Error("a page failed", "method", r.Method, "path", r.URL.Path, "panic", failure, "stack", string(debug.Stack()))
			}
			panic(http.ErrAbortHandler) // a part of the page may be sent
		}()
		if !s.known(r) {
			refusePlainly(w, http.StatusMisdirectedRequest, "this page is not served under that name: use the address that the program prints")
			return
		}
		most := int64(maxForm)
		if r.URL.Path == evidencePath {
			most = mostEvidence + maxForm
		}
		r.Body = http.MaxBytesReader(w, r.Body, most)
		next.ServeHTTP(w, r)
	})
}

// maxForm bounds the body of a form.
const maxForm = 64 << 10

func refusePlainly(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n")) // fails only when the client has left
}

// loopbackHost reports whether a Host header names this machine.
func loopbackHost(header string) bool {
	host, _, err := net.SplitHostPort(header)
	if err != nil {
		host = header
	}
	host = strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// cached lets a browser keep the page's own files: their addresses carry their version.
func cached(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("v") != "" {
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		next.ServeHTTP(w, r)
	})
}
