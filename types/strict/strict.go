// Package strict reads JSON in the one way in which it is meant. The standard library also takes names in another case, and
// names that come twice, of which the last counts: two programs can then read two things in one text, such as a filter and the
// program behind it. Requests, and files that a user may have written, are read with [Unmarshal].
package strict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Unmarshal reads one JSON object into a value: only fields that the value has, each once, under exactly its name, and nothing
// behind the object.
func Unmarshal(text []byte, into any) error {
	if err := Check(text); err != nil {
		return err
	}
	if start := bytes.TrimLeft(text, " \t\r\n"); len(start) > 0 && start[0] != '{' {
		return errors.New("it is not a JSON object")
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something behind the object")
	}
	return nil
}

// maxDepth is far deeper than any value of ours.
const maxDepth = 64

// object is an object or a list that is open at a place of a text.
type object struct {
	list  bool
	value bool            // a name was read, its value comes next
	names map[string]bool // so far
}

// Check refuses a name that comes twice in its object, and one that is not written in lower case, as all names of ours are. A text
// that is no JSON is left to the decoder, whose errors name the place.
func Check(text []byte) error {
	if !json.Valid(text) {
		return nil
	}
	var open []object
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{', '[':
			if len(open) == maxDepth {
				return fmt.Errorf("it is nested deeper than %d levels", maxDepth)
			}
			open = append(open, object{list: text[i] == '['})
		case '}', ']':
			open = open[:len(open)-1]
		case ',':
			open[len(open)-1].value = false
		case '"':
			end := endOfString(text, i)
			if len(open) > 0 {
				if err := open[len(open)-1].name(text[i:end]); err != nil {
					return err
				}
			}
			i = end - 1
		}
	}
	return nil
}

// endOfString is the place behind the string that begins at a place.
func endOfString(text []byte, begin int) int {
	for i := begin + 1; ; i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
}

// name takes in a string of the object if it is a name.
func (o *object) name(quoted []byte) error {
	if o.list || o.value {
		return nil
	}
	o.value = true
	var name string
	if err := json.Unmarshal(quoted, &name); err != nil {
		return err
	}
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return fmt.Errorf("unknown name %q: names are written in lower case, such as \"chain_id\"", clip(name))
		}
	}
	if o.names[name] {
		return fmt.Errorf("the name %q comes twice in one object", clip(name))
	}
	if o.names == nil {
		o.names = map[string]bool{}
	}
	o.names[name] = true
	return nil
}

// clip keeps a stranger's text short in an error.
func clip(name string) string {
	const most = 40
	if len(name) > most {
		return name[:most] + "..."
	}
	return name
}
