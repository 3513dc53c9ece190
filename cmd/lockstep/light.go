package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/chain"
	"lockstep/internal/light"
)

// proofFlags are the flags of a step that wants a proof of the trade's state.
type proofFlags struct {
	Unproved bool     `help:"Go on as the node says if there is no proof. A node that lies can then cost you the goods or the money."`
	Witness  []string `help:"Another node of the ledger, whose headers must be the same; once for each." placeholder:"URL"`
}

// light returns a client that checks the node by the header that the wallet trusts, or by the genesis of the wallet's ledger.
func (s *session) light(witnesses []string) (*light.Client, error) {
	config := light.ConfigOf(s.wallet, s.ledger.ID().Genesis)
	return s.lightFrom(config, witnesses)
}

func (s *session) lightFrom(config light.Config, witnesses []string) (*light.Client, error) {
	for _, address := range witnesses {
		complete, err := completeURL(address)
		if err != nil {
			return nil, misuse("witness %q is not the address of a node: %v", address, err)
		}
		witness, err := client.New(complete)
		if err != nil {
			return nil, err
		}
		config.Witnesses = append(config.Witnesses, witness)
	}
	return light.New(s.node, config), nil
}

// light returns the client that checks the node of an agent. An agent may run for longer than a header is trusted, so the newest header is kept beside its
// state now and then, and it begins with that one if it is later than the owner's.
func (p *prepared) light(ctx context.Context, s *session) (*light.Client, error) {
	config := light.ConfigOf(s.wallet, s.ledger.ID().Genesis)
	if text := p.config.Trusted; text != "" {
		trusted, err := light.ParsePin(text)
		if err != nil {
			return nil, fmt.Errorf("trusted: %w", err)
		}
		config.Pin = trusted
	}
	file := p.config.State + ".header"
	kept, err := light.ReadKept(file)
	if err != nil {
		return nil, fmt.Errorf("the newest header that the agent knew is not in %s: %w; remove the file, and name a header that you trust by the key trusted", file, err)
	}
	if kept.Genesis == config.Genesis && kept.Height > config.Pin.Height {
		config.Pin, config.Known = kept.Pin(), kept.LightBlock
	}
	checks, err := s.lightFrom(config, p.config.Witnesses)
	if err == nil {
		go keepHeaders(ctx, checks, file, s.logger())
	}
	return checks, err
}

// keepHeaders writes the newest header into a file, twice a day.
func keepHeaders(ctx context.Context, checks *light.Client, file string, log *slog.Logger) {
	for wait := time.Minute; ; wait = 12 * time.Hour {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		_, err := checks.Newest(ctx)
		if err == nil {
			err = checks.KeepIn(file)
		}
		if err != nil && ctx.Err() == nil {
			log.Warn("the newest header is not kept", "error", err)
		}
	}
}

// prove checks the facts of a step in a trade by proof, and returns the sentences that say so. It refuses a step that a proof contradicts.
func (s *session) prove(ctx context.Context, step light.Step, t *wire.Trade, flags proofFlags) (checked []string, err error) {
	checks, err := s.light(flags.Witness)
	if err != nil {
		return nil, err
	}
	found, err := checks.Check(ctx, step, t, s.wallet, s.account.Key())
	if err != nil {
		if _, lies := errors.AsType[*light.Lie](err); lies || !flags.Unproved {
			return nil, unproved(err, lies)
		}
		return []string{fmt.Sprintf("As the node says, without a proof: %v.", err)}, nil
	}
	if err := light.Refusal(found.Verdicts); err != nil {
		return nil, err
	}
	checked = []string{fmt.Sprintf("Checked by proof, in block %d: %s.", found.Proof.Outcome.Height, found.Verdicts[0].Fact.Text)}
	if found.Old != nil {
		checked = append(checked, fmt.Sprintf("Attention: %v.", found.Old))
	}
	return checked, checks.Keep(s.wallet)
}

// unproved tells how to go on without a proof, unless the node lies.
func unproved(err error, lies bool) error {
	switch {
	case lies:
		return err
	case errors.Is(err, chain.ErrExpired):
		return fmt.Errorf("the state of the trade is not proved: %w; or go on as the node says with --unproved", err)
	}
	return fmt.Errorf("the state of the trade is not proved: %w; try again, ask another node with --node, or go on as the node says with --unproved", err)
}
