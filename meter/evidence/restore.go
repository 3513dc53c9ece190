package evidence

import (
	"bytes"
	"encoding/json"
	"strings"

	"lockstep/meter"
)

// restored is a form of a record over which its signature may be valid, and the notes that say what was restored.
type restored struct {
	line  []byte
	notes []Verdict
}

// forms returns the forms of a record to try, the one of the file first. Only bytes outside the signed payload are restored, and the
// line ends within it, which editors, mail and XML convert.
func forms(place string, line []byte, key meter.Key) []restored {
	all := []restored{{line: line, notes: algorithmNote(place, line)}}
	payload, section, err := meter.CutOCMF(line)
	if err != nil {
		return all
	}
	payloads := [][]byte{payload}
	if bytes.ContainsRune(payload, '\n') {
		unix := bytes.ReplaceAll(payload, []byte("\r\n"), []byte("\n"))
		for _, other := range [][]byte{unix, bytes.ReplaceAll(unix, []byte("\n"), []byte("\r\n"))} {
			if !bytes.Equal(other, payload) {
				payloads = append(payloads, other)
			}
		}
	}
	sections := []restored{{line: section, notes: algorithmNote(place, line)}}
	if other, note, ok := withAlgorithm(place, section, key); ok {
		sections = append(sections, restored{line: other, notes: []Verdict{note}})
	}
	for i, p := range payloads {
		for j, s := range sections {
			if i == 0 && j == 0 {
				continue
			}
			form := restored{line: bytes.Join([][]byte{[]byte(ocmfHeader), p, []byte("|"), s.line}, nil), notes: s.notes}
			if i > 0 {
				form.notes = append(form.notes[:len(form.notes):len(form.notes)], noted(CheckSignature, CodeLineEnds,
					"%s: the line ends within the signed text were changed on the way; with those that were signed the signature is valid", place))
			}
			all = append(all, form)
		}
	}
	return all
}

// algorithmNote notes a record without an SA field.
func algorithmNote(place string, line []byte) []Verdict {
	_, section, err := meter.CutOCMF(line)
	if err != nil {
		return nil
	}
	tree, err := parseJSON(section)
	if err != nil || tree.member("SA") != nil {
		return nil
	}
	return []Verdict{noted(CheckSignature, CodeNoSA, "%s names no signature algorithm (SA): it is read as the standard's default, %s", place, standardSA(meter.Secp256r1))}
}

// withAlgorithm returns the signature section with the algorithm of the key's curve, for a record that names none, or the same one
// in another spelling. The section is not signed, so a signature that is valid then is evidence.
func withAlgorithm(place string, section []byte, key meter.Key) (other []byte, note Verdict, ok bool) {
	tree, err := parseJSON(section)
	if err != nil || key.Curve() == 0 && tree.member("SA") == nil {
		return nil, note, false
	}
	curve := key.Curve()
	wanted := standardSA(curve)
	if sa := tree.member("SA"); sa != nil {
		named := curveNamed(sa.str())
		if named == 0 || curve != 0 && named != curve || sa.str() == standardSA(named) {
			return nil, note, false
		}
		wanted = standardSA(named)
		note = noted(CheckSignature, CodeSAName, "%s names the signature algorithm %.40q, which is read as %s", place, sa.str(), wanted)
	} else {
		note = noted(CheckSignature, CodeNoSA, "%s names no signature algorithm (SA): on the key's curve, %s, the signature is valid", place, curve)
	}
	text, _ := json.Marshal(wanted)
	members := []string{`"SA":` + string(text)}
	for i, name := range tree.names {
		if name != "SA" {
			quoted, _ := json.Marshal(name)
			members = append(members, string(quoted)+":"+tree.items[i].encode())
		}
	}
	return []byte("{" + strings.Join(members, ",") + "}"), note, true
}
