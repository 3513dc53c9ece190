package evidence

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"lockstep/meter"
)

const (
	ocmfHeader = "OCMF|"
	mark       = "\ufeff"
)

// maxWrappings bounds how often a text may be wrapped. Base64 of JSON of base64 of a record is 3.
const maxWrappings = 6

// A wrapper takes signed records out of the texts that carry them.
type wrapper struct {
	marks   bool   // a byte order mark was in front of one of them
	foreign string // the last form that it found and can't read
}

// records returns the records in a text: OCMF itself, or in base64, hex, JSON or XML, and these in each other. The error has code
// [CodeEncoding].
func (w *wrapper) records(text string) ([]Record, *meter.Error) {
	w.foreign = ""
	found := w.unwrap(text, "", 0)
	if len(found) > 0 {
		return found, nil
	}
	if w.foreign != "" {
		return nil, refuse(CodeEncoding, "it holds %s and no record in OCMF, which is the one form of signed data that can be judged here", w.foreign)
	}
	return nil, refuse(CodeEncoding, "%.40q is no record in OCMF, neither itself nor in base64, hex, JSON or XML", text)
}

func (w *wrapper) unwrap(text, key string, depth int) []Record {
	for trimmed := ""; trimmed != text; { // marks and spaces may alternate
		if trimmed = text; strings.HasPrefix(text, mark) {
			w.marks = true
		}
		text = strings.TrimSpace(strings.TrimPrefix(text, mark))
	}
	switch {
	case text == "" || depth > maxWrappings:
		return nil
	case strings.HasPrefix(text, ocmfHeader):
		var found []Record
		for _, line := range meter.SplitRecords([]byte(text)) {
			found = append(found, Record{OCMF: line, Key: key})
		}
		return found
	case text[0] == '<':
		return w.xml(text, key, depth)
	case text[0] == '{' || text[0] == '[' || text[0] == '"':
		return w.json(text, key, depth)
	}
	if inner, ok := decode(text); ok {
		return w.unwrap(string(inner), key, depth+1)
	}
	if name, _ := meter.Container([]byte(text)); name != "" {
		w.foreign = name
	}
	return nil
}

func (w *wrapper) xml(text, key string, depth int) []Record {
	file, err := readXML([]byte(text), w, depth+1)
	if err != nil {
		return nil
	}
	var found []Record
	for _, session := range file {
		for _, record := range session.Records {
			if record.Fault == nil {
				if record.Key == "" {
					record.Key = key
				}
				found = append(found, record)
			}
		}
	}
	return found
}

// json takes the records out of a JSON string, or of an object with one of the names that carry them.
func (w *wrapper) json(text, key string, depth int) []Record {
	tree, err := parseJSON([]byte(text))
	if err != nil {
		return nil
	}
	var found []Record
	tree.walk(func(n *node) {
		if n == tree && n.kind == 's' {
			found = append(found, w.unwrap(n.text, key, depth+1)...)
		}
		own := key
		for _, name := range []string{"publicKey", "public_key"} {
			if text := keyOf(n.member(name)); text != "" {
				own = text
			}
		}
		for _, name := range []string{"signedMeterData", "signed_data", "signedData", "SignedMeterData"} {
			if m := n.member(name); m != nil && m.kind == 's' {
				found = append(found, w.unwrap(m.text, own, depth+1)...)
			}
		}
	})
	return found
}

// decode reads base64 of either alphabet, with or without padding, or hex. White space in it is left out.
func decode(text string) ([]byte, bool) {
	body := strings.Join(strings.Fields(text), "")
	if len(body) > 1 && (body[:2] == "0x" || body[:2] == "0X") {
		body = body[2:]
	}
	if raw, err := hex.DecodeString(body); err == nil && len(raw) > 0 {
		return raw, true
	}
	body = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(body, "="))
	raw, err := base64.RawStdEncoding.DecodeString(body)
	return raw, err == nil && len(raw) > 0
}

// payloadOf is the payload that a plain_data states: the payload's JSON, with or without the header, a whole record, or one of these
// in base64 or in a JSON string. ok is false for any other text.
func payloadOf(text string, depth int) (payload []byte, ok bool) {
	text = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(text), mark))
	switch {
	case text == "" || depth > maxWrappings:
		return nil, false
	case strings.HasPrefix(text, ocmfHeader):
		if payload, _, err := meter.CutOCMF([]byte(text)); err == nil {
			return payload, true
		}
		body := strings.TrimRight(strings.TrimPrefix(text, ocmfHeader), "|")
		_, err := parseJSON([]byte(body))
		return []byte(body), err == nil
	case text[0] == '{':
		_, err := parseJSON([]byte(text))
		return []byte(text), err == nil
	case text[0] == '"':
		tree, err := parseJSON([]byte(text))
		if err != nil {
			return nil, false
		}
		return payloadOf(tree.text, depth+1)
	}
	if inner, ok := decode(text); ok && (bytes.HasPrefix(inner, []byte(ocmfHeader)) || bytes.HasPrefix(bytes.TrimSpace(inner), []byte("{"))) {
		return payloadOf(string(inner), depth+1)
	}
	return nil, false
}

// signatureSection is the signature section of a record in a text, itself or in base64, hex or a JSON string; ok is false for any
// other text.
func signatureSection(text string, depth int) (section string, ok bool) {
	text = strings.TrimLeft(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(text), mark)), "|")
	if text == "" || depth > maxWrappings {
		return "", false
	}
	if text[0] == '{' || text[0] == '"' {
		tree, err := parseJSON([]byte(text))
		switch {
		case err != nil:
			return "", false
		case tree.kind == 's':
			return signatureSection(tree.text, depth+1)
		}
		return text, tree.member("SD") != nil
	}
	if inner, decoded := decode(text); decoded {
		return signatureSection(string(inner), depth+1)
	}
	return "", false
}
