package receipt

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// A line is a name, values and a sum, with one blank between each two.

const sumDigits = 8

func sumOf(line string) string {
	sum := sha256.Sum256([]byte(line))
	return hex.EncodeToString(sum[:sumDigits/2])
}

// writeLine appends a line.
func writeLine(text *strings.Builder, name string, values ...string) {
	line := strings.Join(append([]string{name}, values...), " ")
	fmt.Fprintf(text, "%s %s\n", line, sumOf(line))
}

// lines reads a file line by line.
type lines struct {
	rest   string
	number int
}

// more reports whether lines are left.
func (l *lines) more() bool { return l.rest != "" }

// next returns the values of the next line, which must have a name and so many values.
func (l *lines) next(name string, count int) ([]string, error) {
	l.number++
	line, rest, ended := strings.Cut(l.rest, "\n")
	if !ended {
		return nil, &PartError{name, fmt.Errorf("line %d is missing or cut short", l.number)}
	}
	l.rest = rest
	if l.number == 1 && !strings.HasPrefix(line, name+" ") {
		return nil, &PartError{name, fmt.Errorf("the file is none: it does not begin with %q", name)}
	}
	at := strings.LastIndexByte(line, ' ')
	if at < 0 || sumOf(line[:at]) != line[at+1:] {
		return nil, &PartError{name, fmt.Errorf("line %d was changed: its sum is not that of its content", l.number)}
	}
	values := strings.Split(line[:at], " ")
	if !strings.HasPrefix(line, name+" ") {
		return nil, &PartError{name, fmt.Errorf("line %d is %.20q", l.number, line)}
	}
	values = values[len(strings.Split(name, " ")):]
	if len(values) != count {
		return nil, &PartError{name, fmt.Errorf("line %d has %d values, not %d", l.number, len(values), count)}
	}
	return values, nil
}

// PartError is the fault of a part.
type PartError struct {
	Part string
	Err  error
}

func (e *PartError) Error() string { return e.Part + ": " + e.Err.Error() }

// Unwrap returns the fault.
func (e *PartError) Unwrap() error { return e.Err }

func encode(content []byte) string { return base64.RawStdEncoding.EncodeToString(content) }

// decode reads the one encoding of bytes.
func decode(name, text string) ([]byte, error) {
	content, err := base64.RawStdEncoding.Strict().DecodeString(text)
	if err != nil || encode(content) != text {
		return nil, &PartError{name, fmt.Errorf("%.20q is not base64", text)}
	}
	return content, nil
}

func decodeHash(name, text string) (hash [32]byte, err error) {
	content, err := decode(name, text)
	if err == nil && len(content) != len(hash) {
		err = &PartError{name, fmt.Errorf("%d bytes are no hash", len(content))}
	}
	copy(hash[:], content)
	return hash, err
}

func decodeNumber(name, text string) (uint64, error) {
	number, err := strconv.ParseUint(text, 10, 63)
	if err != nil || strconv.FormatUint(number, 10) != text {
		return 0, &PartError{name, fmt.Errorf("%.20q is not a number", text)}
	}
	return number, nil
}
