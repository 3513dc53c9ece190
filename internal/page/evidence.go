package page

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"lockstep/client"
	"lockstep/internal/plaintext"
	"lockstep/meter"
	"lockstep/meter/evidence"
	"lockstep/types"
)

// Signed meter records on the page: those of a trade, and those that a reader pastes or drops. The server judges both; nothing is kept.

const (
	mostEvidence  = 512 << 10 // bytes of a pasted or dropped file
	mostReadings  = 20        // transactions with records of a slot
	evidencePath  = "/evidence"
	sessionsShown = 40
	judgePatience = 3 * time.Second
)

// evidenceView is the content of the page that judges a file.
type evidenceView struct {
	Text, Key, Error string
	Format           string
	Notes            []verdictRow
	Sessions         []sessionRow
	More             int
	Good, Bad        int
	Judged           bool
}

// sessionRow is a charging session, or the records of a file without one, with its verdicts.
type sessionRow struct {
	Name, Station, Serial string
	Energy, Register      string
	Time                  string
	Good                  bool
	Verdicts              []verdictRow
	Key                   string
}

// verdictRow is one verdict. Its details are of the package that judged, in English.
type verdictRow struct {
	Kind, Check, State string
	Why, Code, Details string
}

func (c *screen) evidence() error {
	c.Nav, c.Title = "explorer", string(c.T("evidence.title"))
	return c.render("evidence", &evidenceView{})
}

// judging bounds the files that are judged at once: a signature costs much more than a request.
type judging chan struct{}

func (j judging) begin(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, judgePatience)
	defer cancel()
	select {
	case j <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (j judging) end() { <-j }

// judge judges the file or the text of a form.
func (c *screen) judge() error {
	c.Nav, c.Title = "explorer", string(c.T("evidence.title"))
	view := &evidenceView{Key: strings.TrimSpace(c.r.PostFormValue("key"))}
	err := c.judgeForm(view)
	if err != nil {
		view.Error, c.code = c.explain(err), http.StatusUnprocessableEntity
	}
	return c.render("evidence", view)
}

func (c *screen) judgeForm(v *evidenceView) error {
	text, name, err := c.evidenceText()
	if err != nil {
		return err
	}
	if len(text) < 64<<10 { // what was typed stays
		v.Text = string(text)
	}
	if _, err := plaintext.Read(strings.NewReader(string(text)), name, mostEvidence); err != nil {
		return err
	}
	var trusted *meter.Key
	if v.Key != "" {
		key, err := evidence.ParseKey(v.Key)
		if err != nil {
			return types.Refuse(types.CodeMalformed, "%q is not a meter's public key: %v", v.Key, err)
		}
		trusted = &key
	}
	if !c.judging.begin(c.r.Context()) {
		return c.tell(types.CodeUnavailable, "evidence.busy")
	}
	defer c.judging.end()
	file, err := evidence.Read(text)
	if err != nil {
		return types.Refuse(types.CodeMalformed, "%s: %v", name, err)
	}
	v.Judged, v.Format = true, string(file.Format)
	for i := range file.Notes {
		v.Notes = append(v.Notes, c.verdict(&file.Notes[i]))
	}
	for i := range file.Sessions {
		if c.r.Context().Err() != nil {
			return c.r.Context().Err()
		}
		j := evidence.Judge(&file.Sessions[i], trusted)
		if j.Good() {
			v.Good++
		} else {
			v.Bad++
		}
		if len(v.Sessions) < sessionsShown {
			v.Sessions = append(v.Sessions, c.charging(&j))
		}
	}
	v.More = len(file.Sessions) - len(v.Sessions)
	return nil
}

// evidenceText is the file of a form, or the text in it.
func (c *screen) evidenceText() (text []byte, name string, err error) {
	large := &http.MaxBytesError{}
	tooLarge := c.tell(types.CodeTooLarge, "evidence.too_large", "n", mostEvidence>>10)
	if file, header, err := c.r.FormFile("file"); err == nil {
		defer closeFile(file)
		text, err := io.ReadAll(io.LimitReader(file, mostEvidence+1))
		switch {
		case err != nil:
			return nil, "", err
		case len(text) > mostEvidence:
			return nil, "", tooLarge
		case len(text) > 0:
			return text, fmt.Sprintf("%q", header.Filename), nil
		}
	} else if errors.As(err, &large) {
		return nil, "", tooLarge
	}
	text = []byte(c.r.PostFormValue("text"))
	if len(strings.TrimSpace(string(text))) == 0 {
		return nil, "", c.tell(types.CodeMalformed, "evidence.empty")
	}
	return text, c.Plain("evidence.the_text"), nil
}

func closeFile(file multipart.File) { _ = file.Close() } // it was only read

func (c *screen) verdict(v *evidence.Verdict) verdictRow {
	row := verdictRow{Check: c.Plain("check." + string(v.Check)), State: c.Plain("state." + string(v.State)), Why: printable(v.Why)}
	if v.State != evidence.Agrees {
		row.Code = string(v.Code)
	}
	switch v.State {
	case evidence.Agrees:
		row.Kind = "open"
	case evidence.Disagrees:
		row.Kind = "other"
	case evidence.Noted:
		row.Kind = "pend"
	case evidence.Unstated:
		row.Kind = "idle"
	}
	return row
}

func (c *screen) charging(j *evidence.Judgement) sessionRow {
	row := sessionRow{Name: printable(j.ID), Station: printable(j.Station), Serial: printable(j.Serial), Register: printable(j.Register), Key: j.Key, Good: j.Good()}
	if j.QuantityWh != nil {
		row.Energy = fmt.Sprint(j.QuantityWh) + space + "Wh"
		if j.From != 0 {
			row.Time = c.Stamp(types.Time(j.From)) + " \u2013 " + c.Stamp(types.Time(j.Until))
		}
	}
	for i := range j.Verdicts {
		row.Verdicts = append(row.Verdicts, c.verdict(&j.Verdicts[i]))
	}
	return row
}

// printable takes characters off a text of others that show nothing or turn the text around.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if types.CheckText("", string(r), utf8.UTFMax) != nil {
			return -1
		}
		return r
	}, text)
}

// readingsView is the content of the page of a trade's readings.
type readingsView struct {
	ID       types.TradeID
	Goods    string
	Point    string
	Serial   string
	Form     string
	Register string
	Readings []readingRow
	Before   []template.HTML // the claims that are served before
	Allotted string
	Quantity string
	Unread   string // why there is nothing to judge
	Partly   bool   // there are more readings, or there may be
}

// readingRow is one transaction with records, and the three verdicts on them.
type readingRow struct {
	At       string
	Tx       types.TxID
	Records  int
	Verdicts []verdictRow
	Energy   string
	Pruned   bool
}

// readings judges the signed records of a trade again, with the key that an operator enrolled.
func (c *screen) readings() error {
	var id types.TradeID
	if err := c.whole("trade", c.r.PathValue("id"), &id); err != nil {
		return err
	}
	c.Nav, c.Title = "trades", string(c.T("readings.title"))
	c.Status, c.Down = c.facts.status(c.r.Context())
	t, err := c.ask().Trade(c.r.Context(), id)
	if err != nil {
		return err
	}
	a := &t.Trade.Agreement
	view := &readingsView{ID: id, Goods: c.Goods(&a.Goods), Allotted: c.Quantity(t.Reading, a.Goods.Unit), Quantity: c.Quantity(a.Goods.Quantity, a.Goods.Unit)}
	if a.Goods.Flow.IsZero() {
		view.Unread = c.Plain("readings.no_meter")
		return c.render("readings", view)
	}
	point, err := c.ask().Point(c.r.Context(), a.Goods.Flow.Point)
	if err != nil {
		return err
	}
	m, known := point.Point.MeterAt(a.Goods.From)
	if !known {
		view.Unread = c.Plain("readings.no_meter")
		return c.render("readings", view)
	}
	view.Point, view.Serial, view.Form = a.Goods.Flow.Point.String(), printable(m.Serial), m.Form.String()
	view.Register = strings.Join(m.Registers(a.Goods.Flow.Direction), " + ")
	if view.Before, err = c.claims(a); err != nil {
		return err
	}
	if view.Readings, view.Partly, err = c.findReadings(&a.Goods, m, t.Trade.Height, t.Height); err != nil {
		return err
	}
	switch {
	case len(view.Readings) > 0:
	case view.Partly:
		view.Unread = c.Plain("readings.pruned")
	default:
		view.Unread = c.Plain("readings.none", "t", c.By(a.Deadlines.ReadingBy))
	}
	return c.render("readings", view)
}

// findReadings finds and judges the records of a slot in the blocks from the one that recorded the trade up to a height. Partly is set when the node has
// pruned the first of these blocks, or when there are more transactions than are shown.
func (c *screen) findReadings(goods *types.Goods, m *types.PointMeter, from, until uint64) (rows []readingRow, partly bool, err error) {
	ctx, cancel := context.WithTimeout(c.r.Context(), askAtMost)
	defer cancel()
	partly = c.Status.From > from
	for found, err := range c.ask().Readings(ctx, goods, max(from, c.Status.From), until) {
		if errors.Is(err, context.DeadlineExceeded) {
			return nil, false, c.tell(types.CodeUnavailable, "readings.slow")
		}
		if err != nil {
			return nil, false, err
		}
		if len(rows) == mostReadings {
			return rows, true, nil
		}
		row, err := c.readingOf(&found, m)
		if err != nil {
			return nil, false, err
		}
		rows = append(rows, row)
	}
	return rows, partly, nil
}

// readingOf judges the records of a transaction.
func (c *screen) readingOf(found *client.SlotReading, m *types.PointMeter) (row readingRow, err error) {
	if found.Reading == nil {
		return readingRow{At: c.At(found.At), Tx: found.Tx, Pruned: true}, nil
	}
	lines := make([][]byte, len(found.Reading.Records))
	for i, record := range found.Reading.Records {
		lines[i] = record
	}
	if !c.judging.begin(c.r.Context()) {
		return row, c.tell(types.CodeUnavailable, "evidence.busy")
	}
	defer c.judging.end()
	report, err := judgeRecords(m, lines)
	if err != nil {
		return row, err
	}
	return c.readingRow(found, &report), nil
}

// judgeRecords judges records by the rules of the ledger, with the key of a meter.
func judgeRecords(m *types.PointMeter, lines [][]byte) (meter.Report, error) {
	if m.Form == types.FormNative {
		key, err := meter.ParseNativeKey(hex.EncodeToString(m.Key))
		if err != nil {
			return meter.Report{}, err
		}
		verify := func(key [32]byte, message, signature []byte) bool {
			return types.VerifyEd25519(key, message, signature)
		}
		return meter.VerifyNative(key, verify, lines), nil
	}
	key, err := meter.ParseKeyBytes(m.Key)
	if err != nil {
		return meter.Report{}, err
	}
	return meter.Verify(key, lines), nil
}

func (c *screen) readingRow(found *client.SlotReading, report *meter.Report) readingRow {
	row := readingRow{At: c.At(found.At), Tx: found.Tx, Records: len(report.Records)}
	signature := evidence.Verdict{Check: evidence.CheckSignature, State: evidence.Agrees, Why: plainText(c.N("readings.signed", len(report.Records)))}
	for i := range report.Records {
		if r := &report.Records[i]; r.Signature != meter.SignatureValid && signature.State == evidence.Agrees {
			signature.State, signature.Code, signature.Why = evidence.Disagrees, r.Code, r.Why
		}
	}
	sequence := evidence.Verdict{Check: evidence.CheckSequence, State: evidence.Agrees, Why: c.Plain("readings.sequence." + string(report.Sequence))}
	if report.Sequence == meter.SequenceBroken {
		sequence.State, sequence.Code, sequence.Why = evidence.Disagrees, report.Code, report.Why
	}
	quantity := evidence.Verdict{Check: evidence.CheckQuantity, State: evidence.Agrees}
	if report.QuantityWh != nil {
		row.Energy = fmt.Sprint(report.QuantityWh) + space + "Wh"
		quantity.Why = c.Plain("readings.quantity", "q", row.Energy, "register", report.Register)
	} else {
		quantity.State, quantity.Code, quantity.Why = evidence.Disagrees, report.Code, report.Why
		if report.Billable {
			quantity.State = evidence.Noted
		}
	}
	for _, v := range []evidence.Verdict{signature, sequence, quantity} {
		row.Verdicts = append(row.Verdicts, c.verdict(&v))
	}
	return row
}
