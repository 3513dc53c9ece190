package node

import (
	"fmt"
	"path/filepath"
	"time"

	"lockstep/internal/chain"
	"lockstep/types"
)

// Validator has the folder and the addresses of one of several validators.
type Validator struct {
	Dir     string   // its folder, which must be empty or not exist
	API     string   // where its API listens
	Listen  string   // where it takes connections of the other validators
	Address string   // where the other validators reach it, as host:port
	Hosts   []string // host names under which a proxy serves its API
	Origins []string // sites whose pages may read its API
	NoIndex bool     // it keeps no query index
	IndexAt string   // the API of a node that keeps one
}

// InitAll creates the folders of a new ledger with several validators, which share one genesis and know each other's addresses. Each folder
// can then be moved to its machine. Evidence is as in [InitOptions].
func InitAll(validators []Validator, params types.Params, evidence time.Duration) error {
	if err := params.Check(); err != nil {
		return fmt.Errorf("the ledger's parameters: %w", err)
	}
	engines := make([]string, len(validators))
	for i, v := range validators {
		if err := v.settings(nil).Check(); err != nil {
			return fmt.Errorf("settings of validator %d: %w", i, err)
		}
		if err := makeFolder(v.Dir); err != nil {
			return err
		}
		engines[i] = filepath.Join(v.Dir, engineFolder)
	}
	if err := chain.CreateAll(engines, params, evidence); err != nil {
		return fmt.Errorf("make the chain: %w", err)
	}
	names := make([]string, len(validators))
	for i, v := range validators {
		id, err := chain.NodeID(engines[i])
		if err != nil {
			return err
		}
		names[i] = id + "@" + v.Address
	}
	for i, v := range validators {
		settings := v.settings(peersOf(i, names))
		if err := settings.Check(); err != nil {
			return fmt.Errorf("settings of validator %d: %w", i, err)
		}
		if err := finish(v.Dir, *settings); err != nil {
			return err
		}
	}
	return nil
}

// peersOf returns the peers that one of some validators connects to. Up to seven connect to each other. More connect to their next ones in
// a ring: every vote goes to each peer of each node, so that a full mesh of twenty fills slow links with votes alone. The connections are as many as
// the largest number of faulty validators and one, so no such number can cut the others apart (a Harary graph).
func peersOf(i int, names []string) (peers []string) {
	const mesh = 7
	n := len(names)
	next := n - 1
	if n > mesh {
		faulty := (n - 1) / 3
		next = (faulty + 2) / 2 // to each side
	}
	for step := 1; step <= next; step++ {
		peers = append(peers, names[(i+step)%n])
	}
	return peers
}

func (v *Validator) settings(peers []string) *Settings {
	settings := DefaultSettings()
	settings.API, settings.P2PListen = v.API, v.Listen
	settings.P2PPeers = append(settings.P2PPeers, peers...)
	settings.Hosts, settings.Origins = append(settings.Hosts, v.Hosts...), append(settings.Origins, v.Origins...)
	*settings.Index, settings.IndexAt = !v.NoIndex, v.IndexAt
	return &settings
}
