package evidence

import (
	"cmp"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"lockstep/meter"
)

// A Judgement is the verdict on one session. Numbers are strings in its JSON, as in [meter.Report].
type Judgement struct {
	ID       string    `json:"session,omitempty"`
	Station  string    `json:"station,omitempty"`
	Layout   Layout    `json:"layout,omitempty"`
	Key      string    `json:"key,omitempty"`    // with which the records were checked: a SubjectPublicKeyInfo in hex
	Serial   string    `json:"serial,omitempty"` // of the meter, as the records sign it
	Verdicts []Verdict `json:"verdicts"`

	// The rest is nil or zero unless all signatures are valid and the records prove a quantity.
	QuantityWh *meter.Decimal  `json:"quantity_wh"`
	WholeWh    *uint64         `json:"whole_wh,string"`
	Register   string          `json:"register,omitempty"`
	Direction  meter.Direction `json:"direction,omitzero"`
	Clock      meter.Clock     `json:"clock,omitzero"`
	From       int64           `json:"from_unix_ms,omitzero"`
	Until      int64           `json:"until_unix_ms,omitzero"`

	Lines [][]byte `json:"-"` // the records, each once and in the order of their pages, as a ledger takes them
}

// Good tells whether no check speaks against the session.
func (j *Judgement) Good() bool { return len(j.Against()) == 0 }

// Against returns the verdicts that speak against the session.
func (j *Judgement) Against() []Verdict {
	return slices.DeleteFunc(slices.Clone(j.Verdicts), func(v Verdict) bool { return v.State != Disagrees })
}

// Of returns the first verdict of a check, and whether there is one.
func (j *Judgement) Of(check Check) (Verdict, bool) {
	i := slices.IndexFunc(j.Verdicts, func(v Verdict) bool { return v.Check == check })
	if i < 0 {
		return Verdict{}, false
	}
	return j.Verdicts[i], true
}

// slack is how far the station's clock, by which a session begins and ends, may be off from the meter's: one minute.
const slack = 60_000

// Judge returns the verdicts on a session. The trusted key is the meter's as its user knows it; nil for the key in the file, which
// proves only that the owner of that key signed.
func Judge(s *Session, trusted *meter.Key) Judgement {
	j := Judgement{ID: s.ID, Station: s.Station, Layout: s.Layout, Verdicts: []Verdict{}}
	key := j.judgeKey(s, trusted)
	records := j.judgeSignatures(s, key)
	for _, record := range records {
		if record != nil {
			j.Serial = record.Payload.Serial()
			if j.Station == "" {
				j.Station = record.Payload.ChargePoint
			}
			break
		}
	}
	records = j.judgeRepetition(s, records)
	j.judgeSequence(records)
	total := j.judgeQuantity(records)
	j.judgeTime(s, total)
	j.judgeMeter(s, records)
	j.judgeEnergy(s, total)
	j.judgeMoney(s, total)
	return j
}

func (j *Judgement) add(v Verdict) { j.Verdicts = append(j.Verdicts, v) }

// refuseBy adds an error of package meter as a verdict.
func (j *Judgement) refuseBy(check Check, err error) {
	var e *meter.Error
	if !errors.As(err, &e) {
		j.add(disagrees(check, CodeFile, "%v", err))
		return
	}
	j.add(disagrees(check, e.Code, "%s", strings.Replace(err.Error(), e.Error(), e.Why, 1)))
}

// judgeKey chooses the key, nil if there is none.
func (j *Judgement) judgeKey(s *Session, trusted *meter.Key) *meter.Key {
	var own *meter.Key
	for i := range s.Records {
		if s.Records[i].Key == "" || i > 0 && s.Records[i].Key == s.Records[i-1].Key {
			continue
		}
		key, err := ParseKey(s.Records[i].Key)
		if err != nil {
			j.refuseBy(CheckKey, err)
			return trusted
		}
		if own != nil && !sameKey(*own, key) {
			j.add(disagrees(CheckKey, CodeOtherKey, "the file gives %s another public key than the records before it", s.Records[i].Place))
			return cmp.Or(trusted, own)
		}
		own = &key
	}
	switch {
	case trusted != nil && own != nil && !sameKey(*trusted, *own):
		j.add(disagrees(CheckKey, CodeOtherKey, "the key in the file, %.24s…, is not the meter's key %.24s…", keyHex(*own), keyHex(*trusted)))
	case trusted != nil:
		j.add(agrees(CheckKey, "the meter's known key"))
		return trusted
	case own != nil:
		j.add(noted(CheckKey, CodeOwnKey, "the key stands in the file itself: compare it with the meter's label, for the file's writer could have made it"))
		return own
	default:
		j.add(disagrees(CheckKey, CodeNoKey, "the file has no public key: give the meter's"))
	}
	return trusted
}

// judgeSignatures returns the records, nil for each that can't be read.
func (j *Judgement) judgeSignatures(s *Session, key *meter.Key) []*meter.Record {
	records := make([]*meter.Record, len(s.Records))
	valid, unchecked := true, false
	effort := s.effort
	if effort == nil { // not of a file
		effort = newEffort()
	}
	for i := range s.Records {
		r := &s.Records[i]
		if r.Fault != nil {
			j.add(disagrees(CheckSignature, r.Fault.Code, "%s: %s", r.Place, r.Fault.Why))
			valid = false
			continue
		}
		checked := effort.check(r, key)
		record, line := checked.record, checked.line
		switch e, _ := checked.err.(*meter.Error); { //nolint:errorlint // package meter returns it bare
		case checked.err == nil:
			j.Verdicts = append(j.Verdicts, checked.notes...)
		case e != nil && e.Code == CodeUnchecked && unchecked:
			valid = false // one verdict is enough
		default:
			valid, unchecked = false, e != nil && e.Code == CodeUnchecked
			j.refuseBy(CheckSignature, placed(r.Place, checked.err))
		}
		if record == nil {
			continue
		}
		records[i] = record
		if key != nil && j.Key == "" {
			if on, err := key.On(record.Signature.Curve); err == nil {
				j.Key = hex.EncodeToString(on.SPKI())
			}
		}
		j.Lines = append(j.Lines, line)
		j.judgePlain(r, record)
	}
	switch {
	case key == nil && valid:
		j.add(verdict(CheckSignature, Unstated, CodeNoKey, "without a key no signature can be checked"))
	case valid && len(records) > 0:
		j.add(agrees(CheckSignature, "%d record(s) signed by the key", len(records)))
	}
	if !valid || key == nil {
		j.Lines = nil
	}
	return records
}

// placed puts a place in front of an error of package meter.
func placed(place string, err error) error {
	var e *meter.Error
	if place == "" || !errors.As(err, &e) {
		return err
	}
	return refuse(e.Code, "%s: %s", place, e.Why)
}

// judgePlain compares OCPI's plain_data with the payload that was signed.
func (j *Judgement) judgePlain(r *Record, record *meter.Record) {
	if r.Plain == "" {
		return
	}
	payload, ok := payloadOf(r.Plain, 0)
	switch {
	case !ok:
		j.add(noted(CheckPlain, CodeUnstated, "%s: plain_data is not the payload of a record, so it was not compared", r.Place))
	case string(payload) == string(record.Signed) || sameJSON(payload, record.Signed):
		j.add(agrees(CheckPlain, "%s: plain_data is the signed payload", r.Place))
	default:
		j.add(disagrees(CheckPlain, CodePlain, "%s: plain_data is not the payload that was signed: do not bill by it", r.Place))
	}
}

// judgeRepetition leaves out records that are given several times, and puts the others in the order of their pages.
func (j *Judgement) judgeRepetition(s *Session, records []*meter.Record) []*meter.Record {
	first := map[[32]byte]int{}
	var kept []*meter.Record
	var lines [][]byte
	complete := len(j.Lines) == len(records)
	for i, record := range records {
		if record == nil {
			kept = append(kept, nil)
			continue
		}
		if at, again := first[record.Hash()]; again {
			j.add(noted(CheckSequence, CodeRepeated, "%s is the same record as %s: it counts once", s.Records[i].Place, s.Records[at].Place))
			continue
		}
		first[record.Hash()] = i
		if kept = append(kept, record); complete {
			lines = append(lines, j.Lines[i])
		}
	}
	if !complete {
		j.Lines = nil
		return kept
	}
	order := make([]int, len(kept))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		left, right := kept[a].Payload.Page, kept[b].Payload.Page
		return cmp.Or(cmp.Compare(right.Context, left.Context), cmp.Compare(left.Number, right.Number))
	})
	if !slices.IsSorted(order) {
		j.add(noted(CheckSequence, CodeOrder, "the file gives the records in another order than their pages: they were judged by their pages"))
	}
	sorted := make([]*meter.Record, len(kept))
	j.Lines = make([][]byte, len(kept))
	for i, at := range order {
		sorted[i], j.Lines[i] = kept[at], lines[at]
	}
	return sorted
}

func (j *Judgement) judgeSequence(records []*meter.Record) {
	state, err := meter.Sequence(records)
	switch {
	case err != nil:
		j.refuseBy(CheckSequence, err)
	case records[0] == nil:
		j.add(verdict(CheckSequence, Unstated, CodeNoRecord, "the only record can't be read"))
	case state == meter.SequenceSingle:
		j.add(agrees(CheckSequence, "one record: there is nothing to follow"))
	default:
		j.add(agrees(CheckSequence, "%d records without a gap", len(records)))
	}
}

// judgeQuantity returns the proven total; nil without one.
func (j *Judgement) judgeQuantity(records []*meter.Record) *meter.Total {
	if j.Lines == nil { // a number that nobody is known to have signed is not shown
		j.add(verdict(CheckQuantity, Unstated, CodeNoRecord, "no quantity without valid signatures"))
		return nil
	}
	measured, err := meter.Measure(records)
	var total meter.Total
	if err == nil {
		total, err = measured.Best()
	}
	if err != nil {
		j.refuseBy(CheckQuantity, err)
		return nil
	}
	whole, ok := total.Wh.Whole()
	if !ok {
		j.add(disagrees(CheckQuantity, meter.CodeRegister, "%v Wh is beyond what a ledger counts", total.Wh))
		return nil
	}
	j.QuantityWh, j.WholeWh, j.Register, j.Direction = &total.Wh, &whole, total.Register, total.Direction
	j.Clock, j.From, j.Until = total.Clock, total.From, total.Until
	j.add(agrees(CheckQuantity, "%v Wh, %v, register %.40q", total.Wh, total.Direction, total.Register))
	return &total
}

func (j *Judgement) judgeTime(s *Session, total *meter.Total) {
	switch {
	case total == nil:
		j.add(verdict(CheckTime, Unstated, CodeNoRecord, "no time without a quantity"))
	case !total.TimeUsable:
		j.add(disagrees(CheckTime, CodeClock, "the meter flags its time as unusable (EF t), so the energy belongs to no slot"))
	case total.Clock != meter.ClockSynchronised:
		j.add(disagrees(CheckTime, CodeClock, "the meter says that its clock was %v, not synchronised, so the energy belongs to no slot", total.Clock))
	case s.Stated.From != nil && total.From < *s.Stated.From-slack:
		j.add(disagrees(CheckTime, CodePeriod, "the signed readings begin %d s before the session", (*s.Stated.From-total.From)/1000))
	case s.Stated.Until != nil && total.Until > *s.Stated.Until+slack:
		j.add(disagrees(CheckTime, CodePeriod, "the signed readings end %d s after the session", (total.Until-*s.Stated.Until)/1000))
	case s.Stated.From == nil && s.Stated.Until == nil:
		j.add(agrees(CheckTime, "the clock was synchronised; the file states no time to compare"))
	default:
		j.add(agrees(CheckTime, "the clock was synchronised, and the readings lie within the session"))
	}
}

func (j *Judgement) judgeMeter(s *Session, records []*meter.Record) {
	if s.Stated.Meter == "" {
		return
	}
	for _, record := range records {
		if record == nil {
			continue
		}
		p := &record.Payload
		if s.Stated.Meter != p.MeterSerial && s.Stated.Meter != p.GatewaySerial {
			j.add(disagrees(CheckMeter, CodeMeter, "the file names meter %.40q, and the signed records are of %.40q", s.Stated.Meter, p.Serial()))
			return
		}
	}
	j.add(agrees(CheckMeter, "the file and the signed records name the same meter"))
}

func (j *Judgement) judgeEnergy(s *Session, total *meter.Total) {
	if total == nil || len(s.Stated.Energy) == 0 {
		j.add(verdict(CheckEnergy, Unstated, CodeUnstated, "there are no two sums to compare"))
		return
	}
	for _, stated := range s.Stated.Energy {
		difference := stated.Wh.Sub(total.Wh)
		switch {
		case difference.Abs().Cmp(stated.Step) < 0:
			j.add(agrees(CheckEnergy, "%s is %v kWh, as signed", stated.Place, stated.Wh.Shift(-3)))
		case slipped(stated, total.Wh):
			j.add(disagrees(CheckEnergy, CodeUnit, "%s is %v kWh and the signed sum %v kWh: Wh and kWh were mixed up", stated.Place, stated.Wh.Shift(-3), total.Wh.Shift(-3)))
		default:
			j.add(disagrees(CheckEnergy, CodeEnergy, "%s is %v kWh and the signed sum %v kWh", stated.Place, stated.Wh.Shift(-3), total.Wh.Shift(-3)))
		}
	}
}

// slipped tells whether two energies differ by the factor of a thousand between Wh and kWh.
func slipped(stated Energy, wh meter.Decimal) bool {
	return wh.Sign() != 0 && (stated.Wh.Shift(-3).Sub(wh).Abs().Cmp(stated.Step.Shift(-3)) < 0 || stated.Wh.Shift(3).Sub(wh).Abs().Cmp(stated.Step.Shift(3)) < 0)
}

func (j *Judgement) judgeMoney(s *Session, total *meter.Total) {
	if s.Stated.Credits != "" {
		j.add(disagrees(CheckCredit, CodeCredit, "this is a credit, which takes charge detail record %.40q back: its energy was delivered once only", s.Stated.Credits))
	}
	switch {
	case s.Stated.Cost == nil:
		j.add(verdict(CheckCurrency, Unstated, CodeUnstated, "the file states no money"))
	case total == nil:
		j.add(s.Stated.Cost.judge(nil))
	default:
		j.add(s.Stated.Cost.judge(&total.Wh))
	}
}

// Fewest returns the fewest of the session's records that prove the same: one alone, if it has begin and end, or else all of them. A
// ledger takes only a few at once. It is nil without a quantity.
func (j *Judgement) Fewest() [][]byte {
	if j.QuantityWh == nil {
		return nil
	}
	for _, line := range j.Lines {
		record, err := meter.ParseOCMF(line)
		if err != nil {
			continue
		}
		measured, err := meter.Measure([]*meter.Record{record})
		if err != nil {
			continue
		}
		if total, err := measured.Best(); err == nil && total.Wh.Cmp(*j.QuantityWh) == 0 && total.From == j.From && total.Until == j.Until {
			return [][]byte{line}
		}
	}
	return j.Lines
}
