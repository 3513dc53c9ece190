package chain

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cometbft/cometbft/consensus"
	cstypes "github.com/cometbft/cometbft/consensus/types"
	"github.com/cometbft/cometbft/p2p"
	cmttypes "github.com/cometbft/cometbft/types"

	"lockstep/internal/plaintext"
	"lockstep/types"
)

// Network describes how another node follows the chain: its genesis file and the nodes that take connections.
type Network struct {
	Genesis     types.Hash
	GenesisFile []byte
	Node        string   // the name of this node among its peers
	Listen      string   // where it takes connections, or nothing; the host may be unspecified
	Peers       []string // nodes that it is connected with and that take connections, each "id@host:port"
	Snapshot    uint64   // the last block of the newest snapshot that it offers, 0 for none
}

// Network returns how another node follows the chain.
func (c *Chain) Network() (Network, error) {
	files := filesOf(c.config.Dir)
	text, err := plaintext.ReadFile(files.Genesis, maxGenesis)
	if err != nil {
		return Network{}, fmt.Errorf("read the genesis file: %w", err)
	}
	network := Network{Genesis: c.genesis, GenesisFile: text, Node: string(c.engine.NodeInfo().ID()), Listen: c.config.Listen}
	if folder := c.store.Snapshots(); folder != "" {
		heights, err := folder.Heights()
		if err != nil {
			return Network{}, err
		}
		if len(heights) > 0 {
			network.Snapshot = heights[0]
		}
	}
	if !c.engine.IsRunning() {
		return network, nil
	}
	for _, peer := range c.engine.Switch().Peers().Copy() {
		if address := dialable(peer); address != "" {
			network.Peers = append(network.Peers, address)
		}
	}
	slices.Sort(network.Peers)
	return network, nil
}

// dialable returns where a peer takes connections, or nothing. A peer that listens on all its addresses is reached at that of its connection.
func dialable(peer p2p.Peer) string {
	info, ok := peer.NodeInfo().(p2p.DefaultNodeInfo)
	if !ok {
		return ""
	}
	var remote net.IP
	if address := peer.SocketAddr(); address != nil {
		remote = address.IP
	}
	return dialableAt(string(peer.ID()), info.ListenAddr, remote)
}

// dialableAt returns "id@host:port" of a peer by its own statement, which can be any text. No name is looked up: the peer could make that take minutes.
func dialableAt(id, listen string, remote net.IP) string {
	at, err := netip.ParseAddrPort(listen[strings.LastIndexByte(listen, '/')+1:]) // behind a scheme such as tcp://
	if err != nil || at.Port() == 0 || at.Addr().Zone() != "" {
		return ""
	}
	host := at.Addr().Unmap()
	if host.IsUnspecified() {
		from, ok := netip.AddrFromSlice(remote)
		if !ok {
			return ""
		}
		host = from.Unmap()
	}
	return id + "@" + netip.AddrPortFrom(host, at.Port()).String()
}

// Signers tells how the validators take part.
type Signers struct {
	Height     uint64   // of the last block
	Blocks     int      // the last blocks that were looked at
	Power      int64    // of all validators
	Needed     int64    // the power without which no block is made: more than two thirds
	Heard      int64    // the power of the validators that are heard
	Validators []Signer // by power, then by key
}

// Signer is a validator and how it took part in the last blocks.
type Signer struct {
	Key    types.PublicKey
	Power  int64
	Signed int    // the blocks whose commit has its signature; a commit takes those that come first, so a slow validator lacks some
	Last   uint64 // the newest block that it signed, 0: none of those that were looked at
	Heard  bool   // its vote for the next block reached this node, or for the last one, as long as there is no next

	// Ahead and Behind tell how far its clock is from this node's, by the time of its last vote. The network's delay makes it look behind.
	Ahead, Behind types.Duration
}

// signedBlocks is how many blocks Signers looks at.
const signedBlocks = 100

// votes follows the votes of the validators.
type votes struct {
	state atomic.Pointer[consensus.State] // of the running engine

	mu      sync.Mutex
	known   map[int64][]string // the addresses that signed the last blocks
	offsets map[string]offset  // of the clocks of the validators, by their addresses
}

// Signers returns how the validators took part in the last blocks, and whether enough of them are heard.
func (c *Chain) Signers() (Signers, error) {
	state := c.votes.state.Load()
	if state == nil {
		return Signers{}, types.Refuse(types.CodeUnavailable, "the node is starting")
	}
	now := state.GetRoundState()
	top := now.Height - 1
	signers := Signers{Height: uint64(max(top, 0)), Power: now.Validators.TotalVotingPower()} //nolint:gosec // not negative
	signers.Needed = signers.Power*2/3 + 1
	alone := c.engine.Switch().Peers().Size() == 0
	standing := c.feed.since() > c.config.Idle+silentAfter
	at := make(map[string]int, now.Validators.Size())
	for i, validator := range now.Validators.Validators {
		signer := Signer{Power: validator.VotingPower, Heard: heard(now, i, validator.Address, standing)}
		if standing && alone { // whose votes are old
			signer.Heard = bytes.Equal(validator.Address, c.custody.address)
		}
		copy(signer.Key[:], validator.PubKey.Bytes())
		if ahead, known := c.votes.clockOf(string(validator.Address), top); known {
			signer.Ahead, signer.Behind = durations(ahead)
		}
		if signer.Heard {
			signers.Heard += validator.VotingPower
		}
		at[string(validator.Address)] = i
		signers.Validators = append(signers.Validators, signer)
	}
	base := c.engine.BlockStore().Base()
	for height := top; height >= max(base, 1) && signers.Blocks < signedBlocks; height-- {
		addresses, ok := c.votes.of(c, height)
		if !ok {
			break
		}
		signers.Blocks++
		for _, address := range addresses {
			if i, ok := at[address]; ok {
				signer := &signers.Validators[i]
				signer.Signed++
				signer.Last = max(signer.Last, uint64(height))
			}
		}
	}
	return signers, nil
}

// relays reports whether peers need the transactions of other peers from this node. They don't where validators are connected with each other, and
// with nobody else.
func (c *Chain) relays() bool {
	state := c.votes.state.Load()
	if state == nil {
		return true
	}
	validators := state.GetRoundState().Validators
	return !validators.HasAddress(c.address) || c.engine.Switch().Peers().Size() != validators.Size()-1
}

// silentAfter is how long after an idle wait without a block a vote for the last block says nothing on its validator: it has had time to
// propose, or to vote against a proposal that didn't come.
const silentAfter = proposeGrace + 5*time.Second

// heard reports whether a vote of a validator for the next block, or without any for the last block, reached this node. When the ledger stands
// still, the vote must be one that the others wait for.
func heard(now *cstypes.RoundState, i int, address cmttypes.Address, standing bool) bool {
	if standing {
		votes := now.Votes.Prevotes(now.Round)
		if now.Step >= cstypes.RoundStepPrecommit {
			votes = now.Votes.Precommits(now.Round)
		}
		return votes != nil && votes.GetByIndex(int32(i)) != nil //nolint:gosec // validators are few
	}
	for round := range now.Round + 1 {
		if votes := now.Votes.Prevotes(round); votes != nil && votes.GetByIndex(int32(i)) != nil { //nolint:gosec // validators are few
			return true
		}
	}
	if now.Round > 0 || now.LastCommit == nil || !now.LastValidators.HasAddress(address) { // a round without it has passed, or it is new
		return false
	}
	vote := now.LastCommit.GetByAddress(address)
	return vote != nil
}

// of returns the addresses that signed a block.
func (v *votes) of(c *Chain, height int64) ([]string, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if addresses, ok := v.known[height]; ok {
		return addresses, true
	}
	commit := c.engine.BlockStore().LoadBlockCommit(height)
	if commit == nil { // of the newest block: it becomes part of the next one
		commit = c.engine.BlockStore().LoadSeenCommit(height)
		if commit == nil {
			return nil, false
		}
		return signed(commit), true
	}
	if v.known == nil || len(v.known) >= 4*signedBlocks {
		v.known = map[int64][]string{}
	}
	v.known[height] = signed(commit)
	return v.known[height], true
}

func signed(commit *cmttypes.Commit) (addresses []string) {
	for i := range commit.Signatures {
		if signature := &commit.Signatures[i]; signature.BlockIDFlag == cmttypes.BlockIDFlagCommit {
			addresses = append(addresses, string(signature.ValidatorAddress))
		}
	}
	return addresses
}
