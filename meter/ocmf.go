package meter

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"strings"
)

// MaxRecord bounds an OCMF record, in bytes. The longest we know of has 2,800.
const MaxRecord = 8 << 10

// A Record is one OCMF record taken apart. Nothing in it is proven before [Record.CheckSignature].
type Record struct {
	Signed    []byte // the payload section byte by byte, which is what the signature covers
	Payload   Payload
	Signature Signature
}

// A Signature is the signature section (standard, table 8).
type Signature struct {
	Curve Curve  // from SA
	Bytes []byte // SD, decoded
	DER   bool   // SM says that it is DER; if SM is absent it may be r and s side by side
}

// ParseOCMF reads a record, which may have white space around it. Its errors are [CodeRecordSize], [CodeRecordForm],
// [CodeJSON] and [CodeSignatureSection]. Faults of the readings are no errors here, since they don't keep the signature
// from being judged: see [Payload.Fault].
func ParseOCMF(text []byte) (*Record, error) {
	text = bytes.Trim(text, " \t\r\n")
	if len(text) > MaxRecord {
		return nil, refuse(CodeRecordSize, "a record of %d bytes; the limit is %d", len(text), MaxRecord)
	}
	s, err := cutSections(text)
	if err != nil {
		return nil, err
	}
	if s.end != len(text) {
		return nil, refuse(CodeRecordForm, "%d bytes follow the signature section", len(text)-s.end)
	}
	signature, err := parseSignature(&s.signature)
	if err != nil {
		return nil, err
	}
	return &Record{Signed: s.signed, Payload: parsePayload(&s.payload), Signature: signature}, nil
}

type sections struct {
	signed             []byte
	payload, signature jsonValue
	end                int // behind the signature section
}

const ocmfHeader = "OCMF|"

// cutSections finds the sections at the front of text. The standard forbids '|' inside them, but nothing keeps a meter
// from signing an identification that has one; so the payload ends where its JSON ends.
func cutSections(text []byte) (sections, error) {
	var s sections
	if !bytes.HasPrefix(text, []byte(ocmfHeader)) {
		header, _, _ := bytes.Cut(text[:min(len(text), 16)], []byte("|"))
		return s, refuse(CodeRecordForm, "the header is %.16q and must be OCMF", header)
	}
	r := jsonReader{src: text, at: len(ocmfHeader)}
	var err error
	if s.payload, err = r.object(); err != nil {
		return s, err
	}
	if r.next() != '|' {
		return s, refuse(CodeRecordForm, "no signature section follows the payload")
	}
	s.signed = text[len(ocmfHeader):r.at]
	r.at++
	if s.signature, err = r.object(); err != nil {
		return s, err
	}
	s.end = r.at
	return s, nil
}

// CutOCMF returns the payload of a record, which is the text that is signed, and its signature section, which is not. Neither is read:
// it is for a caller that restores a record which transport changed. Its errors are [CodeRecordForm] and [CodeJSON].
func CutOCMF(text []byte) (payload, signature []byte, err error) {
	text = bytes.Trim(text, " \t\r\n")
	s, err := cutSections(text)
	if err != nil {
		return nil, nil, err
	}
	if s.end != len(text) {
		return nil, nil, refuse(CodeRecordForm, "%d bytes follow the signature section", len(text)-s.end)
	}
	return s.signed, text[len(ocmfHeader)+len(s.signed)+1:], nil
}

// SplitRecords cuts a file into records: one a line, blank lines left out, and a byte order mark in front of a record too,
// since files with one are put together. A record that was pretty-printed over several lines is kept in one piece, because
// its line ends are part of the signed text.
func SplitRecords(file []byte) [][]byte {
	var records [][]byte
	for file = trimSpaceLeft(file); len(file) > 0; file = trimSpaceLeft(file) {
		end := 0
		// No record is longer than the limit, so neither is the search for its end.
		if s, err := cutSections(file[:min(len(file), MaxRecord)]); err == nil {
			end = s.end
		}
		if i := bytes.IndexByte(file[end:], '\n'); i >= 0 {
			end += i
		} else {
			end = len(file)
		}
		records = append(records, bytes.TrimRight(file[:end], " \t\r\n"))
		file = file[end:]
	}
	return records
}

func trimSpaceLeft(b []byte) []byte { return bytes.TrimLeft(b, "\ufeff \t\r\n") }

func parseSignature(section *jsonValue) (Signature, error) {
	fields := map[string]string{
		"SA": "ECDSA-secp256r1-SHA256", // the defaults of table 8 and, for SA, of table 22
		"SE": "hex",
		"SM": "",
		"SD": "",
	}
	for _, name := range []string{"SA", "SE", "SM", "SD"} {
		if v, ok := section.member(name); ok {
			if v.kind != jsonString {
				return Signature{}, refuse(CodeSignatureSection, "%s is %v and must be a string", name, v.kind)
			}
			fields[name] = v.text
		} else if name == "SD" {
			return Signature{}, refuse(CodeSignatureSection, "no signature data (SD)")
		}
	}
	s := Signature{Curve: curveOfAlgorithm(fields["SA"]), DER: fields["SM"] != ""}
	if s.Curve == 0 {
		return s, refuse(CodeSignatureSection, "signature algorithm %.60q is none of the standard's", fields["SA"])
	}
	if s.DER && fields["SM"] != "application/x-der" {
		return s, refuse(CodeSignatureSection, "signature type %.60q is not application/x-der", fields["SM"])
	}
	var err error
	switch fields["SE"] {
	case "hex":
		s.Bytes, err = hex.DecodeString(fields["SD"])
	case "base64":
		if strings.ContainsAny(fields["SD"], "\r\n") { // Go's decoder would skip them
			return s, refuse(CodeSignatureSection, "line ends in the signature data")
		}
		s.Bytes, err = base64.StdEncoding.Strict().DecodeString(fields["SD"])
	default:
		return s, refuse(CodeSignatureSection, "signature encoding %.20q is neither hex nor base64", fields["SE"])
	}
	if err != nil {
		return s, refuse(CodeSignatureSection, "the signature data is not %s", fields["SE"])
	}
	return s, nil
}

// curveOfAlgorithm is the curve that an SA names (standard, table 22), or 0. Brainpool curves are read as the standard
// spells them, without the P, and as RFC 5639 and the field do.
func curveOfAlgorithm(sa string) Curve {
	name, ok := strings.CutPrefix(sa, "ECDSA-")
	if !ok {
		return 0
	}
	if name, ok = strings.CutSuffix(name, "-SHA256"); !ok {
		return 0
	}
	for _, c := range curves() {
		if own := c.String(); name == own || name == strings.Replace(own, "brainpoolP", "brainpool", 1) {
			return c
		}
	}
	return 0
}

// scalars are r and s. A signature of exactly twice the curve's size is r and s side by side, as some meters write it;
// DER of that length needs an r or s that is shorter by eight bytes, which no honest meter meets. The rule is one and
// the same on each node, which is the point.
func (s *Signature) scalars() (r, t *big.Int, err error) {
	if size := s.Curve.size(); !s.DER && len(s.Bytes) == 2*size {
		return new(big.Int).SetBytes(s.Bytes[:size]), new(big.Int).SetBytes(s.Bytes[size:]), nil
	}
	return parseDERSignature(s.Bytes)
}

// CheckSignature returns nil if the record's payload was signed by the key. Otherwise its error is [CodeCurve],
// [CodeKeyPoint], [CodeSignatureForm], [CodeNotCanonical], [CodeSignatureRange] or [CodeSignature].
func (r *Record) CheckSignature(key Key) error {
	key, err := key.On(r.Signature.Curve)
	if err != nil {
		return err
	}
	a, b, err := r.Signature.scalars()
	if err != nil {
		return err
	}
	if g := newGroup(key.curve); !g.inRange(a) || !g.inRange(b) {
		return refuse(CodeSignatureRange, "r or s is not between 1 and the order of %v", key.curve)
	}
	digest := sha256.Sum256(r.Signed)
	if !verifyECDSA(key.curve, key.point, digest[:], a, b) {
		return refuse(CodeSignature, "the payload was not signed by this key, or was changed since")
	}
	return nil
}

// PageID identifies the record's page of the key's meter, for "each page counts once". It is the same for each form
// that key and record come in. The error is that of [Payload.PageFault] or [Key.On].
func (r *Record) PageID(key Key) ([32]byte, error) {
	if err := r.Payload.PageFault; err != nil {
		return [32]byte{}, err
	}
	key, err := key.On(r.Signature.Curve)
	if err != nil {
		return [32]byte{}, err
	}
	return pageID(key.SPKI(), r.Payload.Page), nil
}

// Hash is the SHA-256 of the signed payload.
func (r *Record) Hash() [32]byte { return sha256.Sum256(r.Signed) }
