package node

import (
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"

	"lockstep/client/wire"
	"lockstep/internal/chain"
	"lockstep/types"
)

// network answers questions on the nodes of the ledger: an [httpapi.Network].
type network struct{ *Node }

// Network tells other nodes how to follow the ledger.
func (n network) Network() (wire.Network, error) {
	network, err := n.chain.Network()
	return wire.Network{
		ChainID: n.store.Params().ChainID, Genesis: network.Genesis, File: network.GenesisFile, Node: network.Node, Listen: network.Listen,
		Peers: network.Peers, Snapshot: network.Snapshot,
	}, err
}

// Validators tells how the validators take part.
func (n network) Validators() (wire.Validators, error) {
	signers, err := n.chain.Signers()
	validators := wire.Validators{Height: signers.Height, Blocks: signers.Blocks, Power: signers.Power, Needed: signers.Needed, Heard: signers.Heard}
	for _, signer := range signers.Validators {
		validators.Validators = append(validators.Validators, wire.Validator(signer))
	}
	return validators, err
}

// mostPeers bounds the nodes that a new node stays connected with.
const mostPeers = 16

// PeersOf returns the nodes that take connections, each as "id@host:port", of a network as the API at a host describes it. A node that
// listens on all its addresses is reached at that host. It leaves out all other texts.
func PeersOf(network *wire.Network, host string) []string {
	var peers []string
	if at, port, err := net.SplitHostPort(network.Listen); err == nil && network.Node != "" {
		if ip, err := netip.ParseAddr(at); at == "" || err == nil && ip.IsUnspecified() {
			at = host
		}
		peers = append(peers, network.Node+"@"+net.JoinHostPort(at, port))
	}
	peers = slices.DeleteFunc(append(peers, network.Peers...), func(peer string) bool { return !isPeer(peer) })
	return peers[:min(len(peers), mostPeers)]
}

// JoinOptions are the options of a node that follows an existing ledger.
type JoinOptions struct {
	Genesis  []byte     // the content of the genesis file
	Hash     types.Hash // of the genesis, as an operator of the ledger told it
	Settings Settings   // with P2PPeers, the nodes to follow
}

// Join creates the folder of a node that follows an existing ledger. The folder must be empty or not exist. The node reads and checks all
// blocks from the first on; its key decides nothing unless the ledger makes it a validator.
func Join(dir string, options JoinOptions) error {
	settings := options.Settings
	settings.fill()
	if err := settings.Check(); err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	switch hash, _, err := ReadGenesis(options.Genesis); {
	case err != nil:
		return err
	case hash != options.Hash:
		return fmt.Errorf("the genesis has the hash %s, not %s: it is that of another ledger", hash, options.Hash)
	}
	if len(settings.P2PPeers) == 0 {
		return fmt.Errorf("no node is known that takes connections of others: name one with --peer ID@HOST:PORT, "+
			"where \"lockstep node id\" prints ID; it needs p2p_listen in its %s", settingsFile)
	}
	if err := makeFolder(dir); err != nil {
		return err
	}
	if err := chain.Join(filepath.Join(dir, engineFolder), options.Genesis); err != nil {
		return fmt.Errorf("join the ledger: %w", err)
	}
	return finish(dir, settings)
}

// ReadGenesis returns the hash and the parameters of a ledger by the content of its genesis file.
func ReadGenesis(genesis []byte) (types.Hash, types.Params, error) { return chain.ReadGenesis(genesis) }

// GenesisValidators returns the validators of a genesis file.
func GenesisValidators(genesis []byte) ([]types.Validator, error) { return chain.ValidatorsOf(genesis) }

// Identity is how other nodes know a node.
type Identity struct {
	Node      string          `json:"node"`             // its name among its peers
	Listen    string          `json:"listen"`           // where it takes connections of others, or nothing
	Validator types.PublicKey `json:"validator"`        // the key by which it signs blocks, once it is a validator
	Genesis   types.Hash      `json:"genesis,omitzero"` // zero until the ledger has begun
}

// IDOf returns how other nodes name the node of a folder.
func IDOf(dir string) (string, error) { return chain.NodeID(filepath.Join(dir, engineFolder)) }

// IdentityOf returns how other nodes know the node of a folder.
func IdentityOf(dir string) (identity Identity, err error) {
	settings, err := LoadSettings(dir)
	if err != nil {
		return identity, err
	}
	identity.Listen = settings.P2PListen
	engine := filepath.Join(dir, engineFolder)
	if identity.Node, err = chain.NodeID(engine); err != nil {
		return identity, err
	}
	if identity.Validator, err = chain.ValidatorKey(engine); err != nil {
		return identity, err
	}
	identity.Genesis, err = chain.GenesisOf(engine)
	return identity, err
}
