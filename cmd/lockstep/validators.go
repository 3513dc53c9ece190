package main

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"

	"lockstep/internal/node"
	"lockstep/types"
)

// firstPeerPort is the port on which the first validator of a machine listens for its peers.
const firstPeerPort = 26656

// initAll makes the folders of a ledger with several validators.
func (c *nodeInitCmd) initAll(a *app, params types.Params) error {
	validators, err := c.places(c.dir(a))
	if err != nil {
		return err
	}
	settings := node.DefaultSettings()
	if err := c.indexFlags.apply(&settings); err != nil {
		return err
	}
	for i := range validators {
		validators[i].Hosts, validators[i].Origins = c.AllowHost, c.AllowOrigin
		validators[i].NoIndex, validators[i].IndexAt = c.NoIndex, c.IndexAt
	}
	if err := node.InitAll(validators, params, c.EvidenceAge); err != nil {
		return err
	}
	made := struct {
		Dirs   []string     `json:"dirs"`
		Params types.Params `json:"params"`
	}{nil, params}
	for _, v := range validators {
		made.Dirs = append(made.Dirs, v.Dir)
	}
	return a.show(made, func(p *page) {
		p.line("Made ledger %q for %d validators:", params.ChainID, len(validators))
		for _, v := range validators {
			p.row("  "+v.Dir, "API on "+v.API, "peers on "+v.Address)
		}
		p.line("%s", bound(&params))
		c.Market.initialRules(p, &params.Market)
		p.line("Move each folder to its machine and start its node there with: lockstep node start --dir DIR")
	})
}

// places returns the folder and the addresses of each validator: on this machine at consecutive ports, or each on its own
// machine, at the same ports.
func (c *nodeInitCmd) places(dir string) ([]node.Validator, error) {
	host, port, err := net.SplitHostPort(c.API)
	firstAPI, portErr := strconv.Atoi(port)
	count := max(c.Validators, len(c.Host))
	switch {
	case err != nil || portErr != nil:
		return nil, misuse("--api %q is not an address: write host:port", c.API)
	case len(c.Host) > 0 && len(c.Host) != count:
		return nil, misuse("%d validators on %d machines: give --host once for each", count, len(c.Host))
	case count > 100:
		return nil, misuse("%d validators: at most 100 are possible", count)
	}
	validators := make([]node.Validator, count)
	for i := range validators {
		v := &validators[i]
		v.Dir = filepath.Join(dir, fmt.Sprintf("node%d", i))
		if len(c.Host) > 0 {
			v.API, v.Listen = c.API, at("0.0.0.0", firstPeerPort)
			v.Address = at(c.Host[i], firstPeerPort)
			continue
		}
		v.API, v.Listen = at(host, firstAPI+i), at("127.0.0.1", firstPeerPort+i)
		v.Address = v.Listen
	}
	return validators, nil
}

func at(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }
