package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A browser keeps the pages of other sites from reading answers, unless the node lists their origin (CORS, by the Fetch standard). A
// browser never sends the token on its own, so answers don't allow credentials.

// ParseOrigin reads the origin of a site, such as "https://market.example": a scheme, a host and an optional port.
func ParseOrigin(text string) (string, error) {
	site, err := url.Parse(text)
	if err != nil || site.Scheme != "http" && site.Scheme != "https" || site.Host == "" || site.Path != "" || site.User != nil ||
		site.RawQuery != "" || site.Fragment != "" || strings.ContainsAny(site.Host, "*") {
		return "", fmt.Errorf("%q is not the origin of a site: write a scheme, a host and a port if it has one, such as https://market.example", text)
	}
	return site.Scheme + "://" + strings.ToLower(site.Host), nil
}

// ParseHost reads a host name under which a proxy serves the node, such as "node.example".
func ParseHost(text string) (string, error) {
	if text == "" || strings.ContainsAny(text, "/*@ \t\"") || hostName(text) != strings.TrimSuffix(strings.ToLower(text), ".") {
		return "", fmt.Errorf("%q is not the name of a host: write it without scheme and port, such as node.example", text)
	}
	return hostName(text), nil
}

// crossOrigin adds the CORS headers for a listed site to an answer. It answers the preflight request of a browser itself.
func (s *server) crossOrigin(w http.ResponseWriter, r *http.Request) (answered bool) {
	if len(s.origins) == 0 {
		return false
	}
	header := w.Header()
	header.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if !slices.Contains(s.origins, origin) {
		return false
	}
	header.Set("Access-Control-Allow-Origin", origin)
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	header.Set("Access-Control-Allow-Methods", "GET, HEAD, POST")
	header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Last-Event-ID")
	header.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}
