package config

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Load reads a file and checks it. An unknown key is refused with its line and the nearest known key.
func Load(text []byte) (*Config, error) {
	if len(text) > maxConfig {
		return nil, fmt.Errorf("the file has %d bytes; the limit is %d", len(text), maxConfig)
	}
	var document yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil, errors.New(`the file is empty: begin with "lockstep agent init"`)
	} else if err != nil {
		return nil, fmt.Errorf("the file is not YAML: %w", err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("the file has a second document: give each agent a file")
	}
	if err := checkKeys(&document, reflect.TypeFor[Config](), "", 0); err != nil {
		return nil, err
	}
	c := new(Config)
	decoder = yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(c); err != nil {
		return nil, fmt.Errorf("the file can't be read: %w", err)
	}
	c.document = document.Content[0]
	return c, c.located(c.Check())
}

// located puts the line of the key with which a fault begins before it; the line of the part if the key is missing.
func (c *Config) located(err error) error {
	if err == nil || c.document == nil {
		return err
	}
	path, _, named := strings.Cut(err.Error(), ":")
	if !named || strings.ContainsAny(path, " \"") {
		return err
	}
	n, line := c.document, 0
	for part := range strings.SplitSeq(path, ".") {
		i := 0
		for ; i+1 < len(n.Content) && n.Content[i].Value != part; i += 2 {
		}
		if n.Kind != yaml.MappingNode || i+1 >= len(n.Content) {
			break
		}
		n, line = n.Content[i+1], n.Content[i].Line
	}
	if line == 0 {
		return err
	}
	return fmt.Errorf("line %d: %w", line, err)
}

// maxNested bounds the depth of a file; an alias can't make it deeper, since none is followed.
const maxNested = 32

// checkKeys refuses a key that a type has no field for.
func checkKeys(n *yaml.Node, t reflect.Type, path string, depth int) error {
	if depth > maxNested {
		return fmt.Errorf("line %d: it is nested too deeply", n.Line)
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch n.Kind {
	case yaml.DocumentNode:
		return checkKeys(n.Content[0], t, path, depth)
	case yaml.AliasNode:
		return fmt.Errorf("line %d: write the value out in place of *%s", n.Line, n.Value)
	case yaml.SequenceNode:
		if t.Kind() != reflect.Slice {
			return fmt.Errorf("line %d: %s is no list: write one value", n.Line, path)
		}
		for _, item := range n.Content {
			if err := checkKeys(item, t.Elem(), path, depth+1); err != nil {
				return err
			}
		}
	case yaml.MappingNode:
		return checkMapping(n, t, path, depth)
	case yaml.ScalarNode:
		return checkScalar(n, t, path)
	}
	return nil
}

func checkMapping(n *yaml.Node, t reflect.Type, path string, depth int) error {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name := strings.TrimPrefix(path+"."+key.Value, ".")
		var inner reflect.Type
		switch t.Kind() {
		case reflect.Map:
			inner = t.Elem()
		case reflect.Struct:
			known := keysOf(t)
			field, ok := known[key.Value]
			if !ok {
				return fmt.Errorf("line %d: %s is not a key of the configuration%s", key.Line, name, nearest(key.Value, known))
			}
			inner = field
		default:
			return fmt.Errorf("line %d: %s has no parts: write one value", key.Line, strings.TrimSuffix(name, "."+key.Value))
		}
		if err := checkKeys(value, inner, name, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// keysOf lists the keys of a type with the types of their values.
func keysOf(t reflect.Type) map[string]reflect.Type {
	keys := map[string]reflect.Type{}
	for _, field := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if field.IsExported() && name != "" && name != "-" {
			keys[name] = field.Type
		}
	}
	return keys
}

// nearest names the known key that takes the fewest changes, or all of them if none is near.
func nearest(key string, known map[string]reflect.Type) string {
	var names []string
	for name := range known { // sorted below
		names = append(names, name)
	}
	slices.Sort(names)
	best, least := "", len(key)/2+1
	for _, name := range names {
		if d := distance(key, name); d < least {
			best, least = name, d
		}
	}
	if best == "" {
		return "; it has " + strings.Join(names, ", ")
	}
	return fmt.Sprintf("; did you mean %s?", best)
}

// distance is the number of letters to insert, delete or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost++
			}
			before = row[j+1]
			row[j+1] = min(cost, row[j]+1, before+1)
		}
	}
	return row[len(b)]
}

// checkScalar refuses a value that is not of the type of its key.
func checkScalar(n *yaml.Node, t reflect.Type, path string) error {
	_, byText := reflect.New(t).Interface().(encoding.TextUnmarshaler)
	_, byYAML := reflect.New(t).Interface().(yaml.Unmarshaler)
	if byText || byYAML || n.Tag == "!!null" {
		return nil
	}
	want := ""
	switch kind := t.Kind(); {
	case t == reflect.TypeFor[time.Duration]():
		if _, err := time.ParseDuration(n.Value); err != nil {
			want = "a time with its unit, such as 15m"
		}
	case kind == reflect.Slice:
		want = fmt.Sprintf("a list: write [%s]", n.Value)
	case kind == reflect.Struct || kind == reflect.Map:
		want = "a part with keys of its own"
	case kind == reflect.Bool && n.Tag != "!!bool":
		want = "true or false"
	case kind >= reflect.Int && kind <= reflect.Int64:
		if _, err := strconv.ParseInt(n.Value, 0, t.Bits()); err != nil {
			want = "a whole number"
		}
	case kind >= reflect.Uint && kind <= reflect.Uint64:
		if _, err := strconv.ParseUint(n.Value, 0, t.Bits()); err != nil {
			want = "a whole number from 0 on"
		}
	}
	if want == "" {
		return nil
	}
	return fmt.Errorf("line %d: %s: %.40q is not %s", n.Line, path, n.Value, want)
}
