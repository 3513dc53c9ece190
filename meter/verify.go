package meter

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// SignatureVerdict says whether a record is signed by the key.
type SignatureVerdict string

// The verdicts on a signature.
const (
	SignatureValid      SignatureVerdict = "valid"
	SignatureInvalid    SignatureVerdict = "invalid"
	SignatureUnreadable SignatureVerdict = "unreadable" // not a record, or one that names what we do not know
)

// A Report is the verdict on a sequence of records. It is the JSON of lockstep meter verify; whole numbers and decimals
// are strings there, so that no reader rounds them.
type Report struct {
	Records  []RecordReport  `json:"records"`
	Sequence SequenceVerdict `json:"sequence"`

	// QuantityWh is the energy in Wh, exactly; nil if there is none to tell, and always nil unless all signatures are
	// valid, so that no number is shown that nobody signed. WholeWh is the same rounded down, as a ledger counts it.
	QuantityWh *Decimal `json:"quantity_wh"`
	WholeWh    *uint64  `json:"whole_wh,string"`

	// Billable: all three verdicts are good. A single record that is half a transaction is billable too, with a nil quantity:
	// nothing is wrong with it, and its quantity comes with the other half, which Why asks for.
	Billable bool   `json:"billable"`
	Why      string `json:"why"`            // the first reason against it
	Code     Code   `json:"code,omitempty"` // of that reason

	// The register of the quantity; zero without one.
	Register    string           `json:"register,omitempty"`
	Direction   Direction        `json:"direction,omitzero"`
	Compensated bool             `json:"compensated,omitempty"`
	Clock       Clock            `json:"clock,omitzero"`        // the worst state of the clock at a reading
	TimeUsable  bool             `json:"time_usable"`           // false if a reading's time is flagged (EF t), or there is no quantity
	From        int64            `json:"from_unix_ms,omitzero"` // Unix milliseconds, as good as the clock
	Until       int64            `json:"until_unix_ms,omitzero"`
	Registers   []RegisterReport `json:"registers,omitempty"` // each register of energy, also those not billed
}

// A RecordReport is the verdict on one record.
type RecordReport struct {
	Signature SignatureVerdict `json:"signature"`
	Usable    bool             `json:"usable"` // signed, and good to be billed in itself or with the rest of its transaction
	Why       string           `json:"why"`    // against the signature, else against its use; "" if there is nothing
	Code      Code             `json:"code,omitempty"`
	Page      string           `json:"page,omitempty"`
	Unknown   string           `json:"user_not_identified,omitempty"` // the level by which the meter says that it found no user
	Hash      string           `json:"payload_sha256,omitempty"`      // in hex; a native record's is that of its body
}

// A RegisterReport is the energy through one register.
type RegisterReport struct {
	Register    string    `json:"register"`
	Direction   Direction `json:"direction"`
	Compensated bool      `json:"compensated"`
	QuantityWh  *Decimal  `json:"quantity_wh"` // nil if it can't be told
	Why         string    `json:"why,omitempty"`
}

// Verify judges OCMF records of one meter in the order of their pages, one a line, by the rules of the package comment.
// It always returns a report; [ParseKey] and [SplitRecords] give its arguments.
func Verify(key Key, lines [][]byte) Report {
	report := Report{Records: make([]RecordReport, len(lines))}
	records := make([]*Record, len(lines))
	var unsigned error
	for i, line := range lines {
		var err error
		records[i], report.Records[i], err = verifyRecord(key, line)
		if err != nil && unsigned == nil {
			unsigned = fmt.Errorf("record %d: %w", i+1, err)
		}
	}
	var order error
	report.Sequence, order = Sequence(records)
	var quantity error
	if unsigned == nil {
		quantity = report.fill(Measure(records))
	}
	if len(lines) == 1 && report.Records[0].Usable && records[0].half() {
		report.Code, report.Why = explain(quantity)
		report.Billable = true
		return report
	}
	report.conclude(unsigned, order, quantity)
	return report
}

// half tells whether a record is a begin without its end, or an end without its begin, as meters send them that write one
// record at each.
func (r *Record) half() bool {
	begins, ends := 0, 0
	for i := range r.Payload.Readings {
		switch reason := r.Payload.Readings[i].Reason; {
		case reason == 'B':
			begins++
		case reason != 0 && strings.IndexByte("ELRAP", reason) >= 0:
			ends++
		default:
			return false
		}
	}
	return (begins == 0) != (ends == 0)
}

// verifyRecord returns a nil record if it's unreadable, and as its error why the signature is not valid.
func verifyRecord(key Key, line []byte) (*Record, RecordReport, error) {
	record, err := ParseOCMF(line)
	if err != nil {
		report := RecordReport{Signature: SignatureUnreadable}
		report.Code, report.Why = explain(err)
		return nil, report, err
	}
	hash := record.Hash()
	report := RecordReport{Signature: SignatureValid, Page: record.Payload.Page.String(), Hash: hex.EncodeToString(hash[:])}
	if record.Payload.MisidentifiedUser() {
		report.Unknown = record.Payload.IdentificationLevel
	}
	invalid := record.CheckSignature(key)
	if invalid != nil {
		report.Signature = SignatureInvalid
		report.Code, report.Why = explain(invalid)
	} else if err := record.Usable(); err != nil {
		report.Code, report.Why = explain(err)
	} else {
		report.Usable = true
	}
	return record, report, invalid
}

// explain takes an error of this package apart. The text wrapped around it stays in the sentence.
func explain(err error) (Code, string) {
	var e *Error
	if !errors.As(err, &e) {
		return "", err.Error()
	}
	return e.Code, strings.Replace(err.Error(), e.Error(), e.Why, 1)
}

// fill fills in the measurement, or returns why there is no quantity.
func (r *Report) fill(m *Measurement, err error) error {
	if err != nil {
		return err
	}
	for _, register := range m.Registers {
		entry := RegisterReport{
			Register: register.Register.Code, Direction: register.Register.Direction, Compensated: register.Register.Compensated,
		}
		if register.Fault != nil {
			_, entry.Why = explain(register.Fault)
		} else {
			entry.QuantityWh = &register.Wh
		}
		r.Registers = append(r.Registers, entry)
	}
	total, err := m.Best()
	if err != nil {
		return err
	}
	return r.bill(total)
}

func (r *Report) bill(t Total) error {
	whole, ok := t.Wh.Whole()
	if !ok {
		return refuse(CodeRegister, "%v Wh is beyond what a ledger counts", t.Wh)
	}
	r.QuantityWh, r.WholeWh = &t.Wh, &whole
	r.Register, r.Direction, r.Compensated = t.Register, t.Direction, t.Compensated
	r.Clock, r.TimeUsable, r.From, r.Until = t.Clock, t.TimeUsable, t.From, t.Until
	return nil
}

// conclude makes the report billable, or says why it isn't: the signatures first, for without them the rest proves
// nothing.
func (r *Report) conclude(signature, sequence, quantity error) {
	for _, err := range []error{signature, sequence, quantity} {
		if err != nil {
			r.Code, r.Why = explain(err)
			return
		}
	}
	r.Billable = true
}

// String writes the report for a person, in a few lines.
func (r Report) String() string {
	var b strings.Builder
	if r.Billable {
		b.WriteString("billable")
		if r.Why != "" {
			b.WriteString(" with the rest of its transaction: " + r.Why)
		}
	} else {
		b.WriteString("not billable: " + r.Why)
	}
	b.WriteString("\nquantity:  ")
	if r.QuantityWh == nil {
		b.WriteString("none")
	} else {
		fmt.Fprintf(&b, "%v Wh, %v, register %s, clock %v", r.QuantityWh, r.Direction, strconv.Quote(r.Register), r.Clock)
		if r.Compensated {
			b.WriteString(", at the device")
		}
		if !r.TimeUsable {
			b.WriteString(", time not usable")
		}
	}
	fmt.Fprintf(&b, "\nsequence:  %s\n", r.Sequence)
	for i, record := range r.Records {
		fmt.Fprintf(&b, "record %d: %s", i+1, record.Signature)
		if record.Page != "" {
			b.WriteString(", page " + record.Page)
		}
		if record.Unknown != "" {
			b.WriteString(", user not identified (" + record.Unknown + ")")
		}
		if record.Why != "" {
			b.WriteString(": " + record.Why)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
