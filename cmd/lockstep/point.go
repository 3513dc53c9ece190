package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"lockstep/internal/advice"
	"lockstep/internal/ledger"
	"lockstep/meter"
	"lockstep/trade/words"
	"lockstep/types"
	"lockstep/wallet"
)

// pointFlags name the connection point that measures the energy of an offer, an agreement or an order.
type pointFlags struct {
	Point     *types.PointID `help:"The producer's connection point, by its id: its meter measures the goods." placeholder:"ID"`
	Direction string         `help:"Direction of the energy, seen from the point's owner." enum:"export,import" default:"export"`
}

func (f *pointFlags) flow() types.Flow {
	if f.Point == nil {
		return types.Flow{}
	}
	return types.Flow{Point: *f.Point, Direction: directionOf(f.Direction)}
}

func directionOf(name string) types.Direction {
	if name == types.DirectionImport.String() {
		return types.DirectionImport
	}
	return types.DirectionExport
}

// meterFlags describe a meter and its registers.
type meterFlags struct {
	Key    string   `arg:"" help:"The meter's public key in hex, base64 or PEM; with --native, an Ed25519 key."`
	Native bool     `help:"The meter is a gateway that signs by Ed25519; it has a key for each meter and no serial number."`
	Serial string   `help:"Serial number of the meter, as in its records (MS): one key may sign for several meters." placeholder:"TEXT"`
	Export []string `help:"Register of the exported energy, by its OBIS code, or the registers of its tariffs separated by commas; none if it is not sold. By default 1-0:2.8.0, unless --import is given." placeholder:"OBIS"`
	Import []string `help:"Register of the imported energy, likewise; by default none." placeholder:"OBIS"`
}

// meter returns the meter of the flags, with key and registers in canonical form.
func (f *meterFlags) meter(from types.Time) (types.PointMeter, error) {
	m := types.PointMeter{From: from, Serial: f.Serial}
	var err error
	if m.Form, m.Key, err = meterKey(f.Key, f.Native); err != nil {
		return m, err
	}
	if m.Form == types.FormOCMF && m.Serial == "" {
		return m, misuse("name the meter with --serial, as its records write it (MS): one key may sign for several meters")
	}
	exports := f.Export
	if len(f.Export) == 0 && len(f.Import) == 0 {
		exports = []string{"1-0:2.8.0"}
	}
	if m.Import, m.Export, err = meter.BillableForms(named(f.Import), named(exports)); err != nil {
		return m, &usageError{err}
	}
	if err := m.Check(); err != nil {
		return m, &usageError{err}
	}
	return m, nil
}

// named returns the registers, or none for the word "none".
func named(registers []string) []string {
	if len(registers) == 1 && strings.EqualFold(registers[0], "none") {
		return nil
	}
	return registers
}

// meterKey parses a meter's key and returns its canonical form.
func meterKey(text string, native bool) (types.MeterForm, types.HexBytes, error) {
	if native {
		key, err := meter.ParseNativeKey(text)
		if err != nil {
			return 0, nil, &usageError{err}
		}
		return types.FormNative, ledger.NativeMeterKey(key), nil
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

type meterIDCmd struct {
	Key    string `arg:"" help:"The meter's public key in hex, base64 or PEM; with --native, an Ed25519 key."`
	Native bool   `help:"The meter is a gateway that signs by Ed25519."`
	Serial string `help:"Serial number of the meter, as in its records (MS)." placeholder:"TEXT"`
}

func (c *meterIDCmd) Run(a *app) error {
	m, err := (&meterFlags{Key: c.Key, Native: c.Native, Serial: c.Serial}).meter(0)
	if err != nil {
		return err
	}
	id := m.ID()
	return a.show(map[string]types.PointID{"point": id}, func(p *page) { p.line("%s", id) })
}

type meterEnrolCmd struct {
	walletFlags
	proposeFlag
	yesFlag
	Owner types.PublicKey `arg:"" help:"Key of the member whose connection point it is."`
	meterFlags
	Under *types.PointID `help:"Of a sub-meter: the connection point behind which it measures." placeholder:"ID"`
	From  *types.Time    `help:"The beginning of the first slot that it sells; by default at once." placeholder:"TIME"`
}

func (c *meterEnrolCmd) Run(ctx context.Context, a *app) error {
	var from types.Time
	if c.From != nil {
		from = *c.From
	}
	m, err := c.meter(from)
	if err != nil {
		return err
	}
	var parent types.PointID
	if c.Under != nil {
		parent = *c.Under
	}
	return a.operate(ctx, &c.walletFlags, c.yesFlag, c.proposeFlag, func(_ *session, d *wallet.Draft) (plan, error) {
		d.Enrol(c.Owner, parent, m)
		sold := soldText(&m)
		return plan{
			ask:  fmt.Sprintf("Enrol connection point %s for %s, which sells %s", m.ID(), c.Owner, sold),
			done: fmt.Sprintf("Connection point %s is enrolled for %s; it sells %s", m.ID(), c.Owner, sold), free: true,
		}, nil
	})
}

// soldText lists the registers that count.
func soldText(m *types.PointMeter) string {
	var parts []string
	for _, d := range []types.Direction{types.DirectionExport, types.DirectionImport} {
		if registers := m.Registers(d); len(registers) > 0 {
			parts = append(parts, fmt.Sprintf("%s by %s", d, strings.Join(registers, " + ")))
		}
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, " and ")
}

type meterExchangeCmd struct {
	walletFlags
	proposeFlag
	yesFlag
	Point types.PointID `arg:"" help:"The connection point's id."`
	meterFlags
	From string `help:"The beginning of the first slot that the new meter measures, or \"next\": the first that is still to come." default:"next" placeholder:"TIME"`
}

func (c *meterExchangeCmd) Run(ctx context.Context, a *app) error {
	return a.operate(ctx, &c.walletFlags, c.yesFlag, c.proposeFlag, func(s *session, d *wallet.Draft) (plan, error) {
		from, err := c.from(s)
		if err != nil {
			return plan{}, err
		}
		m, err := c.meter(from)
		if err != nil {
			return plan{}, err
		}
		d.Exchange(c.Point, m)
		sold := soldText(&m)
		return plan{
			ask:  fmt.Sprintf("Exchange the meter of connection point %s from %s on, which sells %s then", c.Point, stamp(from), sold),
			done: fmt.Sprintf("Connection point %s has the new meter from %s on; it sells %s", c.Point, stamp(from), sold), free: true,
		}, nil
	})
}

func (c *meterExchangeCmd) from(s *session) (from types.Time, err error) {
	if c.From == "next" {
		slot := types.Time(max(s.params.Slot, 1))
		soon := max(s.status.BlockTime, types.Time(time.Now().UnixMilli())).Add(s.params.ClockCap)
		return (soon/slot + 1) * slot, nil
	}
	if from, err = parseMoment(c.From); err != nil {
		return 0, misuse("--from is \"next\" or a time: %w", err)
	}
	return from, nil
}

type meterRetireCmd struct {
	walletFlags
	proposeFlag
	yesFlag
	Point types.PointID `arg:"" help:"The connection point's id."`
}

func (c *meterRetireCmd) Run(ctx context.Context, a *app) error {
	return a.operate(ctx, &c.walletFlags, c.yesFlag, c.proposeFlag, func(_ *session, d *wallet.Draft) (plan, error) {
		d.Retire(c.Point)
		return plan{ask: fmt.Sprintf("Retire connection point %s", c.Point), done: fmt.Sprintf("Connection point %s is retired", c.Point), free: true}, nil
	})
}

type meterReadCmd struct {
	walletFlags
	yesFlag
	Point     types.PointID `arg:"" help:"The connection point's id."`
	File      string        `arg:"" help:"File with up to 4 records that belong together, one a line; - for standard input."`
	Direction string        `help:"Direction of the energy." enum:"export,import" default:"export"`
	From      *types.Time   `help:"The beginning of the slot; by default that of the slot in the records." placeholder:"TIME"`
}

func (c *meterReadCmd) Run(ctx context.Context, a *app) error {
	lines, err := a.records(c.File)
	if err != nil {
		return err
	}
	records := make([]types.HexBytes, len(lines))
	for i, line := range lines {
		records[i] = line
	}
	flow := types.Flow{Point: c.Point, Direction: directionOf(c.Direction)}
	return a.transact(ctx, &c.walletFlags, c.yesFlag, func(s *session, d *wallet.Draft) (plan, error) {
		from, err := c.from(lines, &s.params)
		if err != nil {
			return plan{}, err
		}
		d.Read(flow, from, records...)
		return plan{
			ask:  fmt.Sprintf("Put %d record(s) of connection point %s on the ledger", len(records), c.Point),
			done: fmt.Sprintf("%d record(s) of connection point %s are on the ledger", len(records), c.Point), free: true,
		}, nil
	})
}

// from returns the begin of the slot of the records.
func (c *meterReadCmd) from(lines [][]byte, params *types.Params) (types.Time, error) {
	if c.From != nil {
		return *c.From, nil
	}
	begins, err := meter.Begins(lines)
	if err != nil {
		return 0, types.Refuse(types.CodeReading, "%v", err)
	}
	at := types.Time(max(begins, 0))
	return at - at%types.Time(max(params.Slot, 1)), nil
}

type meterShowCmd struct {
	Point types.PointID `arg:"" help:"The connection point's id."`
}

func (c *meterShowCmd) Run(ctx context.Context, a *app) error {
	s, err := a.visitor(ctx)
	if err != nil {
		return err
	}
	point, err := s.node.Point(ctx, c.Point)
	if err != nil {
		return err
	}
	return a.show(point, func(p *page) {
		p.line("Connection point %s", point.ID)
		p.line("Owner %s", point.Point.Owner)
		if point.Point.Parent != (types.PointID{}) {
			p.line("Behind connection point %s", point.Point.Parent)
		}
		if point.Point.RetiredAt != 0 {
			p.line("Retired at %s", stamp(point.Point.RetiredAt))
		}
		for i := range point.Point.Meters {
			m := &point.Point.Meters[i]
			from := "the beginning"
			if m.From != 0 {
				from = stamp(m.From)
			}
			p.line("From %s: %s meter %s, sells %s", from, m.Form, name(m.Serial), soldText(m))
		}
	})
}

type meterClaimsCmd struct {
	Point     types.PointID `arg:"" help:"The connection point's id."`
	Direction string        `help:"Direction of the energy." enum:"export,import" default:"export"`
	From      *types.Time   `help:"Only the slot that begins then." placeholder:"TIME"`
}

func (c *meterClaimsCmd) Run(ctx context.Context, a *app) error {
	s, err := a.visitor(ctx)
	if err != nil {
		return err
	}
	var from types.Time
	if c.From != nil {
		from = *c.From
	}
	claims, err := s.node.Claims(ctx, types.Flow{Point: c.Point, Direction: directionOf(c.Direction)}, from)
	if err != nil {
		return err
	}
	return a.show(claims, func(p *page) {
		if len(claims.Slots) == 0 {
			p.line("No trade stands there.")
			return
		}
		p.row("slot", "quantity", "agreed at height", "delivered", "trade")
		for _, slot := range claims.Slots {
			when := slotText(&words.Printer{}, &types.Goods{From: slot.From, Until: slot.Until})
			for _, claim := range slot.Claims {
				delivered := "not yet"
				if claim.Delivered {
					delivered = "yes"
				}
				p.row(when, quantity(claim.Quantity, types.UnitWattHour), fmt.Sprint(claim.Height), delivered, short(claim.Trade))
			}
		}
		if claims.Partial {
			p.line("There are more: ask for one slot with --from.")
		}
	})
}

// showClaims adds the claims that are served before an agreement to the plan of signing or paying it. Every command that commits
// its user to metered goods calls it.
func (s *session) showClaims(ctx context.Context, p *plan, agreement *types.Agreement) error {
	lines, err := s.claimsBefore(ctx, agreement)
	p.worst = append(lines, p.worst...)
	return err
}

// showMeter adds the meter and the registers that count the goods to a plan, according to the node.
func (s *session) showMeter(ctx context.Context, p *plan, goods *types.Goods) error {
	if goods.Flow.IsZero() {
		return nil
	}
	point, err := s.node.Point(ctx, goods.Flow.Point)
	if types.CodeOf(err) == types.CodeNotFound {
		p.worst = append(p.worst, fmt.Sprintf("The node knows no connection point %s: the ledger will refuse the agreement.", goods.Flow.Point))
		return nil
	}
	if err != nil {
		return err
	}
	m, known := point.Point.MeterAt(goods.From)
	if !known {
		return nil
	}
	registers := "no register: the ledger will refuse the agreement"
	if list := m.Registers(goods.Flow.Direction); len(list) > 0 {
		registers = strings.Join(list, " + ")
	}
	p.worst = append(p.worst, fmt.Sprintf("In that slot the point, of %s, has the %s meter %s; its %s is counted by %s.",
		point.Point.Owner, m.Form, name(m.Serial), goods.Flow.Direction, registers))
	return nil
}

// claimsBefore lists the claims of other trades that are served before an agreement, in sentences. An agreement that is not on
// the ledger yet comes after all claims of its slot. Goods that no meter counts have no claims. The node supplies the list: the
// wallet can't check that it is complete.
func (s *session) claimsBefore(ctx context.Context, agreement *types.Agreement) (lines []string, err error) {
	flow := agreement.Goods.Flow
	if flow.IsZero() {
		return nil, nil
	}
	claims, err := advice.ClaimsBefore(ctx, s.node, agreement)
	if err != nil {
		return nil, err
	}
	before := claims.Before
	where := fmt.Sprintf("the %s of connection point %s in this slot", flow.Direction, flow.Point)
	if len(before) == 0 {
		return []string{"No other claim on " + where + " stands before this one."}, nil
	}
	lines = []string{fmt.Sprintf("Before this one, %d claim(s) of %s in all stand on %s:", len(before), quantity(claims.Sum, agreement.Goods.Unit), where)}
	for _, claim := range before[:min(len(before), claimsShown)] {
		lines = append(lines, fmt.Sprintf("  %s of trade %s", quantity(claim.Quantity, agreement.Goods.Unit), claim.Trade))
	}
	if len(before) > claimsShown || claims.More {
		lines = append(lines, fmt.Sprintf("  and more, see: %s",
			s.next("meter claims", flow.Point.String(), "--direction", flow.Direction.String(), "--from", agreement.Goods.From.String())))
	}
	return lines, nil
}

// claimsShown bounds the claims that are listed before a question.
const claimsShown = 5
