package page

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/trade/words"
	"lockstep/types"
	"lockstep/wallet"
)

// screen is one page for one request: the viewer, its language and look, the status of the ledger, and the content.
type screen struct {
	*Server
	r *http.Request
	w http.ResponseWriter

	Lang   words.Language
	Theme  string // light, dark, or empty for that of the system
	zone   *time.Location
	Path   string // of this page with its query, to come back to
	Title  string
	Nav    string // the entry of the navigation
	Bare   bool   // without navigation
	Live   string // which events make the page stale: see live.js
	Status wire.Status
	Down   error // the node does not answer
	Waits  int   // trades that wait for the member

	session *session
	self    types.PublicKey // the member's key, zero for a visitor

	wrongJoin error // of a form by which the viewer asked to join

	wrongHeader error // of a form with a header to trust
	D           any   // the content
	code        int
}

// screens are the parsed templates by name.
type screens struct {
	pages   map[string]*template.Template
	version string // of the static files
}

func parseScreens() (screens, error) {
	set := screens{pages: map[string]*template.Template{}}
	hash := sha256.New()
	static, err := fs.Glob(files, "static/*")
	if err != nil {
		return set, err
	}
	for _, name := range static {
		content, err := files.ReadFile(name)
		if err != nil {
			return set, err
		}
		hash.Write(content)
	}
	set.version = hex.EncodeToString(hash.Sum(nil)[:6])
	base, err := template.New("").Funcs(functions()).ParseFS(files, "templates/layout.html", "templates/parts.html")
	if err != nil {
		return set, err
	}
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		return set, err
	}
	for _, file := range names {
		name := strings.TrimSuffix(strings.TrimPrefix(file, "templates/"), ".html")
		if name == "layout" || name == "parts" {
			continue
		}
		own, err := base.Clone()
		if err != nil {
			return set, err
		}
		if set.pages[name], err = own.ParseFS(files, file); err != nil {
			return set, err
		}
	}
	return set, nil
}

// newScreen begins a page for a request.
func (s *Server) newScreen(w http.ResponseWriter, r *http.Request) *screen {
	c := &screen{Server: s, r: r, w: w, zone: time.Local, Path: r.URL.RequestURI(), code: http.StatusOK}
	c.Lang, c.Theme = lookOf(r)
	if cookie, err := r.Cookie("zone"); err == nil {
		if name, err := url.QueryUnescape(cookie.Value); err == nil && name != "" {
			if zone, err := time.LoadLocation(name); err == nil {
				c.zone = zone
			}
		}
	}
	if s.private() {
		c.session = s.sessions.of(r, r.Header.Get(fragmentHeader) == "")
	}
	if c.session != nil && s.member != nil {
		c.self = s.member.key()
	}
	return c
}

// lookOf returns the language and the theme that a browser has chosen.
func lookOf(r *http.Request) (language words.Language, theme string) {
	language = words.English
	first, _, _ := strings.Cut(r.Header.Get("Accept-Language"), ",")
	if strings.HasPrefix(strings.ToLower(first), "zh") {
		language = words.Chinese
	}
	if cookie, err := r.Cookie("language"); err == nil && (cookie.Value == "en" || cookie.Value == "zh") {
		language = words.Language(cookie.Value)
	}
	if cookie, err := r.Cookie("theme"); err == nil && (cookie.Value == "light" || cookie.Value == "dark") {
		theme = cookie.Value
	}
	return language, theme
}

// fragmentHeader marks a request by which an open page fetches its new content. It keeps no session alive.
const fragmentHeader = "X-Lockstep-Refresh"

// show serves a page to read: to anybody for the community's page, else to the member in a session.
func (s *Server) show(p page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := s.newScreen(w, r)
		if s.private() && c.session == nil || s.member != nil && s.member.exists() && s.member.unlocked() == nil {
			c.askToSignIn(nil)
			return
		}
		c.serve(p)
	})
}

// open serves a page that needs no session.
func (s *Server) open(p page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.newScreen(w, r).serve(p) })
}

// change serves a form. On the page of a member it needs a session and its token.
func (s *Server) change(p page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := s.newScreen(w, r)
		if err := parseForm(r); err != nil {
			c.fail(c.tell(types.CodeMalformed, "fault.form", "why", err))
			return
		}
		if s.private() && r.URL.Path != "/look" {
			if c.session == nil {
				c.Path = back(r.PostFormValue("back"))
				c.askToSignIn(nil)
				return
			}
			if !c.session.valid(r.PostFormValue("csrf")) {
				c.fail(c.tell(types.CodeMalformed, "fault.session"))
				return
			}
		}
		c.serve(p)
	})
}

// parseForm reads a form, with a file in it or without.
func parseForm(r *http.Request) error {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") && r.URL.Path == evidencePath {
		return r.ParseMultipartForm(mostEvidence + maxForm) // in memory: its size is bounded
	}
	return r.ParseForm()
}

// unlocked is a page that needs an open wallet.
func unlocked(p page) page {
	return func(c *screen) error {
		if !c.SignedIn() {
			return c.noWallet()
		}
		return p(c)
	}
}

func (c *screen) serve(p page) {
	if err := p(c); err != nil {
		c.fail(err)
	}
}

// render writes the page.
func (c *screen) render(name string, content any) error {
	c.D = content
	if c.Down == nil && c.Status.ChainID == "" {
		c.Status, c.Down = c.facts.status(c.r.Context())
	}
	if c.self != (types.PublicKey{}) && c.Down == nil {
		c.Waits = c.facts.waiting(c.r.Context(), c.self)
	}
	var out bytes.Buffer
	if err := c.screens.pages[name].ExecuteTemplate(&out, "layout", c); err != nil {
		return err
	}
	header := c.w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Language", string(c.Lang))
	header.Add("Vary", "Accept-Encoding, Accept-Language, Cookie")
	if !strings.Contains(c.r.Header.Get("Accept-Encoding"), "gzip") {
		c.w.WriteHeader(c.code)
		_, _ = c.w.Write(out.Bytes()) // fails only when the client has left
		return nil
	}
	header.Set("Content-Encoding", "gzip")
	c.w.WriteHeader(c.code)
	packer, _ := packers.Get().(*gzip.Writer)
	packer.Reset(c.w)
	_, _ = packer.Write(out.Bytes())
	_ = packer.Close()
	packers.Put(packer)
	return nil
}

// A page has a token of its reader and texts of others. Nobody else chooses both and sees the length, since SameSite keeps other sites
// from asking in the reader's name: so compression tells nothing.
var packers = sync.Pool{New: func() any { //nolint:gochecknoglobals // a pool of buffers
	packer, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	return packer
}}

// failure is the content of an error page.
type failure struct {
	What, Why, Advice, Code string
	Down                    bool
}

// fail renders an error: the failure, its reason, advice, and its code.
func (c *screen) fail(err error) {
	if c.r.Context().Err() != nil { // the reader has left
		return
	}
	code := types.CodeOf(err)
	f := failure{Why: c.Upper(c.explain(err)), What: string(c.T("error.failed")), Code: code.String(), Advice: c.advice(err)}
	c.code = http.StatusUnprocessableEntity
	switch reason := wallet.ReasonOf(err); {
	case reason != "":
		f.Code = "wallet_" + string(reason)
	case code == types.CodePruned:
		c.code, f.What = http.StatusGone, string(c.T("error.pruned"))
	case code.Absent() || code == types.CodeTradeUnknown || code == types.CodeAssetUnknown:
		c.code, f.What = http.StatusNotFound, string(c.T("error.missing"))
	case code == types.CodeMalformed:
		c.code = http.StatusBadRequest
	case code == types.CodeUnavailable:
		c.code, f.What, f.Down = http.StatusServiceUnavailable, string(c.T("error.down")), true
	case code == types.CodeInternal:
		c.code = http.StatusInternalServerError
		c.log.Error("a page failed", "path", c.r.URL.Path, "error", err)
	}
	c.Title, c.Live = f.What, ""
	if f.Down {
		c.Live = "blocks"
	}
	if err := c.render("error", &f); err != nil {
		c.log.Error("an error page failed", "error", err)
	}
}

func (c *screen) missing() error {
	return c.tell(types.CodeNotFound, "error.no_page", "path", c.r.URL.Path)
}

// redirect sends the browser to a path of this page.
func (c *screen) redirect(path string) error {
	http.Redirect(c.w, c.r, back(path), http.StatusSeeOther)
	return nil
}

// back returns a path of this page: never an address of another site.
func back(path string) string {
	parsed, err := url.Parse(path)
	if err != nil || parsed.Scheme != "" || parsed.Host != "" || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") ||
		strings.ContainsAny(path, "\\\r\n") {
		return "/"
	}
	return path
}

// setLook keeps the language and the theme that the reader has chosen.
func (c *screen) setLook() error {
	for _, choice := range []struct {
		name   string
		values []string
	}{{"language", []string{"en", "zh"}}, {"theme", []string{"light", "dark", "system"}}} {
		value := c.r.PostFormValue(choice.name)
		for _, known := range choice.values {
			if value == known {
				http.SetCookie(c.w, &http.Cookie{Name: choice.name, Value: value, Path: "/", MaxAge: 365 * 24 * 3600, SameSite: http.SameSiteLaxMode})
			}
		}
	}
	return c.redirect(c.r.PostFormValue("back"))
}

// Node is for the methods of a page that ask.
func (c *screen) ask() *client.Client { return c.node }

// Member reports whether the page has a wallet.
func (c *screen) Member() bool { return c.member != nil }

// SignedIn reports whether the reader may act.
func (c *screen) SignedIn() bool { return c.session != nil && c.self != (types.PublicKey{}) }

// CSRF is the token of the session's forms.
func (c *screen) CSRF() string {
	if c.session == nil {
		return ""
	}
	return c.session.csrf
}

// Number is a new number for a form that may be sent once.
func (c *screen) Number() string { return randomText() }

// Static is the address of one of the page's own files.
func (c *screen) Static(name string) string { return "/static/" + name + "?v=" + c.screens.version }

// HTMLLang is the language for the browser.
func (c *screen) HTMLLang() string {
	if c.Lang == words.Chinese {
		return "zh-Hans"
	}
	return "en"
}
