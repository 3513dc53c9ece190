package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"lockstep/types"
)

// lie VAR PATH FIELD VALUE... stands a node that lies before the real one, and sets a variable to its address. In its answers to
// questions whose path begins with PATH each FIELD, names and indexes with dots between, has the VALUE, which is JSON. A value
// +D or -D moves a time by a duration; a missing value removes an item of a list.
func lie(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 4 || len(args)%2 != 0 {
		ts.Fatalf("usage: lie VAR PATH FIELD VALUE...")
	}
	target, err := url.Parse(ts.Getenv("LOCKSTEP_NODE"))
	ts.Check(err)
	liar := httptest.NewServer(newLiar(target, args[1], args[2:]))
	ts.Defer(liar.Close)
	ts.Setenv(args[0], liar.URL)
}

func newLiar(target *url.URL, path string, lies []string) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = target.Host
			r.Out.Header.Del("Accept-Encoding")
		},
		ModifyResponse: func(response *http.Response) error {
			if response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Request.URL.Path, path) {
				return nil
			}
			var answer any
			decoder := json.NewDecoder(response.Body)
			decoder.UseNumber()
			if err := decoder.Decode(&answer); err != nil {
				return err
			}
			for i := 0; i < len(lies); i += 2 {
				if err := twist(&answer, strings.Split(lies[i], "."), lies[i+1]); err != nil {
					return fmt.Errorf("%s: %w", lies[i], err)
				}
			}
			text, err := json.Marshal(answer)
			response.Body = io.NopCloser(bytes.NewReader(text))
			response.Header.Set("Content-Length", strconv.Itoa(len(text)))
			response.ContentLength = int64(len(text))
			return err
		},
	}
}

// twist changes the value at a path.
func twist(value *any, path []string, lie string) error {
	if len(path) == 0 {
		return twistValue(value, lie)
	}
	switch whole := (*value).(type) {
	case map[string]any:
		part := whole[path[0]]
		if err := twist(&part, path[1:], lie); err != nil {
			return err
		}
		whole[path[0]] = part
	case []any:
		i, err := strconv.Atoi(path[0])
		if err != nil || i >= len(whole) {
			return fmt.Errorf("there is no item %s of %d", path[0], len(whole))
		}
		if lie == "" && len(path) == 1 {
			*value = append(whole[:i:i], whole[i+1:]...)
			return nil
		}
		return twist(&whole[i], path[1:], lie)
	default:
		return fmt.Errorf("there is no %s", path[0])
	}
	return nil
}

func twistValue(value *any, lie string) error {
	if lie[0] != '+' && lie[0] != '-' {
		return json.Unmarshal([]byte(lie), value)
	}
	by, err := time.ParseDuration(lie)
	if err != nil {
		return err
	}
	text, _ := (*value).(string)
	var at types.Time
	if err := at.UnmarshalText([]byte(text)); err != nil {
		return err
	}
	*value = types.Time(at.Std().Add(by).UnixMilli()).String()
	return nil
}

func TestTwist(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ path, lie, want string }{
		{"a", `7`, `{"a":7,"b":[{"at":"2026-11-22T22:46:07.740Z"},1]}`},
		{"b.0.at", "+240h", `{"a":1,"b":[{"at":"2026-12-02T22:46:07.740Z"},1]}`},
		{"b.1", "", `{"a":1,"b":[{"at":"2026-11-22T22:46:07.740Z"}]}`},
	} {
		var value any
		if err := json.Unmarshal([]byte(`{"a":1,"b":[{"at":"2026-11-22T22:46:07.740Z"},1]}`), &value); err != nil {
			t.Fatal(err)
		}
		if err := twist(&value, strings.Split(c.path, "."), c.lie); err != nil {
			t.Fatal(err)
		}
		if got, _ := json.Marshal(value); string(got) != c.want {
			t.Errorf("%s: got %s", c.path, got)
		}
	}
}
