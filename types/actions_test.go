package types_test

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/types"
)

// TestActionTable requires one complete row for every action of the source, and a sample of it for the frozen vectors.
func TestActionTable(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("action.go")
	if err != nil {
		t.Fatal(err)
	}
	var declared, listed, sampled []string
	for _, match := range regexp.MustCompile(`func \(\*(\w+)\) isAction`).FindAllStringSubmatch(string(source), -1) {
		declared = append(declared, match[1])
	}
	kinds := map[string]bool{"": true}
	last := uint64(0)
	for _, info := range types.Actions() {
		action := info.New()
		name := reflect.TypeOf(action).Elem().Name()
		listed = append(listed, name)
		if action.Tag() != info.Tag || info.Tag <= last {
			t.Errorf("%s: the table has tag %#x, the action %#x, the row before %#x", name, info.Tag, action.Tag(), last)
		}
		if kinds[info.Kind] || info.Kind != strings.ToLower(name) || types.ActionKind(action) != info.Kind {
			t.Errorf("%s: kind %q", name, info.Kind)
		}
		if !strings.HasSuffix(info.Does, ".") {
			t.Errorf("%s: the effect %q is no sentence", name, info.Does)
		}
		if row := types.InfoOf(action); row.Kind != info.Kind || row.Running != info.Running || row.Entries != info.Entries {
			t.Errorf("%s: listed as %+v, found as %+v", name, info, row)
		}
		kinds[info.Kind], last = true, info.Tag
	}
	for _, action := range sampleActions() {
		sampled = append(sampled, reflect.TypeOf(action).Elem().Name())
	}
	if diff := cmp.Diff(declared, sampled); diff != "" {
		t.Errorf("- declared, + sampled:\n%s", diff)
	}
	slices.Sort(declared)
	slices.Sort(listed)
	if diff := cmp.Diff(declared, listed); diff != "" {
		t.Errorf("- declared, + in the table:\n%s", diff)
	}
	if info := types.InfoOf(nil); info.Kind != "" || info.Running {
		t.Errorf("no action is described as %+v", info)
	}
}

// TestUnknownActions decodes bodies with tags and kinds beside those of the table, at its ends and in its gaps.
func TestUnknownActions(t *testing.T) {
	t.Parallel()
	body := types.Body{ChainID: "samplestadt", Actions: []types.Action{&types.Deliver{}}}
	encoded := types.Encode(&body)
	at := strings.Index(string(encoded), "\xd9\x4c\x28")
	if at < 0 {
		t.Fatalf("no tag in %x", encoded)
	}
	known := map[byte]bool{}
	for _, info := range types.Actions() {
		known[byte(info.Tag)] = true
	}
	for tag := range 256 {
		encoded[at+2] = byte(tag)
		err := types.Decode(encoded, new(types.Body))
		// Retire and the like have other fields than Deliver: an unknown tag is told from them by the sentence.
		if unknown := err != nil && strings.Contains(err.Error(), "unknown tag"); unknown == known[byte(tag)] {
			t.Errorf("tag 0x4c%02x: %v", tag, err)
		}
	}
	for _, kind := range []string{"", "agreed", "Deliver", "key", "hold"} {
		text, err := json.Marshal(map[string]any{"actions": []any{map[string]string{"kind": kind}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, new(types.Body)); types.CodeOf(err) != types.CodeMalformed {
			t.Errorf("kind %q: %v, want malformed", kind, err)
		}
	}
}
