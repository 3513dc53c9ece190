package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"lockstep/client"
	"lockstep/internal/chain"
	"lockstep/internal/node"
	"lockstep/internal/plaintext"
	"lockstep/types"
)

type nodeJoinCmd struct {
	nodeFlags
	From     string     `arg:"" help:"A node of the ledger, by the address of its API, or the ledger's genesis file." placeholder:"URL|FILE"`
	Genesis  types.Hash `help:"The hash of the ledger's genesis, as one of its operators told you. Without it you are asked." placeholder:"HASH"`
	Peer     []string   `help:"A node to follow; once for each. By default those that the node at URL names." placeholder:"ID@HOST:PORT"`
	API      string     `help:"Address on which the API listens." default:"127.0.0.1:8645" placeholder:"HOST:PORT"`
	Listen   string     `help:"Take connections of other nodes here, such as 0.0.0.0:26656." placeholder:"HOST:PORT"`
	Snapshot bool       `help:"Begin with the newest snapshot of the state instead of the first block. The node at URL shows the headers by which it is checked."`
	Trusted  string     `help:"With --snapshot: a header that you trust, from an operator. Without it the validators of the genesis are trusted, and if they have changed, old keys could forge." placeholder:"HEIGHT:HASH"`
	accessFlags
	indexFlags
}

// maxGenesisFile bounds the genesis file of a ledger.
const maxGenesisFile = 64 << 20

// Run makes the folder of a node that follows a ledger.
func (c *nodeJoinCmd) Run(ctx context.Context, a *app) error {
	settings := node.DefaultSettings()
	settings.API, settings.P2PListen, settings.Hosts, settings.Origins = c.API, c.Listen, c.AllowHost, c.AllowOrigin
	if err := c.indexFlags.apply(&settings); err != nil {
		return err
	}
	for _, address := range []struct{ flag, value string }{{"--api", c.API}, {"--listen", c.Listen}} {
		if address.value == "" {
			continue
		}
		if err := checkListen(address.flag, address.value); err != nil {
			return err
		}
	}
	genesis, peers, err := c.source(ctx, &settings)
	if err != nil {
		return err
	}
	hash, params, err := node.ReadGenesis(genesis)
	if err != nil {
		return fmt.Errorf("%s: %w", c.From, err)
	}
	if c.Genesis == (types.Hash{}) {
		ask := fmt.Sprintf("Ledger %q has the genesis %s. Is that the one which its operator told you", params.ChainID, hash)
		yes, err := a.answer(ask, "compare it, and name it with --genesis")
		if err != nil {
			return err
		}
		if !yes {
			return errors.New("nothing was made: ask an operator of the ledger for the hash of its genesis, which \"lockstep node id\" prints")
		}
		c.Genesis = hash
	}
	if len(c.Peer) > 0 {
		peers = c.Peer
	}
	settings.P2PPeers = peers
	if err := node.Join(c.dir(a), node.JoinOptions{Genesis: genesis, Hash: c.Genesis, Settings: settings}); err != nil {
		return err
	}
	made := struct {
		Dir     string     `json:"dir"`
		ChainID string     `json:"chain_id"`
		Genesis types.Hash `json:"genesis"`
		Peers   []string   `json:"peers"`
	}{c.dir(a), params.ChainID, hash, peers}
	return a.show(made, func(p *page) {
		p.line("Made a node of ledger %q in %s. It follows:", made.ChainID, made.Dir)
		for _, peer := range peers {
			p.line("  %s", peer)
		}
		if settings.Sync != nil {
			p.line("It begins with a snapshot, checked by headers from %s alone: one source can hide a fork. It has no history before, and no index.", settings.Sync.From)
		} else {
			p.line("It reads and checks all blocks from the first on; \"lockstep node status\" shows how far it is.")
		}
		p.line("Start it with: %s", a.next("node start"))
	})
}

// source returns the genesis file, and the nodes that the source names. It sets from where a snapshot is checked.
func (c *nodeJoinCmd) source(ctx context.Context, settings *node.Settings) (genesis []byte, peers []string, err error) {
	if c.Trusted != "" && !c.Snapshot {
		return nil, nil, misuse("--trusted is for --snapshot: without a snapshot all blocks are checked from the first on")
	}
	if c.Trusted != "" {
		if _, _, err := chain.ParseTrusted(c.Trusted); err != nil {
			return nil, nil, misuse("--trusted: %v", err)
		}
	}
	if !strings.Contains(c.From, "://") {
		if c.Snapshot {
			return nil, nil, misuse("--snapshot needs the address of a node, which shows the headers: name it instead of %q", c.From)
		}
		if _, err := os.Stat(c.From); err != nil {
			return nil, nil, fmt.Errorf("read the genesis file: %w; the address of a node begins with http:// or https://", err)
		}
		genesis, err = plaintext.ReadFile(c.From, maxGenesisFile)
		return genesis, nil, err
	}
	address, err := url.Parse(c.From)
	if err != nil {
		return nil, nil, misuse("%q is not the address of a node: %v", c.From, err)
	}
	asked, err := client.New(c.From)
	if err != nil {
		return nil, nil, err
	}
	network, err := asked.Network(ctx)
	if err != nil {
		return nil, nil, err
	}
	if c.Snapshot {
		if network.Snapshot == 0 {
			return nil, nil, fmt.Errorf("the node at %s offers no snapshot: join without --snapshot, ask another node, or wait. A node has the first one by block 160 of the ledger, "+
				"and one more in each hour, or as \"snapshots\" of its settings says", c.From)
		}
		settings.Sync = &node.SyncSettings{From: c.From, Trusted: c.Trusted}
	}
	return network.File, node.PeersOf(&network, address.Hostname()), nil
}

type nodeIDCmd struct{ nodeFlags }

// Run prints how other nodes know this one.
func (c *nodeIDCmd) Run(a *app) error {
	identity, err := node.IdentityOf(c.dir(a))
	if err != nil {
		return err
	}
	return a.show(identity, func(p *page) {
		p.row("node", identity.Node)
		switch {
		case identity.Listen == "":
			p.row("peers", "it takes no connections of others: set p2p_listen in node.json")
		default:
			p.row("peers", identity.Node+"@"+identity.Listen)
		}
		p.row("validator key", identity.Validator.String())
		if identity.Genesis != (types.Hash{}) {
			p.row("genesis", identity.Genesis.String())
		}
	})
}
