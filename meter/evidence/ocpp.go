package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"lockstep/meter"
)

// Bounds of the search for JSON in the lines of a log.
const (
	maxLine  = 1 << 20
	maxTries = 16 // brackets in a line at which JSON may begin
)

// messages finds the JSON in a text: the text as a whole, values one after another, or a value within each line behind the text that the
// log puts before it. It counts the lines whose JSON is broken: nothing is taken out of a broken value, since a part without
// the statements around it would pass more checks than the whole.
func messages(text []byte) (all []*node, broken int, err error) {
	for rest := bytes.TrimSpace(text); len(rest) > 0; {
		tree, used, err := parseFront(rest)
		switch {
		case err != nil && len(all) == 0 && (rest[0] == '{' || rest[0] == '[' && !isProse(err)):
			return nil, 0, explainJSON(err)
		case err != nil || !isMessage(tree):
			all, broken = messagesInLines(text)
			return all, broken, nil
		}
		all = append(all, tree)
		rest = bytes.TrimLeft(rest[used:], ", \t\r\n\x1e") // commas of a list without brackets, and RFC 7464's separators
	}
	return all, 0, nil
}

func messagesInLines(text []byte) (all []*node, broken int) {
	for line := range bytes.Lines(text) {
		if len(line) > maxLine {
			broken++
			continue
		}
		for tries := 0; tries < maxTries; tries++ {
			at := bytes.IndexAny(line, "[{")
			if at < 0 {
				break
			}
			tree, used, err := parseFront(line[at:])
			switch {
			case isMember(line[:at]) || err != nil && !isProse(err):
				broken++
				line = nil
				continue
			case err != nil || !isMessage(tree):
				line = line[at+1:]
				continue
			}
			all = append(all, tree)
			line = line[at+used:]
		}
	}
	return all, broken
}

// isMessage tells a JSON value that may be evidence from a number or a word in brackets.
func isMessage(tree *node) bool {
	if tree.kind == '{' {
		return true
	}
	for _, item := range tree.list() {
		if item.kind == '{' || item.kind == '[' {
			return true
		}
	}
	return false
}

// isMember tells whether text ends with a name of JSON, so that the value after it is a part of a larger one.
func isMember(text []byte) bool {
	name, found := bytes.CutSuffix(bytes.TrimSpace(text), []byte(":"))
	return found && bytes.HasSuffix(bytes.TrimSpace(name), []byte(`"`))
}

// maxProse is how far into a text in brackets, such as a time, a fault may be that shows that it never was JSON.
const maxProse = 40

// isProse tells whether text that is no JSON was not meant to be any.
func isProse(err error) bool {
	var syntax *json.SyntaxError
	return errors.As(err, &syntax) && syntax.Offset <= maxProse
}

// A log collects the transactions in messages of OCPP.
type log struct {
	w        *wrapper
	sessions []*transaction
	named    map[string]*transaction // the same, by id
	starts   map[string]*start       // of OCPP 1.6, by message id, until the answer names their transaction
	count    int                     // signed values
	fault    error
}

// A transaction is a session with the readings from which its statements are made.
type transaction struct {
	Session
	meterStart, meterStop *meter.Decimal
	begin, end            *Energy // sampled values at begin and end
}

// A start is a StartTransaction of OCPP 1.6.
type start struct {
	meter *meter.Decimal
	at    *int64
}

// A scene is the surroundings of a value in a message.
type scene struct {
	transaction string
	station     string
	context     string
	depth       int
}

func (l *log) session(id string) *transaction {
	t := l.named[id]
	if t == nil {
		t = &transaction{Session: Session{ID: id}}
		l.named[id] = t
		l.sessions = append(l.sessions, t)
	}
	return t
}

// walk visits a value of a message and all below it.
func (l *log) walk(n *node, at scene) {
	switch n.kind {
	case '[':
		if l.frame(n, at) {
			return
		}
		for _, item := range n.items {
			l.walk(item, at)
		}
	case 's':
		text := strings.TrimSpace(n.text)
		if at.depth < maxWrappings && (strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[")) && strings.Contains(text, "ampledValue") {
			if tree, err := parseJSON([]byte(text)); err == nil {
				at.depth++
				l.walk(tree, at)
			}
		}
	case '{':
		l.object(n, at)
	}
}

// frame reads a message of OCPP-J: [2, id, action, payload] or [3, id, payload].
func (l *log) frame(n *node, at scene) bool {
	if len(n.items) < 3 || n.items[0].kind != 'n' || n.items[1].kind != 's' {
		return false
	}
	id := n.items[1].text
	switch {
	case n.items[0].text == "2" && len(n.items) >= 4:
		payload := n.items[3]
		if n.items[2].str() == "StartTransaction" {
			s := &start{meter: decimalOf(payload.member("meterStart")), at: timeOf(payload)}
			l.starts[id] = s
			return true
		}
		l.walk(payload, at)
	case n.items[0].text == "3":
		s, name := l.starts[id], n.items[2].at("transactionId").str()
		if s == nil || name == "" {
			break
		}
		delete(l.starts, id)
		l.began(l.session(name), s)
	}
	return true
}

func (l *log) began(t *transaction, s *start) {
	t.meterStart = s.meter
	if t.Stated.From == nil {
		t.Stated.From = s.at
	}
}

func decimalOf(n *node) *meter.Decimal {
	if d, ok := n.number(); ok {
		return &d
	}
	return nil
}

func timeOf(n *node) *int64 {
	if at, ok := parseMoment(n.at("timestamp").str()); ok {
		return &at
	}
	return nil
}

func (l *log) object(n *node, at scene) {
	for _, id := range []*node{n.member("transactionId"), n.at("transactionInfo", "transactionId")} {
		if text := id.str(); text != "" {
			at.transaction = text
		}
	}
	for _, name := range []string{"evseId", "chargePointId", "chargeBoxId", "chargingStationId", "stationId"} {
		if text := n.at(name).str(); text != "" {
			at.station = text
		}
	}
	event := n.at("eventType").str()
	if first, stop := n.member("meterStart"), n.member("meterStop"); first != nil || stop != nil || event != "" {
		t := l.session(at.transaction)
		switch {
		case stop != nil:
			t.meterStop, t.Stated.Until = decimalOf(stop), timeOf(n)
		case first != nil:
			l.began(t, &start{meter: decimalOf(first), at: timeOf(n)})
		case event == "Started":
			t.Stated.From = timeOf(n)
			at.context = "Transaction.Begin"
		case event == "Ended":
			t.Stated.Until = timeOf(n)
			at.context = "Transaction.End"
		}
	}
	for i, item := range n.items {
		if n.names[i] == "sampledValue" && item.kind == '[' {
			for _, value := range item.items {
				l.sampled(value, at)
			}
			continue
		}
		l.walk(item, at)
	}
}

// sampled takes a sampled value: a signed one, an unsigned one, or both in one.
func (l *log) sampled(value *node, at scene) {
	if context := value.at("context").str(); context != "" {
		at.context = context
	}
	t := l.session(at.transaction)
	if t.Station == "" {
		t.Station = at.station
	}
	signed := value.member("signedMeterValue")
	switch {
	case signed != nil && signed.kind == '{':
		l.add(t, signed.at("signedMeterData").str(), keyOf(signed.member("publicKey")), signed.at("encodingMethod").str(), at)
	case signed != nil:
		l.add(t, signed.str(), "", "", at)
	case strings.EqualFold(value.at("format").str(), "SignedData"):
		l.add(t, value.at("value").str(), "", "", at)
		return
	}
	l.unsigned(t, value, at)
}

func (l *log) add(t *transaction, data, key, method string, at scene) {
	l.count++
	place := fmt.Sprintf("signed value %d", l.count)
	if at.context != "" {
		place += " (" + short(at.context) + ")"
	}
	if l.count > MaxRecords {
		l.fault = refuse(CodeFile, "more than %d signed values", MaxRecords)
		return
	}
	records, fault := l.w.records(data)
	if fault != nil {
		if method != "" && !strings.EqualFold(method, "OCMF") {
			fault = refuse(CodeEncoding, "the encodingMethod is %.40q: only OCMF can be judged here", method)
		}
		records = []Record{{Fault: fault}}
	}
	for _, record := range records {
		if record.Place = place; record.Key == "" {
			record.Key = key
		}
		t.Records = append(t.Records, record)
	}
}

// unsigned notes the register of energy at the begin and the end of a transaction.
func (l *log) unsigned(t *transaction, value *node, at scene) {
	measurand := value.at("measurand").str()
	if measurand != "" && measurand != "Energy.Active.Import.Register" || value.member("phase") != nil {
		return
	}
	unit := value.at("unit").str()
	shift := 0
	if measure := value.member("unitOfMeasure"); measure != nil {
		unit = measure.at("unit").str()
		if n, err := strconv.Atoi(measure.at("multiplier").str()); err == nil && n >= -9 && n <= 9 {
			shift = n
		}
	}
	energy, err := energyOf("", value.at("value").str(), unit, shift)
	if err != nil {
		return
	}
	switch at.context {
	case "Transaction.Begin":
		if t.begin == nil {
			t.begin = &energy
		}
	case "Transaction.End":
		t.end = &energy
	}
}

// finish returns the transactions that have signed records.
func (l *log) finish() ([]Session, error) {
	if l.fault != nil {
		return nil, l.fault
	}
	var named []*transaction
	for _, t := range l.sessions {
		if len(t.Records) > 0 {
			named = append(named, t)
		}
	}
	if len(named) == 1 && len(l.starts) == 1 && named[0].meterStart == nil {
		for _, s := range l.starts { // any order: there is one
			l.began(named[0], s) // a log of one transaction without the answer to its start
		}
	}
	var sessions []Session
	for _, t := range named {
		if t.meterStart != nil && t.meterStop != nil {
			one := wattHours(1)
			t.Stated.Energy = append(t.Stated.Energy, Energy{Place: "meterStop - meterStart", Wh: t.meterStop.Sub(*t.meterStart), Step: one})
		}
		if t.begin != nil && t.end != nil {
			step := t.begin.Step
			if t.end.Step.Cmp(step) > 0 {
				step = t.end.Step
			}
			t.Stated.Energy = append(t.Stated.Energy, Energy{Place: "the unsigned meter values", Wh: t.end.Wh.Sub(t.begin.Wh), Step: step})
		}
		sessions = append(sessions, t.Session)
	}
	if len(sessions) == 0 {
		return nil, refuse(CodeNoRecord, "the log has %d transaction(s) and no signed meter value", len(l.sessions))
	}
	return sessions, nil
}

// wattHours is n as a Decimal.
func wattHours(n uint64) meter.Decimal {
	d, _ := meter.ParseDecimal(strconv.FormatUint(n, 10))
	return d
}
