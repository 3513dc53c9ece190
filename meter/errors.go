package meter

import "fmt"

// A Code names one reason to refuse a key, a record or a quantity. Codes are stable: tests, scripts and ledgers compare
// them. Sentences are for people and may change.
type Code string

const (
	// CodeKey: the text is not a public key in a form we read.
	CodeKey Code = "key"
	// CodeKeyPoint: the key is not a point of its curve.
	CodeKeyPoint Code = "key-point"

	// CodeRecordSize: the record is longer than MaxRecord.
	CodeRecordSize Code = "record-size"
	// CodeRecordForm: not OCMF|payload|signature, or bytes follow the signature.
	CodeRecordForm Code = "record-form"
	// CodeJSON: the payload or the signature section is not strict JSON.
	CodeJSON Code = "json"
	// CodeSignatureSection: the signature section lacks a field, or names something we do not know.
	CodeSignatureSection Code = "signature-section"

	// CodeCurve: key and record name different curves.
	CodeCurve Code = "curve"
	// CodeSignatureForm: the signature is neither DER nor r and s side by side.
	CodeSignatureForm Code = "signature-form"
	// CodeNotCanonical: the signature is DER, but not in its one canonical form.
	CodeNotCanonical Code = "signature-not-canonical"
	// CodeSignatureRange: r or s is not in 1 to n-1.
	CodeSignatureRange Code = "signature-range"
	// CodeSignature: well formed, but not by this key over these bytes.
	CodeSignature Code = "signature"

	// CodePage: the pagination is missing or malformed.
	CodePage Code = "page"
	// CodePages: pages are missing, repeated or out of order.
	CodePages Code = "pages"
	// CodeSource: records of different meters.
	CodeSource Code = "source"
	// CodeBackwards: a register falls.
	CodeBackwards Code = "backwards"

	// CodeReadings: the readings are missing or malformed.
	CodeReadings Code = "readings"
	// CodeVersion: a format version that we do not know.
	CodeVersion Code = "version"
	// CodeStatus: the meter was not in order at a reading.
	CodeStatus Code = "status"
	// CodeErrorFlag: a reading is flagged as unusable for energy.
	CodeErrorFlag Code = "error-flag"
	// CodeTransaction: a transaction without begin or end, or readings out of its order.
	CodeTransaction Code = "transaction"
	// CodeTime: a transaction that ends before it begins.
	CodeTime Code = "time"
	// CodeNoEnergy: no energy register was read.
	CodeNoEnergy Code = "no-energy"
	// CodeRegister: it can't be told which register to bill.
	CodeRegister Code = "register"

	// CodeNative: bytes or text that are not a native record, or a value out of its bounds.
	CodeNative Code = "native"
	// CodeEmpty: nothing to judge.
	CodeEmpty Code = "empty"
)

// An Error says why something was refused.
type Error struct {
	Code Code
	Why  string // a sentence for people, without the code
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Why }

func refuse(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Why: fmt.Sprintf(format, args...)}
}
