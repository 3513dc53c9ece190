package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"lockstep/meter"
)

// Bounds of JSON: its nesting, of which a charge detail record has 8 levels, in an envelope 10, and its values.
const (
	maxDepth  = 32
	maxTokens = 1_000_000
)

// A node is a value of JSON: an object's members in their order, numbers as written.
type node struct {
	kind  byte // '{', '[', 's', 'n', 'b', '0'
	text  string
	names []string
	items []*node
}

// parseJSON reads one JSON value that is all of the text. A name given twice is refused, since two readers could pick different
// values.
func parseJSON(text []byte) (*node, error) {
	tree, used, err := parseFront(text)
	if err != nil {
		return nil, explainJSON(err)
	}
	if len(bytes.TrimSpace(text[used:])) > 0 {
		return nil, refuse(CodeFile, "text follows the JSON at byte %d", used)
	}
	return tree, nil
}

// parseFront reads one JSON value at the front of a text and returns its length. Its errors are ours or those of encoding/json.
func parseFront(text []byte) (*node, int, error) {
	r := &treeReader{Decoder: json.NewDecoder(bytes.NewReader(text))}
	r.UseNumber()
	tree, err := r.value(0)
	return tree, int(r.InputOffset()), err
}

// explainJSON gives an error of encoding/json our code.
func explainJSON(err error) error {
	if _, own := errors.AsType[*meter.Error](err); own {
		return err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return refuse(CodeFile, "the JSON ends in the middle")
	}
	return refuse(CodeFile, "not JSON: %v", err)
}

// A treeReader reads JSON into nodes.
type treeReader struct {
	*json.Decoder
	values int
}

func (r *treeReader) value(depth int) (*node, error) {
	if depth > maxDepth {
		return nil, refuse(CodeFile, "JSON nested deeper than %d levels", maxDepth)
	}
	if r.values++; r.values > maxTokens {
		return nil, refuse(CodeFile, "JSON of more than %d values", maxTokens)
	}
	token, err := r.Token()
	if err != nil {
		return nil, err
	}
	switch value := token.(type) {
	case json.Delim:
		return r.members(byte(value), depth)
	case string:
		return &node{kind: 's', text: value}, nil
	case json.Number:
		return &node{kind: 'n', text: value.String()}, nil
	case bool:
		if value {
			return &node{kind: 'b', text: "true"}, nil
		}
		return &node{kind: 'b', text: "false"}, nil
	}
	return &node{kind: '0'}, nil
}

func (r *treeReader) members(kind byte, depth int) (*node, error) {
	tree := &node{kind: kind}
	seen := map[string]bool{}
	for r.More() {
		if kind == '{' {
			token, err := r.Token()
			if err != nil {
				return nil, err
			}
			name, ok := token.(string)
			switch {
			case !ok:
				return nil, refuse(CodeFile, "a name in JSON that is no text")
			case seen[name]:
				return nil, refuse(CodeFile, "the JSON gives %.40q twice in one object, so it has two meanings", name)
			}
			seen[name] = true
			tree.names = append(tree.names, name)
		}
		item, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		tree.items = append(tree.items, item)
	}
	_, err := r.Token() // the closing bracket
	return tree, err
}

// member is the named member of an object; nil if it is absent, null, or n is no object.
func (n *node) member(name string) *node {
	if n == nil {
		return nil
	}
	for i, known := range n.names {
		if known == name && n.items[i].kind != '0' {
			return n.items[i]
		}
	}
	return nil
}

// at follows names into objects.
func (n *node) at(names ...string) *node {
	for _, name := range names {
		n = n.member(name)
	}
	return n
}

// str is the text of a string or a number, "" for any other value.
func (n *node) str() string {
	if n == nil || n.kind != 's' && n.kind != 'n' {
		return ""
	}
	return strings.TrimSpace(n.text)
}

// list returns the items of an array; nil for any other value.
func (n *node) list() []*node {
	if n == nil || n.kind != '[' {
		return nil
	}
	return n.items
}

// number is the decimal number of a number, or of a text that is one.
func (n *node) number() (meter.Decimal, bool) {
	text := n.str()
	if text == "" {
		return meter.Decimal{}, false
	}
	d, err := meter.ParseDecimal(text)
	return d, err == nil
}

// walk visits n and all values below it.
func (n *node) walk(visit func(n *node)) {
	visit(n)
	for _, item := range n.items {
		item.walk(visit)
	}
}

// has tells whether an object with the member is in the tree.
func (n *node) has(name string) bool {
	found := false
	n.walk(func(n *node) { found = found || n.member(name) != nil })
	return found
}

// sameJSON tells whether two texts are JSON of the same values, in any order of members and with any white space.
func sameJSON(a, b []byte) bool {
	left, errLeft := parseJSON(a)
	right, errRight := parseJSON(b)
	return errLeft == nil && errRight == nil && same(left, right)
}

func same(a, b *node) bool {
	if a.kind != b.kind || len(a.items) != len(b.items) || a.kind != 'n' && a.text != b.text {
		return false
	}
	if a.kind == 'n' {
		left, okLeft := a.number()
		right, okRight := b.number()
		return a.text == b.text || okLeft && okRight && left.Cmp(right) == 0
	}
	for i, item := range a.items {
		other := b.items[i]
		if a.kind == '{' {
			found := false
			for j, name := range b.names {
				if name == a.names[i] {
					other, found = b.items[j], true
				}
			}
			if !found {
				return false
			}
		}
		if !same(item, other) {
			return false
		}
	}
	return true
}
