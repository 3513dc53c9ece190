package evidence

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// readXML reads the container of the transparency software: values with a signedData and, if the station is kind, a publicKey each.
// Values of one transaction are one session; those that name none are one together.
func readXML(text []byte, w *wrapper, depth int) ([]Session, error) {
	decoder := xml.NewDecoder(bytes.NewReader(text))
	decoder.CharsetReader = latin
	decoder.Strict = true
	x := &xmlReader{w: w, depth: depth}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, refuse(CodeFile, "not XML: %v", err)
		}
		if err := x.take(token); err != nil {
			return nil, err
		}
	}
	if x.count == 0 {
		return nil, refuse(CodeNoRecord, "the XML has no signedData")
	}
	return x.sessions, nil
}

// An xmlReader follows the elements of a container.
type xmlReader struct {
	w        *wrapper
	depth    int
	sessions []Session
	count    int

	open        int // elements
	transaction string
	context     string
	inData      bool
	inKey       bool
	format      string
	data, key   strings.Builder
	hasData     bool
}

func (x *xmlReader) take(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		if x.open++; x.open > maxDepth {
			return refuse(CodeFile, "XML nested deeper than %d levels", maxDepth)
		}
		x.begin(t)
	case xml.CharData:
		if x.inData {
			x.data.Write(t)
		}
		if x.inKey {
			x.key.Write(t)
		}
	case xml.EndElement:
		x.open--
		switch strings.ToLower(t.Name.Local) {
		case "signeddata", "encodeddata":
			x.inData = false
		case "publickey":
			x.inKey = false
		case "value":
			return x.end()
		}
	}
	return nil
}

func (x *xmlReader) begin(t xml.StartElement) {
	attribute := func(name string) string {
		for _, a := range t.Attr {
			if strings.EqualFold(a.Name.Local, name) {
				return strings.TrimSpace(a.Value)
			}
		}
		return ""
	}
	switch strings.ToLower(t.Name.Local) {
	case "value", "values":
		x.transaction, x.context = attribute("transactionId"), attribute("context")
		x.hasData, x.format = false, ""
		x.data.Reset()
		x.key.Reset()
	case "signeddata", "encodeddata":
		x.inData, x.hasData = true, true
		x.format = attribute("format")
		if x.transaction == "" {
			x.transaction = attribute("transactionId")
		}
	case "publickey":
		x.inKey = true
	}
}

func (x *xmlReader) end() error {
	if !x.hasData {
		return nil
	}
	if x.count++; x.count > MaxRecords {
		return refuse(CodeFile, "more than %d values", MaxRecords)
	}
	place := fmt.Sprintf("value %d", x.count)
	if x.context != "" {
		place += " (" + short(x.context) + ")"
	}
	key := strings.TrimSpace(x.key.String())
	found := x.w.unwrap(x.data.String(), key, x.depth)
	if len(found) == 0 {
		fault := refuse(CodeEncoding, "its signedData is no record in OCMF")
		if x.format != "" && !strings.EqualFold(x.format, "OCMF") {
			fault = refuse(CodeEncoding, "its signedData is in the format %.40q: only OCMF can be judged here", x.format)
		}
		found = []Record{{Key: key, Fault: fault}}
	}
	s := sessionOf(&x.sessions, x.transaction)
	for _, record := range found {
		record.Place = place
		s.Records = append(s.Records, record)
	}
	x.hasData = false
	return nil
}

// sessionOf returns the session with the id, and appends it if there is none.
func sessionOf(sessions *[]Session, id string) *Session {
	list := *sessions
	for i := range list {
		if list[i].ID == id {
			return &list[i]
		}
	}
	*sessions = append(list, Session{ID: id})
	return &(*sessions)[len(list)]
}

// latin reads the encodings that containers name: UTF-8 and its subset ASCII, and ISO 8859-1.
func latin(charset string, input io.Reader) (io.Reader, error) {
	switch strings.ToLower(charset) {
	case "utf-8", "utf8", "us-ascii", "ascii":
		return input, nil
	case "iso-8859-1", "latin1", "windows-1252", "iso-8859-15":
		text, err := io.ReadAll(io.LimitReader(input, MaxFile+1))
		if err != nil {
			return nil, err
		}
		var out strings.Builder
		for _, b := range text {
			out.WriteRune(rune(b))
		}
		return strings.NewReader(out.String()), nil
	}
	return nil, refuse(CodeFile, "XML in the encoding %.40q: save it as UTF-8", charset)
}

// short cuts a text from a file for an error.
func short(text string) string { return fmt.Sprintf("%.40s", text) }
