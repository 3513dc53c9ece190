package meter

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
)

// VerifyEd25519 tells whether signature is key's over message. The caller passes it in, because all of Lockstep must
// verify by one set of rules (ZIP-215), which is not this package's to choose.
type VerifyEd25519 func(key [32]byte, message, signature []byte) bool

// Bounds of a native record.
const (
	MaxNativeWh   = 1 << 48 // most energy in one record, in Wh; as much as a trade can name
	MaxNativeTime = 1 << 48 // latest time, in Unix milliseconds: the year 10889
)

// A NativeForm is the kind of statement of a native record.
type NativeForm uint8

// The forms.
const (
	FormReadings NativeForm = 1 // what the register read at From and at Until
	FormQuantity NativeForm = 2 // only what went through between them
)

// An OBIS is the code A-B:C.D.E*F of a register (IEC 62056-6-1), a byte for each field.
type OBIS [6]byte

// String writes a code as OCMF does, in hexadecimal: 01-00:01.08.00*FF.
func (o OBIS) String() string {
	return fmt.Sprintf("%02X-%02X:%02X.%02X.%02X*%02X", o[0], o[1], o[2], o[3], o[4], o[5])
}

// ParseOBIS reads the form of [OBIS.String] only. Its error is [CodeNative].
func ParseOBIS(text string) (OBIS, error) {
	var o OBIS
	if len(text) == len(o.String()) {
		for i := range o {
			high, okHigh := hexDigit(text[3*i])
			low, okLow := hexDigit(text[3*i+1])
			if !okHigh || !okLow {
				break
			}
			o[i] = high<<4 | low
		}
	}
	if o.String() != text {
		return OBIS{}, refuse(CodeNative, "%.40q is not an OBIS code as in 01-00:01.08.00*FF", text)
	}
	return o, nil
}

// A Native is a record of a gateway of ours: the energy through one register in one interval.
type Native struct {
	Meter       [32]byte // Ed25519 key
	Register    OBIS
	Direction   Direction // Import or Export
	From, Until int64     // Unix milliseconds, From before Until
	Page        uint64    // counts the key's records up by one
	Form        NativeForm
	Start, End  uint64   // Wh: the readings, or 0 and the quantity
	TradeID     [32]byte // the trade that this was delivered for, or zero
}

// A SignedNative is a native record with the meter's signature over its bytes.
type SignedNative struct {
	Native
	Signature [64]byte
}

// nativeTag is the domain of the signature, and the layout's version.
const nativeTag = "lockstep/reading/v1"

// nativeSize is the length of a record: tag, meter 32, register 6, direction 1, form 1, from 8, until 8, page 8, start
// 8, end 8, trade 32. Numbers are big-endian. Each record has one encoding and each encoding is one record.
const nativeSize = len(nativeTag) + 32 + 6 + 1 + 1 + 5*8 + 32

// Quantity is the energy in Wh.
func (n *Native) Quantity() uint64 { return n.End - n.Start }

// Validate returns nil if the record is within its bounds, else a [CodeNative] error.
func (n *Native) Validate() error {
	register := parseRegister(n.Register.String())
	switch {
	case n.Direction != Import && n.Direction != Export:
		return refuse(CodeNative, "direction %d is neither import nor export", n.Direction)
	case register.Direction != Undirected && register.Direction != n.Direction:
		return refuse(CodeNative, "register %v is not one of %v", n.Register, n.Direction)
	case register.Direction != Undirected && !register.Energy:
		return refuse(CodeNative, "register %v is not one of energy", n.Register)
	case n.Form != FormReadings && n.Form != FormQuantity:
		return refuse(CodeNative, "form %d is not known", n.Form)
	case n.From < 0 || n.Until <= n.From || n.Until > MaxNativeTime:
		return refuse(CodeNative, "times %d to %d are not an interval", n.From, n.Until)
	case n.End < n.Start:
		return refuse(CodeNative, "the register falls from %d Wh to %d Wh", n.Start, n.End)
	case n.Quantity() > MaxNativeWh:
		return refuse(CodeNative, "%d Wh are more than one record may state", n.Quantity())
	case n.Form == FormQuantity && n.Start != 0:
		return refuse(CodeNative, "a quantity with a start reading")
	}
	return nil
}

// Bytes is the record as it is signed.
func (n *Native) Bytes() []byte {
	b := make([]byte, 0, nativeSize)
	b = append(b, nativeTag...)
	b = append(b, n.Meter[:]...)
	b = append(b, n.Register[:]...)
	b = append(b, byte(n.Direction), byte(n.Form))
	for _, number := range [...]uint64{uint64(n.From), uint64(n.Until), n.Page, n.Start, n.End} {
		b = binary.BigEndian.AppendUint64(b, number)
	}
	return append(b, n.TradeID[:]...)
}

// DecodeNative reads the form of [Native.Bytes], and only valid records. Its error is [CodeNative].
func DecodeNative(b []byte) (Native, error) {
	if len(b) != nativeSize || string(b[:len(nativeTag)]) != nativeTag {
		return Native{}, refuse(CodeNative, "not a native record of %d bytes with tag %s", nativeSize, nativeTag)
	}
	b = b[len(nativeTag):]
	take := func(n int) []byte {
		field := b[:n]
		b = b[n:]
		return field
	}
	number := func() uint64 { return binary.BigEndian.Uint64(take(8)) }
	var n Native
	copy(n.Meter[:], take(len(n.Meter)))
	copy(n.Register[:], take(len(n.Register)))
	n.Direction, n.Form = Direction(take(1)[0]), NativeForm(take(1)[0])
	n.From, n.Until = int64(number()), int64(number())
	n.Page, n.Start, n.End = number(), number(), number()
	copy(n.TradeID[:], take(len(n.TradeID)))
	if err := n.Validate(); err != nil {
		return Native{}, err
	}
	return n, nil
}

// nativeHeader begins the text form; base64 (URL alphabet, no padding) of record and signature follows.
const nativeHeader = "lockstep-reading-v1:"

// String is the text form, one line.
func (s *SignedNative) String() string {
	return nativeHeader + base64.RawURLEncoding.EncodeToString(append(s.Bytes(), s.Signature[:]...))
}

// ParseNative reads the form of [SignedNative.String], with white space around it. Its error is [CodeNative]; the
// signature is left to [SignedNative.CheckSignature].
func ParseNative(text []byte) (SignedNative, error) {
	var s SignedNative
	body, ok := bytes.CutPrefix(bytes.Trim(text, " \t\r\n"), []byte(nativeHeader))
	// The exact length also rules out line ends, which Go's decoder would skip.
	const size = nativeSize + len(s.Signature)
	if !ok || len(body) != base64.RawURLEncoding.EncodedLen(size) {
		return s, refuse(CodeNative, "not a native record: it begins with %s and has %d bytes in base64", nativeHeader, size)
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(string(body))
	if err != nil || len(raw) != size {
		return s, refuse(CodeNative, "a native record that is not base64")
	}
	if s.Native, err = DecodeNative(raw[:nativeSize]); err != nil {
		return SignedNative{}, err
	}
	copy(s.Signature[:], raw[nativeSize:])
	return s, nil
}

// CheckSignature returns nil if the meter that the record names signed it, else a [CodeSignature] error.
func (s *SignedNative) CheckSignature(verify VerifyEd25519) error {
	if !verify(s.Meter, s.Bytes(), s.Signature[:]) {
		return refuse(CodeSignature, "the record was not signed by its meter, or was changed since")
	}
	return nil
}

// native is the context of pages of native records, beside T and F.
const native = 'N'

// PageID identifies the record's page of its meter, for "each page counts once".
func (n *Native) PageID() [32]byte { return pageID(n.Meter[:], Page{Context: native, Number: n.Page}) }

// Hash is the SHA-256 of the record as it is signed.
func (n *Native) Hash() [32]byte { return sha256.Sum256(n.Bytes()) }

// VerifyNative is [Verify] for native records in their text form. Beside the rules of the package comment, intervals of
// one register must not overlap: these records have a clock to go by.
func VerifyNative(key [32]byte, verify VerifyEd25519, lines [][]byte) Report {
	report := Report{Records: make([]RecordReport, len(lines))}
	pages := make([]*sequencePage, len(lines))
	records := make([]*Native, 0, len(lines))
	var unsigned error
	for i, line := range lines {
		record, entry, err := verifyNativeRecord(key, verify, line)
		if err != nil && unsigned == nil {
			unsigned = fmt.Errorf("record %d: %w", i+1, err)
		}
		if report.Records[i] = entry; record != nil {
			pages[i] = record.sequencePage()
			records = append(records, record)
		}
	}
	var order, quantity error
	report.Sequence, order = judgeSequence(pages)
	if unsigned == nil {
		quantity = report.fill(measureNative(records))
	}
	report.conclude(unsigned, order, quantity)
	return report
}

// verifyNativeRecord returns a nil record if it is unreadable, and as its error why the signature is not valid.
func verifyNativeRecord(key [32]byte, verify VerifyEd25519, line []byte) (*Native, RecordReport, error) {
	record, err := ParseNative(line)
	if err != nil {
		report := RecordReport{Signature: SignatureUnreadable}
		report.Code, report.Why = explain(err)
		return nil, report, err
	}
	hash := record.Hash()
	report := RecordReport{
		Signature: SignatureValid, Usable: true,
		Page: Page{Context: native, Number: record.Page}.String(), Hash: hex.EncodeToString(hash[:]),
	}
	if err = record.CheckSignature(verify); err == nil && record.Meter != key {
		err = refuse(CodeSignature, "the record is signed by another meter, %x", record.Meter)
	}
	if err != nil {
		report.Signature, report.Usable = SignatureInvalid, false
		report.Code, report.Why = explain(err)
	}
	return &record.Native, report, err
}

func (n *Native) sequencePage() *sequencePage {
	s := span{register: n.Register.String(), from: n.From, until: n.Until}
	if n.Form == FormReadings {
		s.read, s.first, s.last = true, wattHours(n.Start), wattHours(n.End)
	}
	return &sequencePage{
		page:   Page{Context: native, Number: n.Page},
		source: hex.EncodeToString(n.Meter[:]),
		spans:  []span{s},
	}
}

func measureNative(records []*Native) (*Measurement, error) {
	if len(records) == 0 {
		return nil, refuse(CodeEmpty, "there is no record")
	}
	m := new(Measurement)
	seen := make(map[uint64]bool)
	for _, n := range records {
		if seen[n.Page] {
			continue
		}
		seen[n.Page] = true
		register := parseRegister(n.Register.String())
		register.Energy, register.Direction = true, n.Direction
		i := slices.IndexFunc(m.Registers, func(t RegisterTotal) bool { return t.Register == register })
		if i < 0 {
			i = len(m.Registers)
			m.Registers = append(m.Registers, RegisterTotal{
				Register: register, From: n.From, Until: n.Until,
				Clock: ClockSynchronised, TimeUsable: true, // a gateway that can't tell the time doesn't sign
			})
		}
		t := &m.Registers[i]
		t.Wh = t.Wh.Add(wattHours(n.Quantity()))
		t.From, t.Until = min(t.From, n.From), max(t.Until, n.Until)
	}
	return m, nil
}
