package meter

import (
	"unicode/utf16"
	"unicode/utf8"
)

// The payload is read by a JSON reader of ours and not by encoding/json for three reasons. We must know where the
// payload ends, which only a scanner of its strings can tell if one contains '|'. A key given twice must be refused,
// since two readers that pick different ones would bill different sums. And acceptance by nodes must not change with a
// release of Go.

type jsonKind uint8

const (
	jsonNull jsonKind = iota
	jsonBool
	jsonNumber
	jsonString
	jsonArray
	jsonObject
)

func (k jsonKind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "an array", "an object"}[k]
}

// maxJSONDepth bounds recursion. The standard's payload is three deep: object, readings, reading; vendors add one or
// two.
const maxJSONDepth = 8

// jsonValue is a JSON value with its numbers kept as written.
type jsonValue struct {
	kind  jsonKind
	text  string      // of a string: decoded; of a number or boolean: as written
	items []jsonValue // of an array, or the values of an object in the order of names
	names []string    // of an object, each only once
}

// member is the named value of an object; false if it is absent or null, which the standard does not tell apart.
func (v *jsonValue) member(name string) (*jsonValue, bool) {
	for i, n := range v.names {
		if n == name {
			return &v.items[i], v.items[i].kind != jsonNull
		}
	}
	return nil, false
}

// jsonReader reads strict JSON (RFC 8259) from src, from at on.
type jsonReader struct {
	src []byte
	at  int
}

func (r *jsonReader) fail(what string) error {
	return refuse(CodeJSON, "%s at byte %d", what, r.at)
}

func (r *jsonReader) skipSpace() {
	for r.at < len(r.src) && isSpace(r.src[r.at]) {
		r.at++
	}
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }

// next skips white space and returns the byte that follows, 0 at the end. A NUL is nowhere legal, so 0 is not
// ambiguous.
func (r *jsonReader) next() byte {
	r.skipSpace()
	if r.at == len(r.src) {
		return 0
	}
	return r.src[r.at]
}

// object reads an object and leaves the reader behind it.
func (r *jsonReader) object() (jsonValue, error) {
	if r.next() != '{' {
		return jsonValue{}, r.fail("no object begins")
	}
	return r.value(0)
}

func (r *jsonReader) value(depth int) (jsonValue, error) {
	switch c := r.next(); {
	case (c == '{' || c == '[') && depth == maxJSONDepth:
		return jsonValue{}, r.fail("nested too deep")
	case c == '{':
		return r.members(depth)
	case c == '[':
		return r.elements(depth)
	case c == '"':
		text, err := r.str()
		return jsonValue{kind: jsonString, text: text}, err
	case c == '-' || c >= '0' && c <= '9':
		return r.number()
	case c == 't':
		return r.word("true", jsonBool)
	case c == 'f':
		return r.word("false", jsonBool)
	case c == 'n':
		return r.word("null", jsonNull)
	default:
		return jsonValue{}, r.fail("no value begins")
	}
}

func (r *jsonReader) word(word string, kind jsonKind) (jsonValue, error) {
	if len(r.src)-r.at < len(word) || string(r.src[r.at:r.at+len(word)]) != word {
		return jsonValue{}, r.fail("no value begins")
	}
	r.at += len(word)
	return jsonValue{kind: kind, text: word}, nil
}

func (r *jsonReader) members(depth int) (jsonValue, error) {
	r.at++ // the brace
	v := jsonValue{kind: jsonObject}
	if r.next() == '}' {
		r.at++
		return v, nil
	}
	seen := make(map[string]bool)
	for {
		if r.next() != '"' {
			return v, r.fail("no name begins")
		}
		name, err := r.str()
		if err != nil {
			return v, err
		}
		if seen[name] {
			return v, r.fail("a name is given twice")
		}
		seen[name] = true
		if r.next() != ':' {
			return v, r.fail("no colon")
		}
		r.at++
		item, err := r.value(depth + 1)
		if err != nil {
			return v, err
		}
		v.names, v.items = append(v.names, name), append(v.items, item)
		if done, err := r.separator('}'); done || err != nil {
			return v, err
		}
	}
}

func (r *jsonReader) elements(depth int) (jsonValue, error) {
	r.at++ // the bracket
	v := jsonValue{kind: jsonArray}
	if r.next() == ']' {
		r.at++
		return v, nil
	}
	for {
		item, err := r.value(depth + 1)
		if err != nil {
			return v, err
		}
		v.items = append(v.items, item)
		if done, err := r.separator(']'); done || err != nil {
			return v, err
		}
	}
}

// separator reads a comma, or the closing byte, for which it returns true.
func (r *jsonReader) separator(closing byte) (bool, error) {
	switch r.next() {
	case ',':
		r.at++
		return false, nil
	case closing:
		r.at++
		return true, nil
	default:
		return false, r.fail("no comma and no closing bracket")
	}
}

func (r *jsonReader) number() (jsonValue, error) {
	start := r.at
	r.accept("-")
	if !r.accept("0") && r.digits() == 0 {
		return jsonValue{}, r.fail("malformed number")
	}
	if r.accept(".") && r.digits() == 0 {
		return jsonValue{}, r.fail("malformed number")
	}
	if r.accept("eE") {
		r.accept("+-")
		if r.digits() == 0 {
			return jsonValue{}, r.fail("malformed number")
		}
	}
	// A digit may follow only a leading zero, which would make the number mean different things to different readers.
	if r.digits() != 0 {
		return jsonValue{}, r.fail("number with a leading zero")
	}
	return jsonValue{kind: jsonNumber, text: string(r.src[start:r.at])}, nil
}

func (r *jsonReader) accept(set string) bool {
	for i := range len(set) {
		if r.at < len(r.src) && r.src[r.at] == set[i] {
			r.at++
			return true
		}
	}
	return false
}

func (r *jsonReader) digits() int {
	start := r.at
	for r.at < len(r.src) && r.src[r.at] >= '0' && r.src[r.at] <= '9' {
		r.at++
	}
	return r.at - start
}

func (r *jsonReader) str() (string, error) {
	r.at++ // the quote
	var text []byte
	for r.at < len(r.src) {
		switch c := r.src[r.at]; {
		case c == '"':
			r.at++
			return string(text), nil
		case c < ' ':
			return "", r.fail("control character in a string")
		case c == '\\':
			char, err := r.escape()
			if err != nil {
				return "", err
			}
			text = utf8.AppendRune(text, char)
		case c < utf8.RuneSelf:
			text = append(text, c)
			r.at++
		default:
			_, size := utf8.DecodeRune(r.src[r.at:])
			if size == 1 {
				return "", r.fail("not UTF-8")
			}
			text = append(text, r.src[r.at:r.at+size]...)
			r.at += size
		}
	}
	return "", r.fail("string without an end")
}

func (r *jsonReader) escape() (rune, error) {
	if r.at+1 == len(r.src) {
		return 0, r.fail("string without an end")
	}
	letter := r.src[r.at+1]
	if letter == 'u' {
		return r.unicodeEscape()
	}
	const letters, meanings = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	for i := range len(letters) {
		if letters[i] == letter {
			r.at += 2
			return rune(meanings[i]), nil
		}
	}
	return 0, r.fail("unknown escape")
}

// unicodeEscape reads \uXXXX, or two of them that are a surrogate pair. Half a pair is refused: readers differ on it.
func (r *jsonReader) unicodeEscape() (rune, error) {
	char, ok := r.hex4()
	if ok && utf16.IsSurrogate(char) {
		var low rune
		low, ok = r.hex4()
		char = utf16.DecodeRune(char, low)
		ok = ok && char != utf8.RuneError
	}
	if !ok {
		return 0, r.fail("malformed \\u escape")
	}
	return char, nil
}

func (r *jsonReader) hex4() (rune, bool) {
	if len(r.src)-r.at < 6 || r.src[r.at] != '\\' || r.src[r.at+1] != 'u' {
		return 0, false
	}
	var char rune
	for _, c := range r.src[r.at+2 : r.at+6] {
		digit, ok := hexDigit(c)
		if !ok {
			return 0, false
		}
		char = char<<4 | rune(digit)
	}
	r.at += 6
	return char, true
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
