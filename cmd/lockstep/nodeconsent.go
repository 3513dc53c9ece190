package main

import (
	"context"
	"encoding/json"
	"fmt"

	"lockstep/internal/node"
	"lockstep/internal/plaintext"
	"lockstep/types"
	"lockstep/types/strict"
)

// nodeConsentCmd makes the file by which the operators let a node become a validator.
type nodeConsentCmd struct {
	nodeFlags
	Out string `help:"File to write for the operators." required:"" type:"path" placeholder:"FILE"`
}

func (c *nodeConsentCmd) Run(ctx context.Context, a *app) error {
	asked, err := c.reach(a)
	if err != nil {
		return err
	}
	s, err := a.visit(ctx, asked)
	if err != nil {
		return err
	}
	shown, err := s.node.Governance(ctx)
	if err != nil {
		return err
	}
	if shown.Checkpoint == nil {
		return types.Refuse(types.CodeUnavailable, "the ledger has made no block yet that can be signed: try again when it has two blocks")
	}
	key, consent, err := node.Consent(c.dir(a), s.params.ChainID, *shown.Checkpoint)
	if err != nil {
		return err
	}
	file := consentFile{consentMark, s.params.ChainID, key, consent}
	encoded, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return err
	}
	if err := createFile(c.Out, append(encoded, '\n')); err != nil {
		return err
	}
	return a.show(file, func(p *page) {
		p.line("Validator %s agrees to decide on ledger %q: it has signed block %d.", key, s.params.ChainID, consent.At.Height)
		p.line("Give %s to an operator, who proposes it within %s with: lockstep governance propose validators --join %s=POWER --out FILE",
			c.Out, types.ConsentValidity, c.Out)
	})
}

func readConsent(path string) (file consentFile, err error) {
	content, err := plaintext.ReadFile(path, maxConsentBytes)
	if err != nil {
		return file, err
	}
	if err = strict.Unmarshal(content, &file); err == nil {
		err = file.check()
	}
	if err != nil {
		return file, fmt.Errorf("%s: %w", path, err)
	}
	return file, nil
}
