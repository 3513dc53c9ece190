package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"lockstep/ledger"
	"lockstep/meter"
	"lockstep/types"
	"lockstep/wallet"
)

type meterCmd struct {
	Verify meterVerifyCmd `cmd:"" help:"Judge signed records of one meter: signature, sequence, quantity."`
	ID     meterIDCmd     `cmd:"" name:"id" help:"Print the id by which the ledger knows a meter's key."`
	Admit  meterAdmitCmd  `cmd:"" help:"As an operator: make a key a member."`
	Enrol  meterEnrolCmd  `cmd:"" help:"As an operator: register a member's meter. Once, ever."`
	Retire meterRetireCmd `cmd:"" help:"As an operator: keep a meter out of new agreements."`
	Read   meterReadCmd   `cmd:"" help:"As a meter's owner: put its signed records on the ledger."`
}

// maxRecords bounds a file of records.
const maxRecordsFile = 64 << 20

type meterVerifyCmd struct {
	Key    string `help:"The meter's public key in hex or base64: SubjectPublicKeyInfo or bare point; with --native, 64 hex digits." required:"" placeholder:"KEY"`
	Native bool   `help:"The records are of a gateway's own form, under Ed25519."`
	File   string `arg:"" help:"File with one record a line; - for standard input."`
}

func (c *meterVerifyCmd) Run(a *app) error {
	content, err := a.records(c.File)
	if err != nil {
		return err
	}
	report, err := c.judge(meter.SplitRecords(content))
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

// records reads a file or standard input.
func (a *app) records(path string) ([]byte, error) {
	if path != "-" {
		return readLimited(path, maxRecordsFile)
	}
	return io.ReadAll(io.LimitReader(a.in, maxRecordsFile))
}

func (c *meterVerifyCmd) judge(lines [][]byte) (meter.Report, error) {
	if c.Native {
		var key types.Hash
		if err := key.UnmarshalText([]byte(c.Key)); err != nil {
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
	yesFlag
	Member types.PublicKey `arg:"" help:"Key of the member."`
	Name   string          `arg:"" help:"Its name."`
}

func (c *meterAdmitCmd) Run(ctx context.Context, a *app) error {
	return a.transact(ctx, &c.walletFlags, c.yesFlag, func(_ *session, d *wallet.Draft) (plan, error) {
		d.Admit(types.Member{Key: c.Member, Name: c.Name})
		return plan{ask: "Make " + c.Name + " a member", done: c.Name + " is a member now", free: true}, nil
	})
}

type meterEnrolCmd struct {
	walletFlags
	yesFlag
	Owner types.PublicKey `arg:"" help:"Key of the member whose meter it is."`
	Key   string          `arg:"" help:"The meter's public key in hex or base64; with --native, 64 hex digits."`

	Native bool `help:"The meter is a gateway that signs by Ed25519."`
}

func (c *meterEnrolCmd) Run(ctx context.Context, a *app) error {
	form, key, err := meterKey(c.Key, c.Native)
	if err != nil {
		return err
	}
	registered := types.RegisteredMeter{Form: form, Key: key, Owner: c.Owner}
	return a.transact(ctx, &c.walletFlags, c.yesFlag, func(_ *session, d *wallet.Draft) (plan, error) {
		d.Enrol(registered)
		return plan{
			ask: fmt.Sprintf("Register meter %s to %s", registered.ID(), c.Owner), done: fmt.Sprintf("Meter %s is registered to %s", registered.ID(), c.Owner), free: true,
		}, nil
	})
}

type meterRetireCmd struct {
	walletFlags
	yesFlag
	Meter types.MeterID `arg:"" help:"The meter's id."`
}

func (c *meterRetireCmd) Run(ctx context.Context, a *app) error {
	return a.transact(ctx, &c.walletFlags, c.yesFlag, func(_ *session, d *wallet.Draft) (plan, error) {
		d.Retire(c.Meter)
		return plan{ask: fmt.Sprintf("Retire meter %s", c.Meter), done: fmt.Sprintf("Meter %s is retired", c.Meter), free: true}, nil
	})
}

type meterReadCmd struct {
	walletFlags
	yesFlag
	Meter     types.MeterID `arg:"" help:"The meter's id."`
	File      string        `arg:"" help:"File with up to 4 records that belong together, one a line; - for standard input."`
	Register  string        `help:"Register that the trade names." default:"01-00:02.08.00*FF"`
	Direction string        `help:"Which way it counts." enum:"export,import" default:"export"`
}

func (c *meterReadCmd) Run(ctx context.Context, a *app) error {
	content, err := a.records(c.File)
	if err != nil {
		return err
	}
	gauge := types.Gauge{Meter: c.Meter, Register: c.Register, Direction: types.DirectionExport}
	if c.Direction == "import" {
		gauge.Direction = types.DirectionImport
	}
	var records []types.HexBytes
	for _, line := range meter.SplitRecords(content) {
		records = append(records, line)
	}
	return a.transact(ctx, &c.walletFlags, c.yesFlag, func(_ *session, d *wallet.Draft) (plan, error) {
		d.Read(gauge, records...)
		return plan{
			ask:  fmt.Sprintf("Put %d record(s) of meter %s on the ledger", len(records), c.Meter),
			done: fmt.Sprintf("%d record(s) of meter %s are on the ledger", len(records), c.Meter), free: true,
		}, nil
	})
}

type meterIDCmd struct {
	Key    string `arg:"" help:"The meter's public key in hex or base64; with --native, 64 hex digits."`
	Native bool   `help:"The meter is a gateway that signs by Ed25519."`
}

func (c *meterIDCmd) Run(a *app) error {
	form, key, err := meterKey(c.Key, c.Native)
	if err != nil {
		return err
	}
	id := (&types.RegisteredMeter{Form: form, Key: key}).ID()
	return a.show(map[string]types.MeterID{"meter": id}, func(p *page) { p.line("%s", id) })
}

// meterKey reads a meter's key and brings it into its canonical form.
func meterKey(text string, native bool) (types.MeterForm, types.HexBytes, error) {
	if native {
		raw, err := hex.DecodeString(text)
		if err != nil || len(raw) != 32 {
			return 0, nil, misuse("a gateway's key has 64 hexadecimal digits")
		}
		return types.FormNative, ledger.NativeMeterKey([32]byte(raw)), nil
	}
	key, err := meter.ParseKey(text)
	if err != nil {
		return 0, nil, &usageError{err}
	}
	if key.SPKI() == nil {
		return 0, nil, misuse("a bare point does not name its curve: give the key as a SubjectPublicKeyInfo")
	}
	return types.FormOCMF, key.SPKI(), nil
}
