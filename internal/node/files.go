package node

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"lockstep/internal/atomicfile"
	"lockstep/internal/chain"
	"lockstep/internal/httpapi"
	"lockstep/internal/plaintext"
	"lockstep/internal/store"
	"lockstep/types"
	"lockstep/types/strict"
)

// The files and folders of a node.
const (
	settingsFile = "node.json"   // Settings
	tokenFile    = "api.token"   // the node's own access token for submitting transactions, mode 0600
	tokensFile   = "api.tokens"  // named access tokens, hashed, see package access
	engineFolder = "engine"      // keys, genesis and blocks, see package chain
	storeFolder  = "ledger"      // the state, see package store
	addressFile  = "api.address" // where the API of the running node listens
	indexFile    = "index.db"    // the query index, see package index; it can be removed at any time

	snapshotsFolder = "snapshots" // of the state, for new nodes, see package snapshot; they can be removed at any time
)

// DefaultAPI is the default address of the API: reachable from this machine only.
const DefaultAPI = "127.0.0.1:8645"

// Settings are a node's own settings; the ledger's parameters are in its genesis file.
type Settings struct {
	API       string     `json:"api"`                  // where the API listens
	Hosts     []string   `json:"hosts"`                // host names under which a proxy on this machine serves the API
	Origins   []string   `json:"origins"`              // sites whose pages may read the API in a browser
	P2PListen string     `json:"p2p_listen"`           // where this node takes connections of other nodes; empty: nowhere
	P2PPeers  []string   `json:"p2p_peers"`            // nodes to stay connected with, each "id@host:port"
	P2PAlone  bool       `json:"p2p_alone,omitempty"`  // tell other nodes of none, and connect with none that others tell of
	SlowLinks bool       `json:"slow_links,omitempty"` // gather messages to peers, for links of a few Mbit/s
	LogLevel  slog.Level `json:"log_level"`
	MemoryMB  int        `json:"memory_mb"` // approximate memory of the process

	// Keep is how long blocks and outcomes are kept: "all", or a time such as 720h. The state is always whole. Snapshots of the state are made so often, for
	// nodes that join; zero for none.
	Keep      string         `json:"keep"`
	Snapshots types.Duration `json:"snapshots"`
	// Index says whether the node keeps the query index, which answers questions on history; a validator can do without. IndexAt is the address of
	// the API of a node that keeps one, which a node without one names in its answers.
	Index   *bool  `json:"index"`
	IndexAt string `json:"index_at,omitempty"`
	// Sync lets the node begin with a snapshot of its peers, as long as it has no blocks.
	Sync *SyncSettings `json:"sync,omitempty"`

	// ClockAhead is the lead of the ledger's time over the wall clock that an operator has accepted; see ADR 0022.
	ClockAhead types.Duration `json:"clock_ahead,omitempty"`

	// HaltedAfter is the time without a block after which the node isn't ready any more. 0: by the parameters, 20 s with the default ones.
	HaltedAfter types.Duration `json:"halted_after,omitempty"`

	// Connections and Streams bound the connections and streams of API clients in total; one address holds at most a quarter of them.
	// Proxies are the addresses, or networks, of reverse proxies, which may hold all of them.
	Connections int      `json:"connections"`
	Streams     int      `json:"streams"`
	Proxies     []string `json:"proxies"`
	// Requests bounds the requests of an address in a second, except of this machine and of proxies. 0: unlimited.
	Requests int `json:"requests"`

	// Public is where the API listens with TLS, for clients on other machines; empty: nowhere. Its certificate comes from two files,
	// or for ACMEHosts from the ACME service of ACMEDirectory, by default Let's Encrypt, which must reach it at port 443.
	Public        string   `json:"public,omitempty"`
	TLSCert       string   `json:"tls_cert,omitempty"`
	TLSKey        string   `json:"tls_key,omitempty"`
	ACMEHosts     []string `json:"acme_hosts,omitempty"`
	ACMEEmail     string   `json:"acme_email,omitempty"`
	ACMEDirectory string   `json:"acme_directory,omitempty"`
	// PlainHTTP lets API listen elsewhere than on loopback, where others on the way can read along and change the messages.
	PlainHTTP bool `json:"plain_http,omitempty"`

	// Prices are the settings of the prices that home software reads; see [PriceSettings].
	Prices *PriceSettings `json:"prices,omitempty"`
}

// PriceSettings choose the market whose prices home software reads, and its reference prices for a kWh in whole money, such as "0.31",
// of slots without an auction. Each may be left out.
type PriceSettings struct {
	Zone  string         `json:"zone,omitempty"`
	Asset *types.AssetID `json:"asset,omitempty"`
	Buy   string         `json:"buy,omitempty"`
	Sell  string         `json:"sell,omitempty"`
}

// read returns the settings as the API takes them. It takes nil.
func (p *PriceSettings) read() (prices httpapi.Prices, err error) {
	if p == nil {
		return prices, nil
	}
	if prices.Zone = p.Zone; p.Asset != nil {
		prices.Asset = *p.Asset
	}
	for _, side := range []struct {
		text string
		to   **big.Rat
	}{{p.Buy, &prices.Buy}, {p.Sell, &prices.Sell}} {
		if side.text == "" {
			continue
		}
		if *side.to, err = httpapi.ParseReference(side.text); err != nil {
			return prices, err
		}
	}
	return prices, nil
}

// The default bounds on clients.
const (
	DefaultConnections = 1024
	DefaultStreams     = 512
	DefaultRequests    = 200
)

// minHalted is the shortest time without a block by which a ledger can be said to stand still.
const minHalted = 5 * time.Second

// The default and the minimum of a node's memory.
const (
	DefaultMemoryMB = 1024
	MinMemoryMB     = 256
)

// indexed reports whether the node keeps the query index.
func (s *Settings) indexed() bool { return s.Index == nil || *s.Index }

// storeMemory returns the store's share of the memory.
func (s *Settings) storeMemory() store.Memory { return store.Memory(s.MemoryMB) << 20 * 5 / 8 }

// blockMemory returns half of the engine's share, for the blocks that it writes.
func (s *Settings) blockMemory() int { return s.MemoryMB << 20 / 32 }

// KeepAll is the setting of a node that keeps all history.
const KeepAll = "all"

// DefaultSnapshots is the default interval of snapshots.
const DefaultSnapshots = types.Duration(time.Hour / time.Millisecond)

// keep returns how long history is kept, 0 for ever.
func (s *Settings) keep() (time.Duration, error) {
	if s.Keep == KeepAll {
		return 0, nil
	}
	keep, err := time.ParseDuration(s.Keep)
	if err != nil || keep <= 0 {
		return 0, fmt.Errorf("keep: %q is not a time: write %q, or a time such as 720h", s.Keep, KeepAll)
	}
	return keep, nil
}

// limits returns the bounds on API clients. They get a quarter of the files that the process may open: the rest is for consensus, the store
// and the index. A stream has no end, so streams take at most half of the connections.
func (s *Settings) limits(files int) httpapi.Limits {
	connections := min(s.Connections, files/4)
	limits := httpapi.Limits{Connections: connections, Streams: min(s.Streams, connections/2), Requests: s.Requests}
	for _, text := range s.Proxies {
		if proxy, err := parseProxy(text); err == nil { // Check has refused all others
			limits.Proxies = append(limits.Proxies, proxy)
		}
	}
	return limits
}

// parseProxy reads an address, or a network such as 10.0.0.0/8.
func parseProxy(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil {
		address = address.Unmap()
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	return netip.ParsePrefix(text)
}

// DefaultSettings returns the settings of a single node.
func DefaultSettings() Settings {
	index := true
	return Settings{
		Index: &index,
		API:   DefaultAPI, Hosts: []string{}, Origins: []string{}, P2PPeers: []string{}, LogLevel: slog.LevelInfo, MemoryMB: DefaultMemoryMB,
		Connections: DefaultConnections, Streams: DefaultStreams, Proxies: []string{}, Requests: DefaultRequests, Keep: KeepAll, Snapshots: DefaultSnapshots,
	}
}

// Check reports settings with which no node can run.
func (s *Settings) Check() error {
	if err := checkAddress(s.API); err != nil {
		return fmt.Errorf("api: %w, such as %s", err, DefaultAPI)
	}
	if s.P2PListen != "" {
		if err := checkAddress(s.P2PListen); err != nil {
			return fmt.Errorf("p2p_listen: %w, such as 0.0.0.0:26656", err)
		}
	}
	if err := s.checkPublic(); err != nil {
		return err
	}
	if _, err := s.keep(); err != nil {
		return err
	}
	if s.HaltedAfter > 0 && s.HaltedAfter.Std() < minHalted {
		return fmt.Errorf("halted_after: %s is too short: an idle ledger may make a block every 2 s, and a lost round costs some more; set %s or more", s.HaltedAfter, minHalted)
	}
	if err := s.checkIndexAt(); err != nil {
		return err
	}
	if err := s.Sync.check(); err != nil {
		return err
	}
	if s.Requests < 0 {
		return fmt.Errorf("requests: %d is too few: set 1 or more, or 0 for no bound", s.Requests)
	}
	if s.MemoryMB < MinMemoryMB {
		return fmt.Errorf("memory_mb: %d MB is too little: give the node %d or more", s.MemoryMB, MinMemoryMB)
	}
	if s.Connections < 4 || s.Streams < 4 {
		return fmt.Errorf("connections and streams: %d and %d are too few: set each to 4 or more", s.Connections, s.Streams)
	}
	for _, proxy := range s.Proxies {
		if _, err := parseProxy(proxy); err != nil {
			return fmt.Errorf("proxies: %q is not an address or a network: write one such as 10.0.0.7 or 10.0.0.0/24", proxy)
		}
	}
	for _, host := range s.Hosts {
		if _, err := httpapi.ParseHost(host); err != nil {
			return fmt.Errorf("hosts: %w", err)
		}
	}
	if _, err := s.Prices.read(); err != nil {
		return fmt.Errorf("prices: %w", err)
	}
	for _, origin := range s.Origins {
		if _, err := httpapi.ParseOrigin(origin); err != nil {
			return fmt.Errorf("origins: %w", err)
		}
	}
	for _, peer := range s.P2PPeers {
		if !isPeer(peer) {
			return fmt.Errorf("p2p_peers: %.200q is not a node: write id@host:port, with the id of 40 hexadecimal digits that \"lockstep node id\" prints", peer)
		}
	}
	return nil
}

// checkIndexAt reports an address of the index's node that no client can ask, or that nobody is told.
func (s *Settings) checkIndexAt() error {
	if s.IndexAt == "" {
		return nil
	}
	if s.indexed() {
		return errors.New("index_at: the node keeps an index itself: remove index_at, or set \"index\": false")
	}
	address, err := url.Parse(s.IndexAt)
	if err != nil || address.Scheme != "http" && address.Scheme != "https" || address.Host == "" || address.User != nil {
		return fmt.Errorf("index_at: %q is not the address of a node's API: write one such as https://node.example", s.IndexAt)
	}
	return nil
}

// isPeer reports whether a text names a node as "id@host:port". It may come from anybody; the engine reads a list of them with commas between, and
// does not start with one that it can't read.
func isPeer(text string) bool {
	id, address, _ := strings.Cut(text, "@")
	host, port, err := net.SplitHostPort(address)
	if _, hexErr := hex.DecodeString(id); err != nil || hexErr != nil || len(id) != 40 || port == "0" || checkAddress(address) != nil {
		return false
	}
	odd := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
	}
	return host != "" && strings.IndexFunc(host, odd) < 0 || net.ParseIP(host) != nil
}

// checkPublic reports settings by which the public address has no certificate, or not one alone.
func (s *Settings) checkPublic() error {
	files, named := s.TLSCert != "" || s.TLSKey != "", len(s.ACMEHosts) > 0
	switch {
	case s.Public == "" && (files || named || s.ACMEEmail != "" || s.ACMEDirectory != ""):
		return errors.New("public: there are settings for TLS, but no address for it: set one, such as 0.0.0.0:443")
	case s.Public == "":
		return nil
	case files && named:
		return errors.New("tls_cert and acme_hosts: a certificate comes from one of them; remove the other")
	case !files && !named:
		return errors.New("public: TLS needs a certificate: set tls_cert and tls_key, or acme_hosts")
	case files && (s.TLSCert == "" || s.TLSKey == ""):
		return errors.New("tls_cert and tls_key: set both, or neither")
	}
	for _, host := range s.ACMEHosts {
		if _, err := httpapi.ParseHost(host); err != nil {
			return fmt.Errorf("acme_hosts: %w", err)
		}
	}
	if err := checkAddress(s.Public); err != nil {
		return fmt.Errorf("public: %w, such as 0.0.0.0:443", err)
	}
	return nil
}

// checkPlain refuses an address for plain HTTP that other machines reach, unless the operator wants that.
func checkPlain(address string, wanted bool) error {
	host, _, _ := net.SplitHostPort(address) // checkAddress has split it
	if ip := net.ParseIP(host); wanted || host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("on %s the API would speak plain HTTP to other machines, and anybody on the way could read along and take the token: "+
		"set \"public\" with a certificate in %s instead, or, where a proxy or a container keeps others away, \"plain_http\" or --plain-http", address, settingsFile)
}

// checkAddress refuses an address at which nothing can listen.
func checkAddress(address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q is not an address: write host:port", address)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q has no port from 0 to 65535: write host:port", address)
	}
	return nil
}

// Listens returns the address of the API of the node in a folder, as host:port: the actual address of a running node, else the one in the
// settings.
func Listens(dir string) (string, error) {
	text, err := plaintext.ReadFile(filepath.Join(dir, addressFile), maxFile)
	if address := strings.TrimSpace(string(text)); err == nil && checkAddress(address) == nil {
		return address, nil
	}
	settings, err := LoadSettings(dir)
	return settings.API, err
}

// InitOptions are the options of a new ledger. Zero Settings mean the defaults.
type InitOptions struct {
	Params   types.Params
	Settings Settings
	Evidence time.Duration // how long evidence against a validator counts, 0 for [chain.DefaultEvidenceAge]
}

// Init creates the folder of a new ledger whose only validator is this node. The folder must be empty or not exist.
func Init(dir string, options InitOptions) error {
	if err := options.Params.Check(); err != nil {
		return fmt.Errorf("the ledger's parameters: %w", err)
	}
	settings := options.Settings
	settings.fill()
	if err := settings.Check(); err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	if err := makeFolder(dir); err != nil {
		return err
	}
	if err := chain.Create(filepath.Join(dir, engineFolder), options.Params, options.Evidence); err != nil {
		return fmt.Errorf("make the chain: %w", err)
	}
	return finish(dir, settings)
}

// finish writes the files of a new folder that come last: a folder without settings is unfinished. All others are on the disk by then.
func finish(dir string, settings Settings) error {
	if err := writeToken(filepath.Join(dir, tokenFile)); err != nil {
		return err
	}
	if err := syncAll(dir); err != nil {
		return fmt.Errorf("write the node's folder to the disk: %w", err)
	}
	return writeSettings(filepath.Join(dir, settingsFile), settings)
}

// syncAll writes all files and folders of a folder to the disk.
func syncAll(dir string) error {
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		return errors.Join(file.Sync(), file.Close())
	})
}

// fill sets the settings that are zero to their defaults.
func (s *Settings) fill() {
	defaults := DefaultSettings()
	if s.API == "" {
		s.API = defaults.API
	}
	if s.Keep == "" {
		s.Keep = defaults.Keep
	}
	if s.Snapshots == 0 {
		s.Snapshots = defaults.Snapshots
	}
	if s.Index == nil {
		s.Index = defaults.Index
	}
	for _, number := range []struct {
		value    *int
		fallback int
	}{{&s.MemoryMB, defaults.MemoryMB}, {&s.Connections, defaults.Connections}, {&s.Streams, defaults.Streams}, {&s.Requests, defaults.Requests}} {
		if *number.value == 0 {
			*number.value = number.fallback
		}
	}
	for _, list := range []*[]string{&s.Hosts, &s.Origins, &s.P2PPeers, &s.Proxies} {
		if *list == nil {
			*list = []string{}
		}
	}
}

// ErrUsed is the error of a folder that holds a ledger already.
var ErrUsed = errors.New("holds the node of ledger")

// makeFolder creates a folder. If the folder exists, it must be empty.
func makeFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the node's folder: %w", err)
	}
	switch entries, err := os.ReadDir(dir); {
	case err != nil:
		return fmt.Errorf("make the node's folder: %w", err)
	case len(entries) > 0:
		if _, err := LoadSettings(dir); errors.Is(err, errUnfinished) {
			return err
		}
		if params, err := chain.LoadParams(filepath.Join(dir, engineFolder)); err == nil {
			return fmt.Errorf("folder %s is not empty: it %w %q; choose another folder for the new node, or start that one", dir, ErrUsed, params.ChainID)
		}
		return fmt.Errorf("folder %s is not empty: choose another for the new node", dir)
	}
	return nil
}

func writeToken(file string) error {
	var token [32]byte
	if _, err := rand.Read(token[:]); err != nil {
		return fmt.Errorf("make the API token: %w", err)
	}
	if err := os.WriteFile(file, []byte(hex.EncodeToString(token[:])+"\n"), 0o600); err != nil {
		return fmt.Errorf("write the API token: %w", err)
	}
	return nil
}

func writeSettings(file string, settings Settings) error {
	text, err := json.MarshalIndent(settings, "", "  ")
	if err != nil {
		return fmt.Errorf("write the settings: %w", err)
	}
	if err := atomicfile.Replace(file, append(text, '\n')); err != nil {
		return fmt.Errorf("write the settings: %w", err)
	}
	return nil
}

// ErrNoNode is the error of a folder without a node.
var ErrNoNode = errors.New("is not the folder of a node: it has no " + settingsFile + "; make a ledger there first")

// errUnfinished is the error of a folder whose making was interrupted. Nothing in it is worth keeping: no node has run there.
var errUnfinished = errors.New("holds the beginning of a node alone: its making was interrupted; remove the folder, and make the node again")

// noSettings says why a folder has no settings: they are written last, when all else is on the disk.
func noSettings(dir string) error {
	switch {
	case !exists(filepath.Join(dir, engineFolder)):
		return fmt.Errorf("%s %w", dir, ErrNoNode)
	case exists(filepath.Join(dir, storeFolder)):
		return fmt.Errorf("%s holds a node that has run, and its %s is missing: restore that file, or write {} into it for the default settings, with its p2p_peers if it has some",
			dir, settingsFile)
	}
	return fmt.Errorf("%s %w", dir, errUnfinished)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// maxFile bounds the size of the settings, token and address files.
const maxFile = 1 << 20

// LoadSettings reads the settings in a node's folder.
func LoadSettings(dir string) (Settings, error) {
	file := filepath.Join(dir, settingsFile)
	text, err := plaintext.ReadFile(file, maxFile)
	if errors.Is(err, os.ErrNotExist) {
		return Settings{}, noSettings(dir)
	}
	if err != nil {
		return Settings{}, fmt.Errorf("read the settings: %w", err)
	}
	settings := DefaultSettings()
	err = strict.Unmarshal(text, &settings)
	if err == nil {
		err = settings.Check()
	}
	if err != nil {
		return Settings{}, fmt.Errorf("settings %s: %w; correct the file, or restore it", file, err)
	}
	return settings, nil
}

// TokensFile returns the file of the named access tokens in a node's folder, see package access.
func TokensFile(dir string) string { return filepath.Join(dir, tokensFile) }

// LoadToken reads the API token in a node's folder.
func LoadToken(dir string) (string, error) {
	file := filepath.Join(dir, tokenFile)
	text, err := plaintext.ReadFile(file, maxFile)
	if err != nil {
		return "", fmt.Errorf("read the API token: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if secret, err := hex.DecodeString(token); err != nil || len(secret) != 32 {
		return "", fmt.Errorf("%s does not hold an API token: 64 hexadecimal digits are needed; restore it, or write some of your own", file)
	}
	return token, nil
}
