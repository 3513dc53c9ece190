package main

import (
	"context"
	"errors"

	"lockstep/meter"
	"lockstep/types"
	"lockstep/wallet"
)

type meterCmd struct {
	Verify    meterVerifyCmd    `cmd:"" help:"Judge signed records of one meter: signature, sequence, quantity."`
	ID        meterIDCmd        `cmd:"" name:"id" help:"Print the id of the connection point that begins with a meter."`
	Show      meterShowCmd      `cmd:"" help:"Print a connection point: its owner, its meters, and which registers count."`
	Claims    meterClaimsCmd    `cmd:"" help:"List the trades that a connection point serves, by slot, in the order of service."`
	Watch     meterWatchCmd     `cmd:"" help:"Print the live values of a meter or of home software, and their energy by slots."`
	Templates meterTemplatesCmd `cmd:"" help:"List the templates for sources of common products."`
	Admit     meterAdmitCmd     `cmd:"" help:"As an operator: make a key a member."`
	Enrol     meterEnrolCmd     `cmd:"" help:"As an operator: register a member's connection point with its meter. A meter is enrolled once, ever."`
	Exchange  meterExchangeCmd  `cmd:"" help:"As an operator: give a connection point another meter, from a given slot."`
	Retire    meterRetireCmd    `cmd:"" help:"As an operator: keep a connection point out of new agreements."`
	Read      meterReadCmd      `cmd:"" help:"As a connection point's owner: put its meter's signed records on the ledger."`
}

type meterVerifyCmd struct {
	Key    string `help:"The meter's public key in hex, base64 or PEM: SubjectPublicKeyInfo or bare point; with --native, an Ed25519 key." required:"" placeholder:"KEY"`
	Native bool   `help:"The records have a gateway's own form, signed by Ed25519."`
	File   string `arg:"" help:"File with one record a line; - for standard input."`
}

func (c *meterVerifyCmd) Run(a *app) error {
	lines, err := a.records(c.File)
	if err != nil {
		return err
	}
	report, err := c.judge(lines)
	if err != nil {
		return err
	}
	if err := a.show(report, func(p *page) { p.line("%s", report.String()) }); err != nil {
		return err
	}
	if !report.Billable {
		return errors.New("not billable: " + report.Why)
	}
	return nil
}

func (c *meterVerifyCmd) judge(lines [][]byte) (meter.Report, error) {
	if c.Native {
		key, err := meter.ParseNativeKey(c.Key)
		if err != nil {
			return meter.Report{}, &usageError{err}
		}
		verify := func(key [32]byte, message, signature []byte) bool {
			return types.VerifyEd25519(key, message, signature)
		}
		return meter.VerifyNative(key, verify, lines), nil
	}
	key, err := meter.ParseKey(c.Key)
	if err != nil {
		return meter.Report{}, &usageError{err}
	}
	return meter.Verify(key, lines), nil
}

type meterAdmitCmd struct {
	walletFlags
	proposeFlag
	yesFlag
	Member types.PublicKey `arg:"" help:"Key of the member."`
	Name   string          `arg:"" help:"Its name."`
}

func (c *meterAdmitCmd) Run(ctx context.Context, a *app) error {
	return a.operate(ctx, &c.walletFlags, c.yesFlag, c.proposeFlag, func(s *session, d *wallet.Draft) (plan, error) {
		member := types.Member{Key: c.Member, Name: c.Name}
		d.Admit(member)
		p := plan{ask: "Make " + name(c.Name) + " a member", done: name(c.Name) + " is a member now", free: true}
		err := p.warnOfName(ctx, s, &member)
		return p, err
	})
}
