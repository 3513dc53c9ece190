package main

import (
	"fmt"
	"strconv"
	"strings"

	"lockstep/internal/node"
	"lockstep/internal/plaintext"
	"lockstep/types"
)

type nodeExportGenesisCmd struct {
	nodeFlags
	ChainID   string   `help:"Name of the new ledger. Choose one that no other ledger has: a signature is valid on every ledger of the same name." required:"" placeholder:"NAME"`
	Out       string   `help:"File to write for all nodes." required:"" type:"path" placeholder:"FILE"`
	Validator []string `help:"Validator of the new ledger, by the key that lockstep node id prints, with its power if not 12; once for each. Without any the validators stay." placeholder:"KEY[=POWER]"`
}

// exportedGenesis is the result of an export.
type exportedGenesis struct {
	File       string            `json:"file"`
	ChainID    string            `json:"chain_id"`
	Genesis    types.Hash        `json:"genesis"`
	Continues  types.Origin      `json:"continues"`
	Validators []types.Validator `json:"validators"`
	Assets     []carriedSum      `json:"assets"`
}

type carriedSum struct {
	Asset  types.AssetID `json:"asset"`
	Code   string        `json:"code"`
	Issued types.Amount  `json:"issued"`
	Locked types.Amount  `json:"locked"` // in running trades
}

func (c *nodeExportGenesisCmd) Run(a *app) error {
	validators, err := c.validators()
	if err != nil {
		return err
	}
	genesis, sums, err := node.ExportGenesis(c.dir(a), c.ChainID, validators, a.logger())
	if err != nil {
		return err
	}
	hash, params, err := node.ReadGenesis(genesis)
	if err != nil {
		return err
	}
	if validators, err = node.GenesisValidators(genesis); err != nil {
		return err
	}
	if err := createFile(c.Out, genesis); err != nil {
		return err
	}
	origin := params.Origin()
	exported := exportedGenesis{c.Out, c.ChainID, hash, *origin, validators, []carriedSum{}}
	for _, id := range sums.Order() {
		sum := sums[id]
		exported.Assets = append(exported.Assets, carriedSum{id, sum.Asset.Code, sum.Issued, sum.Locked})
	}
	return a.show(exported, func(p *page) {
		p.line("Wrote the genesis of ledger %q, which continues ledger %q after block %d: %s", c.ChainID, origin.ChainID, origin.Height, c.Out)
		p.line("Its hash is %s.", hash)
		for _, id := range sums.Order() {
			sum := sums[id]
			p.line("%s: %s in all, of it %s in running trades, as on the old ledger.", name(sum.Asset.Code), sum.Issued.Format(sum.Asset.Decimals), sum.Locked.Format(sum.Asset.Decimals))
		}
		p.line("Validators, which are to make blocks:")
		for _, v := range validators {
			p.line("  %s, power %d", v.Key, v.Power)
		}
		p.line("Give the file to the operator of each node, who makes the new node from the stopped old one: lockstep node continue %s --old DIR --dir NEW", quoted(c.Out))
	})
}

// validators reads the flags.
func (c *nodeExportGenesisCmd) validators() (validators []types.Validator, err error) {
	for _, text := range c.Validator {
		digits, power, given := strings.Cut(text, "=")
		v := types.Validator{Power: types.GenesisPower}
		if v.Key, err = types.ParseKey(digits); err != nil {
			return nil, misuse("--validator %s: %v", text, err)
		}
		if given {
			if v.Power, err = strconv.ParseUint(power, 10, 64); err != nil || v.Power < 1 || v.Power > types.MaxPower {
				return nil, misuse("--validator %s: the power is a number from 1 to %d", text, uint64(types.MaxPower))
			}
		}
		validators = append(validators, v)
	}
	return validators, nil
}

type nodeContinueCmd struct {
	nodeFlags
	File    string     `arg:"" help:"Genesis file that lockstep node export-genesis wrote." type:"existingfile"`
	Old     string     `help:"Folder of the stopped node of the old ledger, whose keys, settings and access tokens the new node has." required:"" type:"existingdir" placeholder:"DIR"`
	Genesis types.Hash `help:"The hash of the genesis, as the other operators told you: needed where the old node's own state can't confirm it." placeholder:"HASH"`
}

func (c *nodeContinueCmd) Run(a *app) error {
	genesis, err := plaintext.ReadFile(c.File, maxGenesisFile)
	if err != nil {
		return err
	}
	done, err := node.Continue(c.dir(a), node.ContinueOptions{Old: c.Old, Genesis: genesis, Hash: c.Genesis}, a.logger())
	if err != nil {
		return err
	}
	hash, params, err := node.ReadGenesis(genesis)
	if err != nil {
		return err
	}
	made := struct {
		Dir      string     `json:"dir"`
		ChainID  string     `json:"chain_id"`
		Genesis  types.Hash `json:"genesis"`
		Compared bool       `json:"compared"`
	}{c.dir(a), params.ChainID, hash, done.Compared}
	origin := params.Origin()
	return a.show(made, func(p *page) {
		p.line("Made a node of ledger %q in %s, with the keys of %s.", params.ChainID, made.Dir, c.Old)
		checked := fmt.Sprintf("The genesis has the state of ledger %q at block %d, entry by entry as the old node has it.", origin.ChainID, origin.Height)
		if !done.Compared {
			checked = "The old node could not confirm the genesis: its hash is the one that you named."
		}
		p.line("%s", checked)
		p.line("Its hash is %s: compare it with the other operators.", hash)
		p.line("Never start the old node as a validator again. Start the new one with: lockstep node start --dir %s", quoted(made.Dir))
		p.line("Wallets go over with: lockstep wallet ledger --change")
	})
}
