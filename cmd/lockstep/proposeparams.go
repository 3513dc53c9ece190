package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"lockstep/types"
	"lockstep/types/strict"
)

type proposeParamsCmd struct {
	walletFlags
	yesFlag
	motionFlags
	Set            []string `help:"A parameter by its name in the reference of parameters, such as min_fee=5 or entries.offers=64; once for each." placeholder:"NAME=VALUE"`
	AddOperator    []string `help:"Key of a new operator, which must sign the decision too; once for each." placeholder:"KEY"`
	RemoveOperator []string `help:"Key of an operator; once for each." placeholder:"KEY"`
	From           string   `help:"Height of the first block for which it holds, or +N: so many blocks after the last one. By default +100, and +43200, about a day, where several operators must sign before." placeholder:"HEIGHT"`
}

func (c *proposeParamsCmd) Run(ctx context.Context, a *app) error {
	if len(c.Set)+len(c.AddOperator)+len(c.RemoveOperator) == 0 {
		return misuse("name a change: --set NAME=VALUE, --add-operator KEY or --remove-operator KEY")
	}
	s, err := a.session(ctx, &c.walletFlags)
	if err != nil {
		return err
	}
	shown, err := s.node.Governance(ctx)
	if err != nil {
		return err
	}
	latest := shown.Governance.Latest()
	before, after := latest.Changeable(), latest.Changeable()
	after.Operators = slices.Clone(after.Operators)
	for _, text := range c.AddOperator {
		key, err := types.ParseKey(text)
		if err != nil {
			return misuse("--add-operator %q: %w", text, err)
		}
		after.Operators = append(after.Operators, key)
	}
	for _, text := range c.RemoveOperator {
		key, err := types.ParseKey(text)
		if err != nil {
			return misuse("--remove-operator %q: %w", text, err)
		}
		if !slices.Contains(after.Operators, key) {
			return misuse("--remove-operator %s: that is no operator", key)
		}
		after.Operators = slices.DeleteFunc(after.Operators, func(k types.PublicKey) bool { return k == key })
	}
	if err := setFields(&after, c.Set); err != nil {
		return err
	}
	next := latest.With(&after)
	if err := next.Check(); err != nil {
		return err
	}
	if c.From == "" {
		c.From = "+100"
		if latest.Needed() > 1 {
			c.From = "+43200"
		}
	}
	from, err := c.from(shown.Height)
	if err != nil {
		return err
	}
	return s.move(ctx, c.motionFlags, c.yesFlag, false, nil, &types.SetParams{Replaces: before.Hash(), From: from, Change: after})
}

// from is the height from which the change holds.
func (c *proposeParamsCmd) from(height uint64) (uint64, error) {
	text, relative := strings.CutPrefix(c.From, "+")
	number, err := strconv.ParseUint(text, 10, 63)
	if err != nil || relative && number > types.MaxAheadBlocks {
		return 0, misuse("--from %q is neither a height nor +N", c.From)
	}
	if relative {
		number += height
	}
	return number, nil
}

type proposeMarketCmd struct {
	walletFlags
	yesFlag
	motionFlags
	Set      []string    `help:"A number by its name in the reference of parameters, such as gate=10m or max_orders=5000; once for each." placeholder:"NAME=VALUE"`
	Grid     []string    `help:"Grids of lots and price steps that replace all before, as for node init --market-grid; once for each." placeholder:"GRID" sep:"none"`
	Decimals uint8       `help:"Decimal places of the money in which grids state prices." default:"6" zero:""`
	From     *types.Time `help:"The first slot that has the new numbers; by default the first that can." placeholder:"TIME"`
}

func (c *proposeMarketCmd) Run(ctx context.Context, a *app) error {
	if len(c.Set)+len(c.Grid) == 0 {
		return misuse("name a change: --set NAME=VALUE or --grid GRID")
	}
	s, err := a.session(ctx, &c.walletFlags)
	if err != nil {
		return err
	}
	shown, err := s.node.Governance(ctx)
	if err != nil {
		return err
	}
	params := shown.Governance.Params
	last := params.MarketAt(types.MaxTime)
	market := *last
	if len(c.Grid) > 0 {
		market.Grids = nil
		for _, text := range c.Grid {
			grid, err := parseGrid(text, c.Decimals)
			if err != nil {
				return err
			}
			market.Grids = append(market.Grids, grid)
		}
	}
	if err := setFields(&market, c.Set); err != nil {
		return err
	}
	// The operators still have to sign, so the first slot is as far away as they have time, and one slot more.
	slot := types.Time(max(params.Slot, 1))
	from := (s.status.BlockTime.Add(last.Opens).Add(c.ValidFor)/slot + 2) * slot
	if c.From != nil {
		from = *c.From
	}
	params.Later = append(slices.Clone(params.Later), types.LaterMarket{From: from, Market: market})
	if err := params.Check(); err != nil {
		return err
	}
	return s.move(ctx, c.motionFlags, c.yesFlag, false, nil, &types.SetMarket{From: from, Market: market})
}

// setFields sets fields of a value by their names in JSON; a dot leads into a part.
func setFields[T any](value *T, changes []string) error {
	encoded, err := json.Marshal(value)
	if err != nil {
		return err
	}
	for _, change := range changes {
		name, text, ok := strings.Cut(change, "=")
		if !ok {
			return misuse("--set %q: write NAME=VALUE", change)
		}
		if encoded, err = setField(encoded, name, text); err != nil {
			return err
		}
		next := new(T)
		if err := strict.Unmarshal(encoded, next); err != nil {
			return misuse("--set %s: %w", change, err)
		}
		*value = *next
	}
	return nil
}

// setField sets a field of a JSON object. The value is JSON of the kind that was there.
func setField(object []byte, path, text string) ([]byte, error) {
	name, rest, deeper := strings.Cut(path, ".")
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(object, &fields); err != nil {
		return nil, err
	}
	before, known := fields[name]
	if !known && name != "fee_asset" { // which is left out where there is none
		names := make([]string, 0, len(fields))
		for name := range fields {
			names = append(names, name)
		}
		slices.Sort(names)
		return nil, misuse("--set: there is no parameter %q that can be changed; there are %s", path, strings.Join(names, ", "))
	}
	var err error
	switch {
	case deeper:
		fields[name], err = setField(before, rest, text)
	case len(before) > 0 && before[0] != '"':
		fields[name] = json.RawMessage(text)
		if !json.Valid(fields[name]) {
			err = misuse("--set %s=%s: a number is needed", path, text)
		}
	default:
		fields[name], err = json.Marshal(text)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(fields)
}

// consentFile is the form in which a newcomer's consent travels.
type consentFile struct {
	Lockstep string          `json:"lockstep"`
	ChainID  string          `json:"chain_id"`
	Key      types.PublicKey `json:"key"`
	Consent  types.Consent   `json:"consent"`
}

const (
	consentMark     = "consent of a validator"
	maxConsentBytes = 4 << 10
)

// powerOf reads "NAME=POWER".
func powerOf(flag, text string) (name string, power uint64, err error) {
	at := strings.LastIndexByte(text, '=')
	if at < 1 {
		return "", 0, misuse("%s %q: write it with its power behind a =", flag, text)
	}
	power, err = strconv.ParseUint(text[at+1:], 10, 64)
	if err != nil || power == 0 || power > types.MaxPower {
		return "", 0, misuse("%s %q: a power is a number from 1 to %d", flag, text, uint64(types.MaxPower))
	}
	return text[:at], power, nil
}

func (f *consentFile) check() error {
	message := types.ConsentMessage(f.ChainID, f.Key, f.Consent.At)
	if f.Lockstep != consentMark || !types.VerifyEd25519(f.Key, message, f.Consent.Signature[:]) {
		return fmt.Errorf("it is no consent of a validator, or it was changed: make it with lockstep node consent")
	}
	return nil
}
