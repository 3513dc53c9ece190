package evidence

import (
	"fmt"

	"lockstep/meter"
)

// MaxFile bounds a file, in bytes.
const MaxFile = 16 << 20

// MaxRecords bounds the signed records of a file. A day of a large site has some thousands.
const MaxRecords = 20_000

// A Format is the kind of a file.
type Format string

// The formats.
const (
	FormatOCMF Format = "ocmf"
	FormatOCPI Format = "ocpi-cdr"
	FormatOCPP Format = "ocpp-log"
	FormatXML  Format = "transparency-xml"
)

// A Layout tells how an OCPI file divides an OCMF record over plain_data and signed_data.
type Layout string

// The layouts of the field, in the order of ocpi issue 550.
const (
	LayoutTwice    Layout = "whole-record-twice"      // the whole record in plain_data and in signed_data
	LayoutStripped Layout = "plain-without-signature" // its payload in plain_data, the whole record in signed_data
	LayoutSplit    Layout = "split-at-the-signature"  // its payload in plain_data, its signature section in signed_data
	LayoutWhole    Layout = "whole-record"            // the whole record in signed_data, nothing of it in plain_data
)

// Codes of this package, beside those of package meter.
const (
	CodeFile     meter.Code = "file"           // not a file that Read knows, or one that breaks its own format
	CodeEncoding meter.Code = "encoding"       // signed data in a form other than OCMF
	CodeNoRecord meter.Code = "no-record"      // no signed record
	CodeNoKey    meter.Code = "no-key"         // no public key
	CodeOwnKey   meter.Code = "own-key"        // the only key is the file's own
	CodeOtherKey meter.Code = "other-key"      // keys differ
	CodeNoSA     meter.Code = "no-algorithm"   // no SA field
	CodeSAName   meter.Code = "algorithm"      // SA in a maker's spelling
	CodeMark     meter.Code = "mark"           // a byte order mark
	CodeLineEnds meter.Code = "line-ends"      // CRLF
	CodeRepeated meter.Code = "repeated"       // one record given several times
	CodeOrder    meter.Code = "order"          // records out of the order of their pages
	CodePlain    meter.Code = "plain-data"     // plain_data says something else than the signed payload
	CodeEnergy   meter.Code = "total-energy"   // the stated energy is not the signed one
	CodeUnit     meter.Code = "unit"           // the stated energy is the signed one by a factor of 1,000
	CodeClock    meter.Code = "clock"          // the meter's clock was not synchronised
	CodePeriod   meter.Code = "period"         // the signed times lie outside the session
	CodeMeter    meter.Code = "other-meter"    // another meter is named
	CodeCurrency meter.Code = "currency"       // currencies differ
	CodeTotal    meter.Code = "total-cost"     // a sum of money does not follow from its parts
	CodeCredit   meter.Code = "credit"         // a credit: it takes another charge detail record back
	CodeUnstated meter.Code = "not-comparable" // the statement can't be compared
)

// A File is the content of a file: its charging sessions, with at least one signed record in all.
type File struct {
	Format   Format
	Sessions []Session
	Notes    []Verdict // of the file as a whole
}

// A Session is one charging session: its signed records in the order of the file, and the statements beside them, which nobody signed.
type Session struct {
	ID      string // of the charge detail record or the transaction, "" if there is none
	Station string // the EVSE, "" if the file names none
	Layout  Layout // of OCPI
	Records []Record
	Stated  Stated

	effort *effort // of the file
}

// A Record is one signed record as the file has it.
type Record struct {
	Place string // in the file, for errors
	OCMF  []byte
	Plain string       // OCPI's plain_data
	Key   string       // the key beside it as written, "" if there is none
	Fault *meter.Error // nil, or why no record could be read at the place
}

// Stated holds the unsigned statements about a session.
type Stated struct {
	Energy  []Energy
	From    *int64 // Unix milliseconds; nil if not stated
	Until   *int64
	Meter   string // serial number of the meter
	Cost    *Cost
	Credits string // the charge detail record that this one takes back
}

// An Energy is an unsigned statement of a session's energy.
type Energy struct {
	Place string
	Wh    meter.Decimal
	Step  meter.Decimal // of its last digit, in Wh: a difference below it is rounding
}

// A State is the outcome of a check.
type State string

// The states. Only Disagrees speaks against a session.
const (
	Agrees    State = "ok"
	Noted     State = "noted" // an irregularity without harm
	Unstated  State = "unstated"
	Disagrees State = "disagrees"
)

// A Check names the subject of a verdict.
type Check string

// The checks, in the order of a judgement.
const (
	CheckFile      Check = "file"
	CheckKey       Check = "key"
	CheckSignature Check = "signature"
	CheckPlain     Check = "plain_data"
	CheckSequence  Check = "sequence"
	CheckQuantity  Check = "quantity"
	CheckTime      Check = "time"
	CheckMeter     Check = "meter"
	CheckEnergy    Check = "total_energy"
	CheckCurrency  Check = "currency_total"
	CheckCredit    Check = "credit"
)

// A Verdict is the outcome of one check.
type Verdict struct {
	Check Check      `json:"check"`
	State State      `json:"verdict"`
	Code  meter.Code `json:"code,omitempty"`
	Why   string     `json:"why"`
}

func refuse(code meter.Code, format string, args ...any) *meter.Error {
	return &meter.Error{Code: code, Why: fmt.Sprintf(format, args...)}
}
