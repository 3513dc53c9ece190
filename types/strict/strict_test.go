package strict_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"lockstep/types/strict"
)

type inner struct {
	Name string `json:"name"`
}

type value struct {
	ChainID string  `json:"chain_id"`
	List    []inner `json:"list"`
	Inner   inner   `json:"inner"`
}

func TestUnmarshal(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		`{"chain_id":"a\"{,b","list":[{"name":"x"},{"name":"x"}],"inner":{"name":"Chain_ID"}}`: "",
		` {"list" : [ ] } `:                               "",
		`{}`:                                              "",
		`{"Chain_id":"a"}`:                                `unknown name "Chain_id"`,
		`{"chain_id":"a","CHAIN_ID":"b"}`:                 `unknown name "CHAIN_ID"`,
		`{"chain_id":"a","chain_id":"a"}`:                 "comes twice",
		`{"chain_id":"a","chain\u005fid":"b"}`:            "comes twice",
		`{"inner":{"name":"a","name":"b"}}`:               "comes twice",
		`{"list":[{"name":"a"},{"name":"b","name":"c"}]}`: "comes twice",
		`{"inner":{"Name":"a"}}`:                          "unknown name",
		`{"li\u017ft":[]}`:                                "unknown name", // the long s, which folds to an s
		`{"other":1}`:                                     "unknown field",
		`null`:                                            "not a JSON object",
		`[]`:                                              "not a JSON object",
		`"chain_id"`:                                      "not a JSON object",
		``:                                                "EOF",
		`{"chain_id":"a"} {}`:                             "behind the object",
		`{"chain_id":"a"}x`:                               "behind the object",
		`{"chain_id":`:                                    "EOF",
		`{"inner":{"name":{"x":1}}}`:                      "cannot unmarshal",
		strings.Repeat(`{"inner":`, 70) + "1" + strings.Repeat("}", 70): "deeper than 64",
	} {
		var got value
		err := strict.Unmarshal([]byte(text), &got)
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%.60s: got %v, want %q", text, err, says)
		}
	}
	deep := strings.Repeat("[", 64) + strings.Repeat("]", 64)
	if err := strict.Check([]byte(deep)); err != nil {
		t.Error(err)
	}
	if err := strict.Check([]byte("[" + deep + "]")); err == nil {
		t.Error("65 levels were taken")
	}
}

// FuzzUnmarshal compares with the standard library: an accepted text has the same value there and is an object.
func FuzzUnmarshal(f *testing.F) {
	for _, seed := range []string{`{"chain_id":"a","list":[{"name":"x"}]}`, `{"chain_id":"a","Chain_id":"b"}`, `{"inner":{"name":"\\\""}}`, `[`, `"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var ours, theirs value
		if strict.Unmarshal([]byte(text), &ours) != nil {
			return
		}
		if err := json.Unmarshal([]byte(text), &theirs); err != nil || !reflect.DeepEqual(ours, theirs) {
			t.Errorf("%q: %v, %+v and %+v", text, err, ours, theirs)
		}
	})
}
