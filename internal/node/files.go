package node

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"lockstep/internal/chain"
	"lockstep/internal/httpapi"
	"lockstep/internal/plaintext"
	"lockstep/internal/store"
	"lockstep/types"
	"lockstep/types/strict"
)

// What is in a node's folder.
const (
	settingsFile = "node.json"   // Settings
	tokenFile    = "api.token"   // what a client must know to hand in transactions, mode 0600
	engineFolder = "engine"      // keys, genesis and blocks, see package chain
	storeFolder  = "ledger"      // the state, see package store
	addressFile  = "api.address" // where the API of the running node listens
	indexFile    = "index.db"    // what the state does not answer, see package index; it can be removed at any time
)

// DefaultAPI is where the API listens unless told otherwise: on this machine only.
const DefaultAPI = "127.0.0.1:8645"

// Settings are a node's own; the ledger's parameters stand in its genesis file.
type Settings struct {
	API       string     `json:"api"`        // where the API listens
	Hosts     []string   `json:"hosts"`      // names by which a proxy on this machine makes the API known
	Origins   []string   `json:"origins"`    // sites whose pages may read the API in a browser
	P2PListen string     `json:"p2p_listen"` // where other nodes reach this one; empty: nowhere
	P2PPeers  []string   `json:"p2p_peers"`  // nodes to stay connected with, each "id@host:port"
	LogLevel  slog.Level `json:"log_level"`
	MemoryMB  int        `json:"memory_mb"` // what the process should get by with, about

	// ClockAhead is how far the ledger's time is ahead of the wall clock, as an operator has accepted it; see ADR 0022.
	ClockAhead types.Span `json:"clock_ahead,omitempty"`

	// Connections and Streams bound what clients of the API hold open, in all; one address holds at most a quarter of them. Proxies
	// are the addresses, or networks, of reverse proxies, which may hold all of them.
	Connections int      `json:"connections"`
	Streams     int      `json:"streams"`
	Proxies     []string `json:"proxies"`
}

// Of what clients hold open.
const (
	DefaultConnections = 1024
	DefaultStreams     = 512
)

// Of a node's memory.
const (
	DefaultMemoryMB = 1024
	MinMemoryMB     = 256
)

// storeMemory is the store's part of it.
func (s *Settings) storeMemory() store.Memory { return store.Memory(s.MemoryMB) << 20 * 5 / 8 }

// blockMemory is the engine's, twice, for the blocks that it writes down.
func (s *Settings) blockMemory() int { return s.MemoryMB << 20 / 32 }

// limits are what clients of the API may hold open. A quarter of the files that the process may open is for them: the rest is for
// consensus, the store and the index. A stream has no end, so streams leave half of the connections to others.
func (s *Settings) limits(files int) httpapi.Limits {
	connections := min(s.Connections, files/4)
	limits := httpapi.Limits{Connections: connections, Streams: min(s.Streams, connections/2)}
	for _, text := range s.Proxies {
		if proxy, err := parseProxy(text); err == nil { // Check has refused others
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

// DefaultSettings are those of a node on its own.
func DefaultSettings() Settings {
	return Settings{
		API: DefaultAPI, Hosts: []string{}, Origins: []string{}, P2PPeers: []string{}, LogLevel: slog.LevelInfo, MemoryMB: DefaultMemoryMB,
		Connections: DefaultConnections, Streams: DefaultStreams, Proxies: []string{},
	}
}

// Check reports settings that no node could run with.
func (s *Settings) Check() error {
	if err := checkAddress(s.API); err != nil {
		return fmt.Errorf("api: %w, such as %s", err, DefaultAPI)
	}
	if s.P2PListen != "" {
		if err := checkAddress(s.P2PListen); err != nil {
			return fmt.Errorf("p2p_listen: %w, such as 0.0.0.0:26656", err)
		}
	}
	if s.MemoryMB < MinMemoryMB {
		return fmt.Errorf("memory_mb: a node can't work with %d MB: give it %d or more", s.MemoryMB, MinMemoryMB)
	}
	if s.Connections < 4 || s.Streams < 4 {
		return fmt.Errorf("connections and streams: clients may hold %d and %d, at least 4 are needed", s.Connections, s.Streams)
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
	for _, origin := range s.Origins {
		if _, err := httpapi.ParseOrigin(origin); err != nil {
			return fmt.Errorf("origins: %w", err)
		}
	}
	for _, peer := range s.P2PPeers {
		id, address, found := strings.Cut(peer, "@")
		if !found || id == "" || checkAddress(address) != nil {
			return fmt.Errorf("p2p_peers: %q is not a node: write id@host:port", peer)
		}
	}
	return nil
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

// Listens tells where the API of the node in a folder listens, as host:port: of a running node where it does, else where
// the settings say.
func Listens(dir string) (string, error) {
	text, err := plaintext.ReadFile(filepath.Join(dir, addressFile), maxFile)
	if address := strings.TrimSpace(string(text)); err == nil && checkAddress(address) == nil {
		return address, nil
	}
	settings, err := LoadSettings(dir)
	return settings.API, err
}

// InitOptions are what a new ledger is made with. The zero Settings are the default ones.
type InitOptions struct {
	Params   types.Params
	Settings Settings
}

// Init makes the folder of a new ledger whose one validator is this node. The folder must be empty or not exist.
func Init(dir string, options InitOptions) error {
	if err := options.Params.Check(); err != nil {
		return fmt.Errorf("the ledger's parameters: %w", err)
	}
	settings := options.Settings
	if settings.API == "" {
		settings.API = DefaultAPI
	}
	if settings.MemoryMB == 0 {
		settings.MemoryMB = DefaultMemoryMB
	}
	if settings.Connections == 0 {
		settings.Connections = DefaultConnections
	}
	if settings.Streams == 0 {
		settings.Streams = DefaultStreams
	}
	for _, list := range []*[]string{&settings.Hosts, &settings.Origins, &settings.P2PPeers, &settings.Proxies} {
		if *list == nil {
			*list = []string{}
		}
	}
	if err := settings.Check(); err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	if err := makeFolder(dir); err != nil {
		return err
	}
	if err := chain.Create(filepath.Join(dir, engineFolder), options.Params); err != nil {
		return fmt.Errorf("make the chain: %w", err)
	}
	if err := writeToken(filepath.Join(dir, tokenFile)); err != nil {
		return err
	}
	// The settings come last: a folder without them is one that was not finished.
	return writeSettings(filepath.Join(dir, settingsFile), settings)
}

// ErrUsed is of a folder that a ledger lives in already.
var ErrUsed = errors.New("holds the node of ledger")

// makeFolder makes a folder that must be empty or not exist.
func makeFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the node's folder: %w", err)
	}
	switch entries, err := os.ReadDir(dir); {
	case err != nil:
		return fmt.Errorf("make the node's folder: %w", err)
	case len(entries) > 0:
		if params, err := chain.LoadParams(filepath.Join(dir, engineFolder)); err == nil {
			return fmt.Errorf("folder %s is not empty: it %w %q; choose another folder for the new ledger, or start that one", dir, ErrUsed, params.ChainID)
		}
		return fmt.Errorf("folder %s is not empty: choose another for the new ledger", dir)
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
	if err := os.WriteFile(file, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("write the settings: %w", err)
	}
	return nil
}

// ErrNoNode is of a folder in which no node was made.
var ErrNoNode = errors.New("is not the folder of a node: it has no " + settingsFile + "; make a ledger there first")

// maxFile bounds a file of settings, and one of a line.
const maxFile = 1 << 20

// LoadSettings reads the settings in a node's folder.
func LoadSettings(dir string) (Settings, error) {
	file := filepath.Join(dir, settingsFile)
	text, err := plaintext.ReadFile(file, maxFile)
	if errors.Is(err, os.ErrNotExist) {
		return Settings{}, fmt.Errorf("%s %w", dir, ErrNoNode)
	}
	if err != nil {
		return Settings{}, fmt.Errorf("read the settings: %w", err)
	}
	settings := DefaultSettings()
	if err := strict.Unmarshal(text, &settings); err != nil {
		return Settings{}, fmt.Errorf("settings %s: %w", file, err)
	}
	if err := settings.Check(); err != nil {
		return Settings{}, fmt.Errorf("settings %s: %w", file, err)
	}
	return settings, nil
}

// LoadToken reads the API token in a node's folder.
func LoadToken(dir string) (string, error) {
	file := filepath.Join(dir, tokenFile)
	text, err := plaintext.ReadFile(file, maxFile)
	if err != nil {
		return "", fmt.Errorf("read the API token: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if secret, err := hex.DecodeString(token); err != nil || len(secret) != 32 {
		return "", fmt.Errorf("%s does not hold an API token: 64 hexadecimal digits are needed", file)
	}
	return token, nil
}
