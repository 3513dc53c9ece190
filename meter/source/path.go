package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// A path leads to a value in JSON: names with dots between, and indexes in brackets, as in ENERGY.Total or emeters[0].power. A name with
// a dot in it stands in brackets and quotes: Body["a.b"].
type path []step

type step struct {
	name  string
	index int // -1 for a name
}

const maxSteps = 32

func parsePath(text string) (path, error) {
	var p path
	for rest := text; rest != ""; {
		if len(p) == maxSteps {
			return nil, fmt.Errorf("path %.60q has more than %d steps", text, maxSteps)
		}
		switch {
		case rest[0] == '[':
			inside, after, found := strings.Cut(rest[1:], "]")
			if quoted, err := strconv.Unquote(inside); found && err == nil {
				p, rest = append(p, step{name: quoted, index: -1}), after
			} else if index, err := strconv.Atoi(inside); found && err == nil && index >= 0 {
				p, rest = append(p, step{index: index}), after
			} else {
				return nil, fmt.Errorf("path %.60q has brackets around neither a number nor a name in quotes", text)
			}
		default:
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			if end == 0 {
				return nil, fmt.Errorf("path %.60q has an empty name", text)
			}
			p, rest = append(p, step{name: rest[:end], index: -1}), rest[end:]
		}
		if after, dotted := strings.CutPrefix(rest, "."); dotted {
			if rest = after; rest == "" || rest[0] == '[' {
				return nil, fmt.Errorf("path %.60q has a dot without a name", text)
			}
		}
	}
	return p, nil
}

var errAbsent = errors.New("not in the message")

// parseMessage reads JSON with its numbers as written.
func parseMessage(message []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(message))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("not JSON: text follows it")
	}
	return tree, nil
}

// in returns the text of the number, string or boolean at the path. The error is errAbsent if nothing or null is there.
func (p path) in(tree any) (string, error) {
	for _, s := range p {
		switch node := tree.(type) {
		case map[string]any:
			tree = node[s.name]
			if s.index >= 0 {
				return "", errAbsent
			}
		case []any:
			if s.index < 0 || s.index >= len(node) {
				return "", errAbsent
			}
			tree = node[s.index]
		default:
			return "", errAbsent
		}
	}
	switch value := tree.(type) {
	case json.Number:
		return value.String(), nil
	case string:
		return value, nil
	case nil:
		return "", errAbsent
	}
	return "", errors.New("no number is there")
}

// parseTime reads RFC 3339, or Unix seconds or milliseconds, which a size tells apart for the next 9,000 years.
func parseTime(text string) (int64, error) {
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return at.UnixMilli(), nil
	}
	whole, fraction, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	switch {
	case err != nil || n < 0 || n > 1<<48:
		return 0, fmt.Errorf("%.40q is not a time as in 2026-03-01T08:00:00Z or Unix seconds", text)
	case n >= 1e11:
		return n, nil
	}
	ms, err := strconv.ParseInt((fraction + "000")[:3], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%.40q is not a time", text)
	}
	return n*1000 + ms, nil
}
