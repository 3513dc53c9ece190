package chain

import (
	"math"
	"runtime"
	"strings"
	"time"

	cmtconfig "github.com/cometbft/cometbft/config"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"

	"lockstep/internal/ledger"
	"lockstep/types"
)

// Config is how a node takes part in its chain. The zero value of a field means its default.
type Config struct {
	Dir string // of the engine: keys, genesis and blocks, as made by [Create]

	// Listen is where peers reach this node, such as "0.0.0.0:26656"; empty means that it takes none.
	Listen string
	// Peers are the nodes to stay connected with, each "id@host:port".
	Peers []string

	// Idle is the longest that an idle chain waits for a transaction before it makes an empty block.
	Idle time.Duration
	// PoolTxs and PoolBytes bound the waiting transactions.
	PoolTxs   int
	PoolBytes int
	// BlockMemory bounds the memory of the newest blocks before they are sorted into files. Twice as much may be in use.
	BlockMemory int

	// SlowLinks gathers messages to peers before they are sent. A message is sent in frames of a kilobyte, however short it is, so that
	// validators at slow links need a third of the bytes, and each step of a block takes a little longer.
	SlowLinks bool

	// TrustClock accepts a wall clock that has jumped ahead. ClockAhead is the accepted lead of the ledger's time over it; see ADR 0022.
	TrustClock bool
	ClockAhead time.Duration

	// HaltedAfter is the time without a block after which the ledger counts as halted.
	HaltedAfter time.Duration

	// Exchange lets nodes tell each other of further ones, and this one connect with them.
	Exchange bool

	// SignNow makes the validator sign at once, although its folder is a copy or a restored backup: nobody else has its key.
	SignNow bool

	// Keep is how long blocks and their history are kept; 0: for ever. Indexed is the last block that the index has read, nil without an index.
	Keep    time.Duration
	Indexed func() (uint64, error)

	// Until is the last block that this node takes part in; 0: there is none.
	Until uint64

	// Sync lets an empty node begin with a snapshot of its peers; nil: with the first block.
	Sync *Sync

	// Tests replace these.
	every      time.Duration        // between two looks for further peers
	clock      func() moment        // reads the machine's clocks
	silence    time.Duration        // for which its key is silent by then
	silent     int                  // the blocks for which a copied validator waits
	signed     func(*cmtproto.Vote) // is told of each vote that this node signs
	rules      []ledger.Rules       // versions that this program knows; tests add one
	prunePause time.Duration        // between two looks for old blocks
}

const (
	maxIdle          = 2 * time.Second
	defaultPoolTxs   = 20_000
	defaultPoolBytes = 32 << 20
	// defaultBlockMemory makes sorting rare.
	defaultBlockMemory = 32 << 20
	// blockBytes bounds a block, some 12,000 transactions of the common size.
	blockBytes = 4 << 20
	// proposeGrace is a proposer's time to execute and send its block, beside the idle wait.
	proposeGrace = 3 * time.Second
	// proposeDelta is added in each further round, so that a slow block, such as one with a huge auction, gets enough time.
	proposeDelta = 5 * time.Second
	// peerRate (bytes a second each way) and peerPacket (bytes) replace the engine's defaults, which throttle a full chain.
	peerRate = 64 << 20
	// mostInbound and mostOutbound bound the peers besides those of the configuration: nodes that connect with this one, and nodes that it has
	// learned of from others.
	mostInbound, mostOutbound = 40, 8
	peerPacket                = 16 << 10
	// Every step of a block waits for a flush, at every node, and for the gossip of votes.
	flushFast, gossipFast = time.Millisecond, 5 * time.Millisecond
	flushSlow, gossipSlow = 50 * time.Millisecond, 50 * time.Millisecond
)

func (c Config) withDefaults(params *types.Params) Config {
	if c.Idle == 0 {
		// Several blocks fit into one clock cap, so an idle chain never holds the ledger clock up.
		c.Idle = min(params.ClockCap.Std()/5, maxIdle)
	}
	if c.HaltedAfter == 0 {
		c.HaltedAfter = 5*c.Idle + 10*time.Second
	}
	if c.PoolTxs == 0 {
		c.PoolTxs = defaultPoolTxs
	}
	if c.PoolBytes == 0 {
		c.PoolBytes = defaultPoolBytes
	}
	if c.BlockMemory == 0 {
		c.BlockMemory = defaultBlockMemory
	}
	if c.rules == nil {
		c.rules = ledger.KnownRules()
	}
	if c.prunePause == 0 {
		c.prunePause = prunePause
	}
	return c
}

// engineConfig is the engine's configuration: no RPC, no index, the pool in the application, no pause between blocks.
func (c Config) engineConfig() (*cmtconfig.Config, error) {
	config := cmtconfig.DefaultConfig()
	config.SetRoot(c.Dir)
	config.DBBackend = "goleveldb"
	config.TxIndex.Indexer = "null"
	config.Storage.DiscardABCIResponses = true
	config.RPC.ListenAddress, config.RPC.GRPCListenAddress = "", ""

	config.Mempool.Type = cmtconfig.MempoolTypeApp
	config.Mempool.Recheck = false
	config.Mempool.Broadcast = c.Listen != "" || len(c.Peers) > 0
	config.Mempool.MaxTxBytes = types.MaxTxBytes
	config.Mempool.MaxBatchBytes = 1 << 20
	config.Mempool.Size, config.Mempool.SeenCacheSize = c.PoolTxs, 2*c.PoolTxs
	config.Mempool.ReapInterval = 10 * time.Millisecond

	config.P2P.ListenAddress = "tcp://" + c.Listen
	if c.Listen == "" { // the engine must listen: on this machine only, without inbound peers
		config.P2P.ListenAddress = "tcp://127.0.0.1:0"
	}
	config.P2P.PexReactor = c.Exchange && config.Mempool.Broadcast
	config.P2P.MaxNumInboundPeers, config.P2P.MaxNumOutboundPeers = mostInbound, mostOutbound
	if c.Listen == "" {
		config.P2P.MaxNumInboundPeers = 0
	}
	config.P2P.UnconditionalPeerIDs = strings.Join(c.peerIDs(), ",")
	config.P2P.AddrBookStrict = false // peers may be on a private network
	config.P2P.AllowDuplicateIP = true
	config.P2P.PersistentPeers = strings.Join(c.Peers, ",")
	config.P2P.SendRate, config.P2P.RecvRate = peerRate, peerRate
	config.P2P.MaxPacketMsgPayloadSize = peerPacket
	config.P2P.FlushThrottleTimeout, config.Consensus.PeerGossipSleepDuration = flushFast, gossipFast
	if c.SlowLinks {
		config.P2P.FlushThrottleTimeout, config.Consensus.PeerGossipSleepDuration = flushSlow, gossipSlow
		config.P2P.MaxNumOutboundPeers = mostOutbound / 2
	}

	config.Consensus.TimeoutPropose, config.Consensus.TimeoutProposeDelta = c.Idle+proposeGrace, proposeDelta
	config.Consensus.TimeoutCommit = 0 // PrepareProposal paces the chain: it waits for the first transaction
	// The engine would compare decided blocks with the wall clock, and panic when that clock is wrong. clock.judge checks the time of a
	// block when it is proposed.
	config.Consensus.BlockTimeTolerance = math.MaxInt64
	return config, config.ValidateBasic()
}

// peerIDs returns the names of the peers to stay connected with: no others keep them out.
func (c *Config) peerIDs() []string {
	ids := make([]string, len(c.Peers))
	for i, peer := range c.Peers {
		ids[i], _, _ = strings.Cut(peer, "@")
	}
	return ids
}

func workers() int { return runtime.GOMAXPROCS(0) }
