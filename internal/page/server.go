// Package page serves the page of a community, or of a member of it, to a browser. The page is rendered on the server from the answers
// of a node's API and works without scripts. A node serves it without a wallet, to read; "lockstep app" serves it with one.
package page

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"lockstep/client"
	"lockstep/types"
	"lockstep/wallet"
)

// Config configures a page.
type Config struct {
	Node   *client.Client // answers every question of the page
	Logger *slog.Logger

	// Member is the wallet of a member. Without it the page is the community's: it shows everything and changes nothing.
	Member *Member
	// Town is the seat of the page in a town that is played, if there is one. Its reader steers, so the page then needs a session.
	Town *Seat

	// KnownHost reports whether a request names this server as its host. Without it only loopback addresses are known.
	KnownHost func(*http.Request) bool
	// Now is the clock of the sessions, by default that of this machine.
	Now func() time.Time
}

// Member is the wallet that a page acts with.
type Member struct {
	File    string // of the wallet; it need not exist yet
	Account uint32
	Options wallet.Options // of a wallet that the page creates

	Idle time.Duration // after which a session is over; zero: [DefaultIdle]
	// Unlocked is the wallet, if its passphrase is known already.
	Unlocked *wallet.Wallet
	// Ledgers lets the member choose the ledger; nil: there is the one of the node.
	Ledgers Ledgers
	// Agent trades for the member; nil: none runs.
	Agent Agent
}

// Ledgers chooses the ledger that a page asks.
type Ledgers interface {
	// Practice starts a ledger of its own with a practice partner, and asks it from now on.
	Practice(ctx context.Context) error
	// Welcome gives a key play money and returns an offer of the practice partner.
	Welcome(ctx context.Context, key types.PublicKey) (types.OfferID, error)
	// Connect asks the node at an address from now on.
	Connect(ctx context.Context, address string) error
	// Practising reports whether the practice ledger is asked.
	Practising() bool
	// Address is the address of the node that is asked.
	Address() string
}

// DefaultIdle is the time after which an unused session is over.
const DefaultIdle = 30 * time.Minute

// Server is a page. Close it when it is no longer served.
type Server struct {
	node     *client.Client
	log      *slog.Logger
	member   *keeper // nil for the community's page
	seat     *Seat   // nil outside of a town
	sessions *sessions
	live     *live
	payments *payments
	facts    *facts
	judging  judging
	screens  screens
	known    func(*http.Request) bool
	now      func() time.Time
	handler  http.Handler
}

//go:embed static templates
var files embed.FS

// New returns a page.
func New(config Config) (*Server, error) {
	if config.Node == nil || config.Logger == nil {
		return nil, errors.New("page: a node and a logger are needed")
	}
	s := &Server{node: config.Node, log: config.Logger, seat: config.Town, known: config.KnownHost, now: config.Now, judging: make(judging, 1)}
	if s.known == nil {
		s.known = func(r *http.Request) bool { return loopbackHost(r.Host) }
	}
	if s.now == nil {
		s.now = time.Now
	}
	var err error
	if s.screens, err = parseScreens(); err != nil {
		return nil, fmt.Errorf("page: templates: %w", err)
	}
	idle := time.Duration(0)
	if config.Member != nil {
		s.member = &keeper{Member: *config.Member, node: config.Node}
		idle = config.Member.Idle
	}
	s.sessions = newSessions(idle, s.now)
	s.facts = newFacts(config.Node, s.now)
	s.live = newLive(config.Node, config.Logger)
	s.payments = newPayments(config.Node, config.Logger)
	if s.handler, err = s.routes(); err != nil {
		return nil, err
	}
	return s, nil
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Run follows the ledger for the tabs that are open, until the context ends.
func (s *Server) Run(ctx context.Context) {
	if s.member == nil {
		s.live.run(ctx)
		return
	}
	var both sync.WaitGroup
	both.Go(func() { s.live.run(ctx) })
	both.Go(func() { s.payments.run(ctx) })
	both.Wait()
}

// Close ends all sessions and locks the wallet.
func (s *Server) Close() {
	s.sessions.clear()
	if s.member != nil {
		s.member.lock()
	}
}

// Enter returns the path of a link that begins a session once. Only the user that started the program sees it.
func (s *Server) Enter() string { return "/enter?token=" + s.sessions.ticket() }

// docsPath is the address of the reference of the API.
const docsPath = "/docs"

// private reports whether the page needs a session.
func (s *Server) private() bool { return s.member != nil || s.seat != nil }

// page is a handler that renders a screen.
type page func(*screen) error

func (s *Server) routes() (http.Handler, error) {
	mux := http.NewServeMux()
	static, err := fs.Sub(files, "static")
	if err != nil {
		return nil, err
	}
	mux.Handle("GET /static/", http.StripPrefix("/static/", cached(http.FileServerFS(static))))
	look := func(pattern string, p page) { mux.Handle("GET "+pattern, s.show(p)) }
	look("/community", (*screen).community)
	look("/trades", (*screen).trades)
	look("/trades/{id}", (*screen).trade)
	look("/trades/{id}/readings", (*screen).readings)
	look("/trades/{id}/receipt", (*screen).showReceipt)
	look(receiptPath, (*screen).receipt)
	mux.Handle("POST "+receiptPath, s.change((*screen).judgeReceipt))
	look(docsPath, (*screen).apiDocs)
	look(evidencePath, (*screen).evidence)
	mux.Handle("POST "+evidencePath, s.change((*screen).judge))
	look("/market", (*screen).market)
	look("/market/{id}", (*screen).market)
	look("/explorer", (*screen).explorer)
	look("/search", (*screen).search)
	look("/blocks/{height}", (*screen).block)
	look("/transactions/{id}", (*screen).transaction)
	look("/assets/{id}", (*screen).asset)
	look("/keys/{key}", (*screen).key)
	mux.Handle("POST /look", s.change((*screen).setLook))
	mux.HandleFunc("GET /live", s.serveLive)
	if s.private() {
		mux.Handle("GET /enter", s.open((*screen).enter))
		mux.Handle("POST /sign-out", s.change((*screen).signOut))
	}
	if s.seat != nil {
		s.townRoutes(mux, look)
	}
	switch {
	case s.member != nil:
		s.memberRoutes(mux, look)
	case s.seat == nil:
		look("/{$}", (*screen).community)
	}
	mux.Handle("/", s.show((*screen).missing))
	return s.guard(mux), nil
}

// memberRoutes adds the pages of a member.
func (s *Server) memberRoutes(mux *http.ServeMux, look func(string, page)) {
	mux.Handle("POST /sign-in", s.open((*screen).signIn))
	mux.Handle("POST /agent", s.change(unlocked((*screen).setAgent)))
	look("/{$}", (*screen).home)
	s.startRoutes(mux, look)
	look("/wallet", (*screen).wallet)
	look("/wallet/statement.csv", (*screen).walletCSV)
	look("/settings", (*screen).settings)
	ask := func(path string, p page) { mux.Handle("GET "+path, s.show(unlocked(p))) }
	do := func(path string, p page) { mux.Handle("POST "+path, s.change(unlocked(p))) }
	s.actRoutes(ask, do)
	s.tradingRoutes(ask, do)
	s.joinRoutes(do)
	do("/trust-header", (*screen).doTrustHeader)
}

// Paths reports whether a path belongs to the page, for a server that has other paths too.
func Paths(path string) bool {
	for _, own := range []string{
		"/community", "/trades", "/market", "/explorer", "/search", "/blocks", "/transactions", "/assets", "/keys", "/look", "/live", "/static", evidencePath, receiptPath, docsPath,
	} {
		if path == own || len(path) > len(own) && path[:len(own)] == own && path[len(own)] == '/' {
			return true
		}
	}
	return path == "/"
}
