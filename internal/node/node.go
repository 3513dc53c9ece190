package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"lockstep/internal/access"
	"lockstep/internal/chain"
	"lockstep/internal/disk"
	"lockstep/internal/httpapi"
	"lockstep/internal/index"
	"lockstep/internal/page"
	"lockstep/internal/query"
	"lockstep/internal/snapshot"
	"lockstep/internal/store"
	"lockstep/types"
)

// Config has the options of [Open]. The settings in the folder have the rest.
type Config struct {
	Dir     string
	API     string // overrides the address of the API; port 0 chooses a free port
	Version string // of the program, for the status

	Until      uint64   // the last block that the node takes part in; 0: there is none
	SignNow    bool     // sign at once although the folder is a copy or a restored backup
	TrustClock bool     // accept a wall clock that has jumped ahead
	PlainHTTP  bool     // listen with plain HTTP on an address that other machines reach
	Hosts      []string // host names under which a proxy serves the API, besides those of the settings
	Origins    []string // sites whose pages may read the API, besides those of the settings
}

// Node is a running node of a ledger.
type Node struct {
	dir      string
	store    *store.Store
	chain    *chain.Chain
	index    *index.Index // nil: the node keeps none
	ledger   *query.Ledger
	listener net.Listener
	public   net.Listener  // with TLS, or nil
	certs    *certificates // of public, or nil
	handler  http.Handler
	page     *page.Server
	limits   httpapi.Limits
	token    string
	pace     disk.Pace
	backing  backing // of a backup
	address  string  // the file with the address of the API
	logger   *slog.Logger
}

// keptSnapshots is how many snapshots a node keeps: a peer that takes one over may take longer than the next one needs.
const keptSnapshots = 2

// shutdownWait bounds the time that requests in flight may still take when the node stops.
const shutdownWait = 5 * time.Second

// Open opens the node in a folder that [Init] created. Its API listens at once, and answers after [Node.Run] is called.
func Open(config Config, logger *slog.Logger) (*Node, error) {
	n := &Node{dir: config.Dir, logger: logger}
	if err := n.open(config); err != nil {
		return nil, errors.Join(disk.Explain(config.Dir, err), n.Close())
	}
	return n, nil
}

func (n *Node) open(config Config) error {
	settings, err := LoadSettings(config.Dir)
	if err != nil {
		return err
	}
	if config.API != "" {
		settings.API = config.API
	}
	if err := checkPlain(settings.API, config.PlainHTTP || settings.PlainHTTP); err != nil {
		return err
	}
	if n.token, err = LoadToken(config.Dir); err != nil {
		return err
	}
	if err := errors.Join(disk.CheckFiles(), disk.CheckRoom(config.Dir)); err != nil {
		return err
	}
	warnContinued(config.Dir, n.logger)
	engine := filepath.Join(config.Dir, engineFolder)
	params, err := chain.LoadParams(engine)
	if err != nil {
		return err
	}
	if n.store, err = store.Open(filepath.Join(config.Dir, storeFolder), params, settings.storeMemory(), n.logger); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(config.Dir, checkpointFolder)); err != nil { // of a backup during which the program was killed; another node of the folder has the lock of the store
		return err
	}
	if settings.Snapshots > 0 {
		n.store.MakeSnapshots(store.Snapshots{Folder: snapshot.Folder(filepath.Join(config.Dir, snapshotsFolder)), Every: settings.Snapshots, Keep: keptSnapshots})
	}
	keep, err := settings.keep()
	if err != nil {
		return err
	}
	var sync *chain.Sync
	if n.store.Height() <= n.store.Base() { // no block of its own
		if sync, err = settings.Sync.read(); err != nil {
			return err
		}
	}
	n.chain, err = chain.Open(chain.Config{
		Dir: engine, Listen: settings.P2PListen, Peers: settings.P2PPeers, BlockMemory: settings.blockMemory(),
		SignNow: config.SignNow, Until: config.Until, HaltedAfter: settings.HaltedAfter.Std(), Exchange: !settings.P2PAlone, SlowLinks: settings.SlowLinks,
		TrustClock: config.TrustClock, ClockAhead: settings.ClockAhead.Std(),
		Keep: keep, Indexed: n.indexed, Sync: sync,
	}, n.store, n.logger)
	if err != nil {
		return err
	}
	var history *query.History
	if settings.indexed() {
		if n.index, err = openIndex(config.Dir, n.store, n.logger); err != nil {
			return err
		}
		history = query.NewHistory(n.index)
	}
	n.ledger = query.New(ordering{n.chain, n}, n.store)
	if err := n.signCheckpoints(); err != nil {
		return err
	}
	n.limits = settings.limits(disk.Files())
	hosts := slices.Concat(settings.Hosts, config.Hosts)
	requests, err := openJoins(filepath.Join(config.Dir, joinsFile), &params, func(key types.PublicKey) bool {
		_, err := n.ledger.Member(context.Background(), key)
		return err == nil
	})
	if err != nil {
		return err
	}
	prices, err := settings.Prices.read()
	if err != nil {
		return err
	}
	tokens, err := access.Open(TokensFile(config.Dir))
	if err != nil {
		return err
	}
	api, err := httpapi.New(httpapi.Config{
		Tokens: tokens, Network: network{n}, Backup: n.WriteBackup,
		Ledger: n.ledger, History: history, HistoryAt: settings.IndexAt, Token: n.token, Limits: n.limits, Version: config.Version, Logger: n.logger,
		Hosts: hosts, Origins: slices.Concat(settings.Origins, config.Origins), Prices: prices, Joins: requests,
	})
	if err != nil {
		return err
	}
	if err := n.servePage(api, hosts); err != nil {
		return err
	}
	return n.listen(config.Dir, &settings)
}

// indexed returns the last block that the index has read: the history before it may be pruned.
func (n *Node) indexed() (uint64, error) {
	if n.index == nil || max(n.index.Height(), n.store.First()-1) < n.store.Base() { // it will begin behind what the store has pruned
		return n.store.Height(), nil
	}
	return n.index.Height(), nil
}

// listen opens the API's addresses.
func (n *Node) listen(dir string, settings *Settings) (err error) {
	if settings.Public != "" {
		if n.certs, err = newCertificates(n.dir, settings); err != nil {
			return err
		}
		plain, err := net.Listen("tcp", settings.Public)
		if err != nil {
			return cannotListen(settings.Public, err)
		}
		n.public = tls.NewListener(plain, n.certs.config)
	}
	if n.listener, err = net.Listen("tcp", settings.API); err != nil {
		return cannotListen(settings.API, err)
	}
	n.address = filepath.Join(dir, addressFile)
	if err := os.WriteFile(n.address, []byte(n.APIAddress()+"\n"), 0o600); err != nil {
		return fmt.Errorf("write where the API listens: %w", err)
	}
	return nil
}

// cannotListen returns the error of an address at which the API can't listen, with the ways to choose another.
func cannotListen(address string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("the API can't listen on %s: the address is in use, perhaps by another node; stop that one, or choose another "+
			"address with --api HOST:PORT or as \"api\" in %s", address, settingsFile)
	}
	return fmt.Errorf("the API can't listen on %s: %w; choose another address with --api HOST:PORT or as \"api\" in %s", address, err, settingsFile)
}

// Run runs the node until the context ends or a failure stops it. Call it once.
func (n *Node) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return n.chain.Run(ctx) })
	if n.index != nil {
		group.Go(func() error { return n.followIndex(ctx) })
	}
	server := httpapi.NewServer(ctx, n.handler, n.limits, n.logger)
	for _, listener := range n.listeners() {
		group.Go(func() error { return serve(ctx, server, listener) })
	}
	group.Go(func() error { return n.watchDisk(ctx) })
	group.Go(func() error {
		n.page.Run(ctx)
		return nil
	})
	n.logger.Info("node is up", "api", n.APIAddress(), "chain", n.store.Params().ChainID, "height", n.store.Height())
	return disk.Explain(n.dir, group.Wait())
}

// listeners returns where the API listens.
func (n *Node) listeners() []net.Listener {
	return slices.DeleteFunc([]net.Listener{n.listener, n.public}, func(l net.Listener) bool { return l == nil })
}

// serve serves one of the listeners. All share one server, so its limits hold for them together.
func serve(ctx context.Context, server *httpapi.Server, listener net.Listener) error {
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		if ctx.Err() == nil {
			return fmt.Errorf("the API has stopped: %w", err)
		}
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), shutdownWait)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		return errors.Join(fmt.Errorf("stop the API: %w", err), server.Close())
	}
	return nil
}

// Close closes the node. [Node.Run] must have returned or never been called.
func (n *Node) Close() error {
	var errs []error
	if n.address != "" {
		errs = append(errs, os.Remove(n.address))
	}
	for _, listener := range n.listeners() {
		if err := listener.Close(); !errors.Is(err, net.ErrClosed) { // the server may have closed it
			errs = append(errs, err)
		}
	}
	if n.chain != nil {
		errs = append(errs, n.chain.Close())
	}
	if n.index != nil {
		errs = append(errs, n.index.Close())
	}
	if n.store != nil {
		errs = append(errs, n.store.Close())
	}
	return errors.Join(errs...)
}

// APIAddress returns the address of the API, as host:port.
func (n *Node) APIAddress() string { return n.listener.Addr().String() }

// PublicAddress returns the address of the API with TLS, as host:port, or nothing.
func (n *Node) PublicAddress() string {
	if n.public == nil {
		return ""
	}
	return n.public.Addr().String()
}

// Token returns the access token for submitting transactions.
func (n *Node) Token() string { return n.token }

// Params returns the parameters of the ledger.
func (n *Node) Params() types.Params { return n.store.Params() }

// Ledger returns the ledger of the API, for programs that run a node in their own process.
func (n *Node) Ledger() *query.Ledger { return n.ledger }

// openStore opens the store of a stopped node, for commands that inspect it.
func openStore(dir string, memory store.Memory, logger *slog.Logger) (*store.Store, error) {
	params, err := readyStore(dir)
	if err != nil {
		return nil, err
	}
	s, err := store.Open(filepath.Join(dir, storeFolder), params, memory, logger)
	return s, disk.Explain(dir, err)
}

// readyStore checks that the store of a node can be opened, and returns the parameters with which its ledger began.
func readyStore(dir string) (params types.Params, err error) {
	if _, err := LoadSettings(dir); err != nil {
		return params, err
	}
	if err := errors.Join(disk.CheckFiles(), disk.CheckRoom(dir)); err != nil {
		return params, err
	}
	params, err = chain.LoadParams(filepath.Join(dir, engineFolder))
	return params, disk.Explain(dir, err)
}
