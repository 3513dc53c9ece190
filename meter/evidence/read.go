package evidence

import (
	"bytes"
	"fmt"
	"strings"

	"lockstep/meter"
)

// Read recognises a file by its content and takes its charging sessions out. A record that can't be read stays in its session with
// its fault, so that the others are judged all the same. Errors are of type [*meter.Error]: [CodeFile], [CodeNoRecord],
// [CodeEncoding].
func Read(file []byte) (*File, error) {
	if len(file) > MaxFile {
		return nil, refuse(CodeFile, "a file of %d bytes; the limit is %d: divide it", len(file), MaxFile)
	}
	f := &File{}
	w := &wrapper{}
	err := f.read(file, w, 0)
	if err != nil {
		return nil, err
	}
	if w.marks || bytes.HasPrefix(file, []byte(mark)) {
		f.Notes = append(f.Notes, noted(CheckFile, CodeMark, "a byte order mark (U+FEFF) in front of the text was left out: it is no part of what a meter signs"))
	}
	if bytes.Contains(file, []byte("\r\n")) {
		f.Notes = append(f.Notes, noted(CheckFile, CodeLineEnds, "the lines end in CRLF: line ends between records are no part of them"))
	}
	records, effort := 0, newEffort()
	for i := range f.Sessions {
		f.Sessions[i].effort = effort
		records += len(f.Sessions[i].Records)
	}
	switch {
	case records == 0:
		return nil, refuse(CodeNoRecord, "the file has no signed record")
	case records > MaxRecords:
		return nil, refuse(CodeFile, "the file has %d signed records; the limit is %d: divide it", records, MaxRecords)
	}
	return f, nil
}

func (f *File) read(file []byte, w *wrapper, depth int) (err error) {
	text := bytes.TrimLeft(file, "\ufeff \t\r\n")
	switch {
	case len(text) == 0:
		return refuse(CodeNoRecord, "the file is empty")
	case bytes.HasPrefix(text, []byte(ocmfHeader)):
		f.Format = FormatOCMF
		f.plain(text)
		return nil
	case text[0] == '<':
		f.Format = FormatXML
		f.Sessions, err = readXML(text, w, 0)
		return err
	}
	if depth < maxWrappings && text[0] != '{' && text[0] != '[' {
		if inner, ok := decode(string(text)); ok {
			if err := f.read(inner, w, depth+1); err == nil {
				return nil
			}
		}
	}
	return f.readMessages(text, w)
}

func (f *File) plain(text []byte) {
	s := Session{}
	for i, line := range meter.SplitRecords(text) {
		s.Records = append(s.Records, Record{Place: fmt.Sprintf("record %d", i+1), OCMF: line})
	}
	f.Sessions = []Session{s}
}

// readMessages reads a file of JSON, or with JSON in it.
func (f *File) readMessages(text []byte, w *wrapper) error {
	trees, broken, err := messages(text)
	if err != nil {
		return err
	}
	if broken > 0 {
		f.Notes = append(f.Notes, noted(CheckFile, CodeFile, "%d line(s) with broken JSON were left out", broken))
	}
	var records []*node
	for _, tree := range trees {
		records = append(records, cdrs(tree)...)
	}
	if len(records) > 0 {
		f.Format = FormatOCPI
		return f.readCDRs(records, w)
	}
	l := &log{w: w, named: map[string]*transaction{}, starts: map[string]*start{}}
	ocpp := false
	for _, tree := range trees {
		ocpp = ocpp || tree.has("sampledValue") || isCall(tree)
		l.walk(tree, scene{})
	}
	if sessions, err := l.finish(); err == nil || ocpp {
		f.Format, f.Sessions = FormatOCPP, sessions
		return err
	}
	if found, _ := w.records(string(text)); len(found) > 0 { // a record as JSON, or in it
		f.Format = FormatOCMF
		for i := range found {
			found[i].Place = fmt.Sprintf("record %d", i+1)
		}
		f.Sessions = []Session{{Records: found}}
		return nil
	}
	return unknown(text)
}

// isCall tells whether a tree is a message of OCPP-J.
func isCall(tree *node) bool {
	return len(tree.list()) >= 3 && tree.items[0].kind == 'n' && tree.items[1].kind == 's'
}

// unknown says why a text is no evidence.
func unknown(text []byte) error {
	if name, advice := meter.Container(text); name != "" {
		return refuse(CodeFile, "the file is %s, which has no signed record of a charging session: %s", name, advice)
	}
	return refuse(CodeFile, "the file begins with %.40q, and is neither a charge detail record of OCPI, a log of OCPP, a container of the "+
		"transparency software, nor OCMF", text)
}

// readCDRs reads each charge detail record. One without signed data is left out as long as another one has some.
func (f *File) readCDRs(records []*node, w *wrapper) error {
	var without error
	for i, record := range records {
		session, err := readCDR(record, w)
		if e, ok := err.(*meter.Error); ok && e.Code == CodeNoRecord { //nolint:errorlint // readCDR returns it bare
			if without == nil {
				without = err
			}
			f.Notes = append(f.Notes, noted(CheckFile, CodeNoRecord, "left out: %s", e.Why))
			continue
		}
		if err != nil {
			return err
		}
		if session.ID == "" && len(records) > 1 {
			session.ID = fmt.Sprintf("record %d", i+1)
		}
		f.Sessions = append(f.Sessions, session)
	}
	if len(f.Sessions) == 0 {
		return without
	}
	return nil
}

func verdict(check Check, state State, code meter.Code, format string, args ...any) Verdict {
	return Verdict{Check: check, State: state, Code: code, Why: strings.TrimSpace(fmt.Sprintf(format, args...))}
}

func noted(check Check, code meter.Code, format string, args ...any) Verdict {
	return verdict(check, Noted, code, format, args...)
}

func agrees(check Check, format string, args ...any) Verdict {
	return verdict(check, Agrees, "", format, args...)
}

func disagrees(check Check, code meter.Code, format string, args ...any) Verdict {
	return verdict(check, Disagrees, code, format, args...)
}
