package meter

import (
	"encoding/json"
	"strings"
	"testing"
)

func readObject(text string) (jsonValue, error) {
	r := jsonReader{src: []byte(text)}
	v, err := r.object()
	if r.skipSpace(); err == nil && r.at != len(text) {
		err = r.fail("bytes follow")
	}
	return v, err
}

func TestJSON(t *testing.T) {
	good := map[string]string{ // the object, and its member a as kind and text
		`{"a":"x|y"}`:                    "a string x|y",
		`{"a":"\"\\\/\b\f\n\r\t\u00e4"}`: "a string \"\\/\b\f\n\r\tä",
		`{"a":"\ud83d\ude00"}`:           "a string 😀",
		`{"a":"ä😀"}`:                     "a string ä😀",
		`{"a":-0.50e+10}`:                "a number -0.50e+10",
		`{"a":2935.600}`:                 "a number 2935.600",
		`{"a":true}`:                     "a boolean true",
		`{"a":[]}`:                       "an array ",
		" {\n\t\"a\" :\r {} } ":          "an object ",
		`{"b":1,"a":[[[[[[]]]]]]}`:       "an array ",
	}
	for text, want := range good {
		v, err := readObject(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if m, ok := v.member("a"); !ok || m.kind.String()+" "+m.text != want {
			t.Errorf("%s: a is %v %s", text, m.kind, m.text)
		}
	}
	if v, err := readObject(`{"a":null}`); err != nil {
		t.Error(err)
	} else if _, ok := v.member("a"); ok {
		t.Error("null is not taken as absent")
	}

	bad := []string{
		``, `[]`, `"a"`, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{,}`, `{"a" 1}`, `{a:1}`, `{'a':1}`, `{"a":1}}`,
		`{"a":01}`, `{"a":-}`, `{"a":1.}`, `{"a":.5}`, `{"a":+1}`, `{"a":1e}`, `{"a":00}`, `{"a":0x1}`, `{"a":NaN}`,
		`{"a":tru}`, `{"a":True}`, `{"a":nul`, `{"a":[1,]}`, `{"a":[1 2]}`, `{"a":[1}`,
		`{"a":"x}`, `{"a":"\x"}`, `{"a":"\u12"}`, `{"a":"\u12g4"}`, `{"a":"\`, `{"a":"\ud83d"}`, `{"a":"\ud83d\u0041"}`, `{"a":"\ude00\ud83d"}`,
		"{\"a\":\"\n\"}", "{\"a\":\"\x00\"}", "{\"a\":\"\xff\"}", "{\"a\":\"\xc0\xaf\"}", "{\"a\":\"\xed\xa0\x80\"}", "{\"a\":\x0b1}", "{\"a\":1}\x00",
		`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"b":{"a":1,"b":2,"a":1}}`, `{"":1,"":2}`, // the same name twice
		`{"a":[[[[[[[[]]]]]]]]}`, strings.Repeat(`{"a":`, 4000), // too deep
	}
	for _, text := range bad {
		_, err := readObject(text)
		if checkCode(t, err, CodeJSON); err == nil {
			t.Errorf("accepted %.80q", text)
		}
	}
}

// Ours accepts nothing that encoding/json refuses, and reads the same strings.
func FuzzJSON(f *testing.F) {
	f.Add(`{"FV":"1.0","PG":"T1","RD":[{"RV":1.5e3,"x":null,"y":[true,false]}],"ä":"\ud83d\ude00"}`)
	f.Add(`{"a":{"a":{"a":[1,2,[3]]}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := readObject(text)
		if err != nil {
			return
		}
		var want map[string]any
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatalf("accepted %q, and encoding/json says %v", text, err)
		}
		if len(want) != len(v.names) {
			t.Errorf("%d members, want %d", len(v.names), len(want))
		}
		for i, name := range v.names {
			value, ok := want[name]
			if s, isString := value.(string); !ok || isString && s != v.items[i].text {
				t.Errorf("member %q is %q, want %v", name, v.items[i].text, value)
			}
		}
	})
}
