package httpapi

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"

	"lockstep/client/wire"
	"lockstep/internal/access"
	"lockstep/internal/query"
)

// Config configures an API.
type Config struct {
	Ledger  Ledger
	Version string
	Logger  *slog.Logger

	// History answers questions on the past from the index. Without it they are refused, and HistoryAt is the address of a node to ask instead, if one is known.
	History   *query.History
	HistoryAt string

	// Joins keeps the requests of newcomers. Without it they are refused.
	Joins Joins

	// Token is the node's own access token for submitting transactions. It is required unless OpenSubmit lets everybody submit.
	Token      string
	OpenSubmit bool
	// Tokens are named tokens besides, each with a rate of its own. Nil: there are none.
	Tokens *access.Book

	// Network answers questions on the nodes of the ledger. Nil: there are none.
	Network Network

	// Hosts are host names under which a proxy on this machine serves the node, besides the loopback addresses; see [ParseHost].
	Hosts []string
	// Limits bound the connections and streams of clients. [NewServer] takes them too.
	Limits Limits
	// Origins are the sites whose pages may read answers in a browser; see [ParseOrigin].
	Origins []string
	// Prices are the settings of the prices for home software.
	Prices Prices
	// Backup writes a backup of the node. Nil: it gives none.
	Backup func(ctx context.Context, to io.Writer) error
	// Metrics is the registry of the API's metrics. /metrics serves all metrics that it has. Nil: a new registry.
	Metrics *prometheus.Registry
}

// Network answers questions on the nodes of a ledger.
type Network interface {
	// Network tells other nodes how to follow the ledger.
	Network() (wire.Network, error)
	// Validators tells how the validators take part.
	Validators() (wire.Validators, error)
}

// server is the API of one ledger.
type server struct {
	ledger    Ledger
	history   *query.History
	elsewhere string // where history is answered
	joins     Joins
	version   string
	log       *slog.Logger
	token     *[sha256.Size]byte // of the node's own access token, nil when everybody may submit
	tokens    *access.Book
	net       Network
	hosts     []string
	origins   []string
	counters  *metrics
	limits    Limits
	market    Prices
	streams   *quota // that are open
	bodies    *quota // bytes of requests that are being read
	backup    func(ctx context.Context, to io.Writer) error
}

// New returns a handler for all routes.
func New(config Config) (http.Handler, error) {
	switch {
	case config.Ledger == nil || config.Logger == nil:
		return nil, errors.New("api: a ledger and a logger are needed")
	case config.Token == "" && !config.OpenSubmit:
		return nil, errors.New("api: no access token is set: set one, or set OpenSubmit to let everybody submit")
	case config.Token != "" && config.OpenSubmit:
		return nil, errors.New("api: an access token and OpenSubmit are both set: choose one")
	}
	useProblems()
	s := &server{
		ledger: config.Ledger, history: config.History, elsewhere: config.HistoryAt, joins: config.Joins, version: config.Version, log: config.Logger, limits: config.Limits.withDefaults(),
		tokens: config.Tokens, net: config.Network, market: config.Prices, backup: config.Backup,
	}
	s.streams = newQuota(s.limits.Streams, s.limits.AddressStreams)
	s.bodies = newQuota(mostBodies, mostBodies/addressShare)
	for _, text := range config.Hosts {
		host, err := ParseHost(text)
		if err != nil {
			return nil, fmt.Errorf("api: hosts: %w", err)
		}
		s.hosts = append(s.hosts, host)
	}
	for _, text := range config.Origins {
		origin, err := ParseOrigin(text)
		if err != nil {
			return nil, fmt.Errorf("api: origins: %w", err)
		}
		s.origins = append(s.origins, origin)
	}
	if config.Token != "" {
		hash := sha256.Sum256([]byte(config.Token))
		s.token = &hash
	}
	var err error
	if s.counters, err = newMetrics(config.Ledger, config.Network, config.Metrics); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	api := humago.New(mux, s.document())
	s.register(api)
	s.serveLog(mux)
	s.serveBackup(mux)
	s.serveDocument(mux, api.OpenAPI())
	return s.guard(mux), nil
}

// The limits of a connection. Reading and writing must outlast the longest wait; a stream sets its own.
const (
	headerTimeout  = 10 * time.Second
	readTimeout    = 60 * time.Second
	writeTimeout   = 90 * time.Second
	idleTimeout    = 120 * time.Second
	maxHeaderBytes = 16 << 10
	mostBodies     = 256 << 20 // bytes of all requests that are being read
)

// Server is an HTTP server that limits the resources of its clients.
type Server struct {
	http.Server
	connections *connections
}

// NewServer returns a server for a handler. All requests, including streams, end with ctx, so that a shutdown does not wait for them.
func NewServer(ctx context.Context, handler http.Handler, limits Limits, log *slog.Logger) *Server {
	open := newConnections(limits)
	server := &Server{connections: open, Server: http.Server{
		Handler:           limitRate(handler, limits),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		ConnState:         open.note,
	}}
	server.RegisterOnShutdown(open.close)
	return server
}

// Serve accepts connections, as many as the limits allow, until the server shuts down.
func (s *Server) Serve(listener net.Listener) error {
	return s.Server.Serve(&limited{listener, s.connections})
}
