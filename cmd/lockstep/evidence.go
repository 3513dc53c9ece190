package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"lockstep/internal/plaintext"
	"lockstep/meter"
	"lockstep/meter/evidence"
	"lockstep/types"
	"lockstep/wallet"
)

type evidenceCmd struct {
	Check  evidenceCheckCmd  `cmd:"" help:"Judge a charging file offline: OCPI charge detail records, OCPP logs, transparency XML, OCMF."`
	Enrol  evidenceEnrolCmd  `cmd:"" help:"As an operator: enrol the meter that signed a charging file as a member's connection point."`
	Import evidenceImportCmd `cmd:"" help:"As a connection point's owner: put the readings of a charging file on the ledger, or name what disagrees."`
}

// judged is a charging file with the verdicts on its sessions.
type judged struct {
	Format   evidence.Format    `json:"format"`
	Notes    []evidence.Verdict `json:"notes,omitempty"`
	Sessions []judgedSession    `json:"sessions"`
}

// judgedSession is a session with the verdicts on it; the ledger's are there after an import.
type judgedSession struct {
	evidence.Judgement
	Good  bool           `json:"good"`
	Point *types.PointID `json:"point,omitempty"`
	Slot  *types.Time    `json:"slot,omitempty"` // its beginning
	Tx    *types.TxID    `json:"transaction,omitempty"`

	flow types.Flow
}

// evidence reads a charging file. Unlike other texts it keeps its byte order mark, which has a verdict of its own.
func (a *app) evidence(path string) (*evidence.File, error) {
	var from io.Reader = a.in
	name := standardInput
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		from, name = file, path
	}
	var whole bytes.Buffer
	if _, err := plaintext.Read(io.TeeReader(from, &whole), name, evidence.MaxFile); err != nil {
		return nil, err
	}
	file, err := evidence.Read(whole.Bytes())
	if err != nil {
		return nil, types.Refuse(types.CodeMalformed, "%s: %v", name, err)
	}
	return file, nil
}

// report prints the verdicts. It fails if any session is not good.
func (j *judged) report(a *app) error {
	against := 0
	for i := range j.Sessions {
		if j.Sessions[i].Good = j.Sessions[i].Judgement.Good(); !j.Sessions[i].Good {
			against++
		}
	}
	err := a.show(j, func(p *page) {
		p.line("%s, %d session(s)", j.Format, len(j.Sessions))
		for _, note := range j.Notes {
			p.line("%s: %s", note.State, printable(note.Why))
		}
		for i := range j.Sessions {
			j.Sessions[i].print(p)
		}
	})
	if err != nil || against == 0 {
		return err
	}
	first := slices.IndexFunc(j.Sessions, func(s judgedSession) bool { return !s.Good })
	v := j.Sessions[first].Against()[0]
	return types.Refuse(types.CodeReading, "%d of %d session(s) disagree; first %s: %s", against, len(j.Sessions), v.Check, printable(v.Why))
}

func (s *judgedSession) print(p *page) {
	title := "\nSession"
	if s.ID != "" {
		title += " " + printable(s.ID)
	}
	if s.Station != "" {
		title += " at " + printable(s.Station)
	}
	if s.QuantityWh != nil {
		title += fmt.Sprintf(": %v Wh, %s to %s", s.QuantityWh, stamp(types.Time(s.From)), stamp(types.Time(s.Until)))
	}
	p.line("%s", title)
	for _, v := range s.Verdicts {
		why := v.Why
		if v.Code != "" && v.State != evidence.Agrees {
			why = fmt.Sprintf("%s (%s)", v.Why, v.Code)
		}
		p.row(string(v.Check), string(v.State), why)
	}
	p.End()
	if s.Tx != nil {
		p.line("On the ledger: connection point %s, slot of %s, transaction %s", s.Point, stamp(*s.Slot), s.Tx)
	}
}

type evidenceCheckCmd struct {
	Key  string `help:"The meter's public key, from its label or a register, in any form; by default the one in the file, which proves less." placeholder:"KEY"`
	File string `arg:"" help:"The charging file; - for standard input."`
}

func (c *evidenceCheckCmd) Run(a *app) error {
	var trusted *meter.Key
	if c.Key != "" {
		key, err := evidence.ParseKey(c.Key)
		if err != nil {
			return &usageError{err}
		}
		trusted = &key
	}
	file, err := a.evidence(c.File)
	if err != nil {
		return err
	}
	found := &judged{Format: file.Format, Notes: file.Notes}
	for i := range file.Sessions {
		found.Sessions = append(found.Sessions, judgedSession{Judgement: evidence.Judge(&file.Sessions[i], trusted)})
	}
	return found.report(a)
}

type evidenceEnrolCmd struct {
	walletFlags
	yesFlag
	File    string          `arg:"" help:"A charging file of the meter; - for standard input."`
	Owner   types.PublicKey `arg:"" help:"Key of the member whose connection point it is."`
	Key     string          `help:"The meter's public key from its label, in any form; by default the one in the file." placeholder:"KEY"`
	Session string          `help:"Of a file with several meters: the session whose meter it is." placeholder:"ID"`
	Export  []string        `help:"Register of the exported energy, by its OBIS code; by default none." placeholder:"OBIS"`
	Import  []string        `help:"Register of the imported energy, likewise; by default the one that the file's records prove." placeholder:"OBIS"`
	Under   *types.PointID  `help:"Of a sub-meter: the connection point behind which it measures." placeholder:"ID"`
	From    *types.Time     `help:"The beginning of the first slot that it sells; by default at once." placeholder:"TIME"`
}

func (c *evidenceEnrolCmd) Run(ctx context.Context, a *app) error {
	file, err := a.evidence(c.File)
	if err != nil {
		return err
	}
	j, err := c.meterOf(file)
	if err != nil {
		return err
	}
	flags := meterFlags{Key: j.Key, Serial: j.Serial, Export: c.Export, Import: c.Import}
	if len(c.Export) == 0 && len(c.Import) == 0 {
		if flags.Export = []string{"none"}; j.Direction == meter.Export {
			flags.Export = strings.Split(j.Register, " + ")
		} else {
			flags.Import = strings.Split(j.Register, " + ")
		}
	} else if len(c.Export) == 0 {
		flags.Export = []string{"none"}
	}
	if v, ok := j.Of(evidence.CheckKey); ok && v.State == evidence.Noted && !a.JSON {
		fmt.Fprintf(a.err, "Compare the key with the meter's label before you enrol it, or give it with --key: %s\n", j.Key)
	}
	enrol := meterEnrolCmd{walletFlags: c.walletFlags, yesFlag: c.yesFlag, Owner: c.Owner, meterFlags: flags, Under: c.Under, From: c.From}
	return enrol.Run(ctx, a)
}

// meterOf returns the judgement on a session of the meter to enrol. All sessions that it may be of must have the same meter.
func (c *evidenceEnrolCmd) meterOf(file *evidence.File) (*evidence.Judgement, error) {
	var trusted *meter.Key
	if c.Key != "" {
		key, err := evidence.ParseKey(c.Key)
		if err != nil {
			return nil, &usageError{err}
		}
		trusted = &key
	}
	var found *evidence.Judgement
	for i := range file.Sessions {
		if c.Session != "" && file.Sessions[i].ID != c.Session {
			continue
		}
		j := evidence.Judge(&file.Sessions[i], trusted)
		for _, check := range []evidence.Check{evidence.CheckKey, evidence.CheckSignature, evidence.CheckQuantity} {
			if v, ok := j.Of(check); ok && (v.State == evidence.Disagrees || v.State == evidence.Unstated) {
				return nil, types.Refuse(types.CodeMeterForm, "the file doesn't show a meter to enrol: session %s: %s: %s", name(j.ID), check, printable(v.Why))
			}
		}
		if found != nil && (found.Key != j.Key || found.Serial != j.Serial) {
			return nil, misuse("the file has meters %q and %q: name one session with --session", found.Serial, j.Serial)
		}
		found = &j
	}
	if found == nil {
		return nil, misuse("the file has no session %q", c.Session)
	}
	return found, nil
}

// Checks of an import, beside those of package evidence.
const (
	checkPoint    evidence.Check = "connection_point"
	checkStation  evidence.Check = "station"
	checkSlot     evidence.Check = "slot"
	checkRegister evidence.Check = "register"
	checkLedger   evidence.Check = "ledger"
)

type evidenceImportCmd struct {
	walletFlags
	yesFlag
	File      string         `arg:"" help:"The charging file; - for standard input."`
	Point     *types.PointID `help:"The connection point's id; by default the one to which the station is bound, or the one that begins with the meter." placeholder:"ID"`
	Direction string         `help:"Direction of the energy; by default the one that the connection point sells." enum:"auto,export,import" default:"auto"`
	Despite   []string       `help:"Checks of unsigned statements that may disagree: plain_data, time, meter, total_energy, currency_total." enum:"plain_data,time,meter,total_energy,currency_total" placeholder:"CHECK"`
	Rebind    bool           `help:"Bind the station to the connection point anew."`
	DryRun    bool           `help:"Judge against the ledger and put nothing on it."`
}

func (c *evidenceImportCmd) Run(ctx context.Context, a *app) error {
	file, err := a.evidence(c.File)
	if err != nil {
		return err
	}
	s, err := a.session(ctx, &c.walletFlags)
	if err != nil {
		return err
	}
	bound, err := s.stations()
	if err != nil {
		return err
	}
	found := &judged{Format: file.Format, Notes: file.Notes}
	for i := range file.Sessions {
		j, err := c.judge(ctx, s, bound, &file.Sessions[i])
		if err == nil && !c.DryRun && j.Judgement.Good() {
			err = c.post(ctx, s, bound, j)
		}
		if err != nil {
			return err
		}
		found.Sessions = append(found.Sessions, *j)
	}
	return found.report(a)
}

// judge judges a session by the key that the ledger has for its connection point.
func (c *evidenceImportCmd) judge(ctx context.Context, s *session, bound *stationBook, charge *evidence.Session) (*judgedSession, error) {
	j := &judgedSession{Judgement: evidence.Judge(charge, nil)}
	against := func(check evidence.Check, code types.Code, format string, args ...any) (*judgedSession, error) {
		j.Verdicts = append(j.Verdicts, evidence.Verdict{Check: check, State: evidence.Disagrees, Code: meter.Code(code.String()), Why: fmt.Sprintf(format, args...)})
		return j, nil
	}
	id, ok := c.pointOf(bound, j)
	if !ok {
		return against(checkPoint, types.CodeMeterUnknown, "the file shows no key and serial number of a meter: name the connection point with --point")
	}
	point, err := s.node.Point(ctx, id)
	if types.CodeOf(err) == types.CodeNotFound {
		return against(checkPoint, types.CodeMeterUnknown, "the meter %s is not enrolled: ask an operator for lockstep evidence enrol FILE %s", name(j.Serial), s.account.Key())
	}
	if err != nil {
		return nil, err
	}
	j.Point = &id
	at := types.Time(max(j.From, 0))
	if j.QuantityWh == nil { // without a key in the file: the times of the records, unproven
		if begins, err := meter.Begins(recordsOf(charge)); err == nil {
			at = types.Time(max(begins, 0))
		}
	}
	m, ok := point.Point.MeterAt(at)
	if !ok || m.Form != types.FormOCMF {
		return against(checkPoint, types.CodeMeterUnknown, "connection point %s has no OCMF meter at %s", id, stamp(at))
	}
	key, err := meter.ParseKeyBytes(m.Key)
	if err != nil {
		return nil, err
	}
	j.Judgement = evidence.Judge(charge, &key)
	c.pardon(j)
	if point.Point.Owner != s.account.Key() {
		return against(checkPoint, types.CodeSignatureKeys, "connection point %s is of %s, and this wallet's key is %s", id, point.Point.Owner, s.account.Key())
	}
	if why := bound.conflict(s.params.ChainID, j.Station, id); why != "" && !c.Rebind {
		return against(checkStation, types.CodeMeterUnknown, "%s: if that is meant, add --rebind", why)
	}
	if j.QuantityWh == nil {
		return j, nil
	}
	slot := types.Time(max(s.params.Slot, 1))
	from := at - at%slot
	if j.Slot = &from; types.Time(j.Until) > from+slot {
		return against(checkSlot, types.CodeReading, "the readings from %s to %s lie in more than one slot of %s, and the ledger counts a reading inside one: "+
			"have the station sign at the bounds of slots", stamp(types.Time(j.From)), stamp(types.Time(j.Until)), s.params.Slot)
	}
	return c.prove(j, m, key, against)
}

// prove proves the session in a direction of the meter, by the ledger's own rule.
func (c *evidenceImportCmd) prove(j *judgedSession, m *types.PointMeter, key meter.Key,
	against func(evidence.Check, types.Code, string, ...any) (*judgedSession, error),
) (*judgedSession, error) {
	d := types.DirectionImport
	switch {
	case c.Direction != "auto":
		d = directionOf(c.Direction)
	case len(m.Import) > 0 && len(m.Export) > 0:
		if j.Direction == meter.Undirected {
			return against(checkRegister, types.CodeReading, "the connection point sells both directions: choose one with --direction")
		}
		d = types.Direction(j.Direction)
	case len(m.Export) > 0:
		d = types.DirectionExport
	}
	lines := j.Fewest()
	if len(lines) > types.MaxRecords {
		return against(checkLedger, types.CodeReading, "%d records belong to the session, and a reading has at most %d: have the station sign begin and end in one record", len(lines), types.MaxRecords)
	}
	proof, err := meter.Prove(key, m.Serial, lines, m.Registers(d), meter.Direction(d))
	if err != nil {
		return against(checkRegister, types.CodeReading, "the enrolled registers of the %s prove nothing: %v", d, err)
	}
	if proof.Wh.Cmp(*j.QuantityWh) != 0 {
		return against(checkRegister, types.CodeReading, "the enrolled register proves %v Wh, and the session's records %v Wh", proof.Wh, j.QuantityWh)
	}
	j.flow = types.Flow{Point: *j.Point, Direction: d}
	return j, nil
}

func recordsOf(charge *evidence.Session) [][]byte {
	var lines [][]byte
	for _, record := range charge.Records {
		if record.Fault == nil {
			lines = append(lines, record.OCMF)
		}
	}
	return lines
}

// pointOf names the connection point of a session.
func (c *evidenceImportCmd) pointOf(bound *stationBook, j *judgedSession) (types.PointID, bool) {
	if c.Point != nil {
		return *c.Point, true
	}
	if known, ok := bound.of(j.Station); ok && !c.Rebind {
		return known.Point, true
	}
	if j.Key == "" || j.Serial == "" {
		return types.PointID{}, false
	}
	m, err := (&meterFlags{Key: j.Key, Serial: j.Serial}).meter(0)
	if err != nil {
		return types.PointID{}, false
	}
	return m.ID(), true
}

// pardon notes disagreements of unsigned statements that the user accepts.
func (c *evidenceImportCmd) pardon(j *judgedSession) {
	for i := range j.Verdicts {
		v := &j.Verdicts[i]
		if v.State == evidence.Disagrees && slices.Contains(c.Despite, string(v.Check)) {
			v.State, v.Why = evidence.Noted, v.Why+"; accepted by --despite"
		}
	}
}

// post puts a session's reading on the ledger and binds its station. A refusal of the ledger is a verdict on the session.
func (c *evidenceImportCmd) post(ctx context.Context, s *session, bound *stationBook, j *judgedSession) error {
	d, err := s.draft(ctx)
	if err != nil {
		return err
	}
	var records []types.HexBytes
	for _, line := range j.Fewest() {
		records = append(records, line)
	}
	d.Read(j.flow, *j.Slot, records...)
	receipt, err := s.send(ctx, d, c.yesFlag, plan{
		ask: fmt.Sprintf("Put %d Wh of connection point %s on the ledger", *j.WholeWh, j.Point), free: true,
	})
	if code := types.CodeOf(err); err != nil && code != types.CodeInternal && code < types.CodePoolFull && wallet.ReasonOf(err) == "" {
		j.Verdicts = append(j.Verdicts, evidence.Verdict{Check: checkLedger, State: evidence.Disagrees, Code: meter.Code(code.String()), Why: err.Error()})
		return nil
	}
	if err != nil {
		return err
	}
	j.Tx = &receipt.Tx
	if j.Station == "" {
		return nil
	}
	return bound.bind(boundStation{
		Chain: s.params.ChainID, Station: j.Station, Point: *j.Point, Seller: s.account.Key(), Serial: j.Serial, Key: j.Key,
	})
}
