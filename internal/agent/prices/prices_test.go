package prices

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lockstep/internal/agent/plan"
	"lockstep/types"
)

func at(t *testing.T, text string) types.Time {
	t.Helper()
	var moment types.Time
	if err := moment.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return moment
}

const evccAnswer = `{"rates":[{"start":"2026-03-01T00:00:00+01:00","end":"2026-03-01T01:00:00+01:00","value":0.28340000000000004},
{"start":"2026-03-01T01:00:00+01:00","end":"2026-03-01T02:00:00+01:00","value":-1e-2}]}`

const awattarAnswer = `{"object":"list","data":[{"start_timestamp":1772319600000,"end_timestamp":1772323200000,"marketprice":91.75,"unit":"Eur/MWh"},
{"start_timestamp":1772323200000,"end_timestamp":1772326800000,"marketprice":-0.01,"unit":"Eur/MWh"}],"url":"/at/v1/marketdata"}`

const tibberAnswer = `{"data":{"viewer":{"homes":[{"currentSubscription":{"priceInfo":{"today":[{"total":0.2834,"startsAt":"2026-03-01T00:00:00.000+01:00"},
{"total":0.3,"startsAt":"2026-03-01T00:15:00.000+01:00"}],"tomorrow":[]}}}]}}}`

func TestParse(t *testing.T) {
	t.Parallel()
	begin := at(t, "2026-02-28T23:00:00Z")
	const hour, quarter = types.Duration(3_600_000), types.Duration(900_000)
	for _, c := range []struct {
		name, kind, text string
		step             types.Duration
		want             []plan.Price
	}{
		{"evcc", "evcc", evccAnswer, hour, []plan.Price{283_400_000, -10_000_000}},
		{"evcc, under result", "evcc", `{"result":` + evccAnswer + `}`, hour, []plan.Price{283_400_000, -10_000_000}},
		{"evcc, older", "evcc", strings.ReplaceAll(evccAnswer, "value", "price"), hour, []plan.Price{283_400_000, -10_000_000}},
		{"evcc, a bare list", "evcc", strings.TrimSuffix(strings.TrimPrefix(evccAnswer, `{"rates":`), "}"), hour, []plan.Price{283_400_000, -10_000_000}},
		{"awattar", "awattar", awattarAnswer, hour, []plan.Price{91_750_000, -10_000}},
		{"awattar, a kWh", "awattar", strings.ReplaceAll(awattarAnswer, "Eur/MWh", "Eur/kWh"), hour, []plan.Price{91_750_000_000, -10_000_000}},
		{"tibber", "tibber", tibberAnswer, quarter, []plan.Price{283_400_000, 300_000_000}},
	} {
		curve, err := Parse(c.kind, []byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for i, want := range c.want {
			from := begin.Add(c.step * types.Duration(i))
			if i >= len(curve) || curve[i] != (plan.Point{From: from, Until: from.Add(c.step), Price: want}) {
				t.Errorf("%s: %v, want %d at %s", c.name, curve, want, from)
				break
			}
		}
	}
	for name, c := range map[string]struct{ kind, text, says string }{
		"not JSON":        {"evcc", "<html>", "not the JSON expected"},
		"nothing":         {"evcc", "{}", "no prices"},
		"a text":          {"evcc", strings.Replace(evccAnswer, "-1e-2", `"much"`, 1), "not"},
		"endless":         {"evcc", strings.Replace(evccAnswer, "-1e-2", "1e999999999", 1), "not a price"},
		"too large":       {"evcc", strings.Replace(evccAnswer, "-1e-2", "1e12", 1), "not a price"},
		"ends before":     {"awattar", strings.Replace(awattarAnswer, "1772326800000", "1772323200000", 1), "ends at"},
		"another unit":    {"awattar", strings.ReplaceAll(awattarAnswer, "Eur/MWh", "Eur/h"), "neither"},
		"an error":        {"tibber", `{"errors":[{"message":"invalid token"}]}`, "invalid token"},
		"no subscription": {"tibber", `{"data":{"viewer":{"homes":[{"currentSubscription":null}]}}}`, "no prices"},
		"another":         {"nordpool", "{}", "not known"},
	} {
		if curve, err := Parse(c.kind, []byte(c.text)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, %v", name, curve, err)
		}
	}
}

func TestFetch(t *testing.T) {
	t.Parallel()
	var token, method string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, method = r.Header.Get("Authorization"), r.Method
		if r.URL.Path == "/gone" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte(tibberAnswer))
	}))
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("abc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &Source{Kind: "tibber", URL: server.URL, TokenFile: file, Period: time.Minute}
	if priced, err := s.Fetch(t.Context()); err != nil || len(priced.Curve) != 2 || token != "Bearer abc" || method != http.MethodPost {
		t.Errorf("%v, %v, %s %q", priced, err, method, token)
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Fetch(t.Context()); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a token that others can read: %v", err)
	}
	s.TokenFile = ""
	s.URL += "/gone"
	if _, err := s.Fetch(t.Context()); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("%v", err)
	}
}

// No error shows more of an address than its host, and a token goes to no other one.
func TestFetchKeepsSecrets(t *testing.T) {
	t.Parallel()
	leaked := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		leaked = leaked || r.Header.Get("Authorization") != ""
		_, _ = w.Write([]byte(tibberAnswer))
	}))
	t.Cleanup(elsewhere.Close)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		case "/text":
			_, _ = w.Write([]byte("no prices"))
		default:
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	host := strings.TrimPrefix(server.URL, "http://")
	for _, path := range []string{"/gone", "/text", "/away"} {
		s := &Source{Kind: "tibber", URL: "http://me:geheim@" + host + path + "?key=geheim", TokenFile: file}
		if _, err := s.Fetch(t.Context()); err == nil || strings.Contains(err.Error(), "geheim") || !strings.Contains(err.Error(), host) {
			t.Errorf("%s: %v", path, err)
		}
	}
	server.Close()
	for _, address := range []string{"http://me:geheim@" + host + "/gone?key=geheim", "http://geheim\x7f"} {
		s := &Source{Kind: "evcc", URL: address}
		if _, err := s.Fetch(t.Context()); err == nil || strings.Contains(err.Error(), "geheim") {
			t.Error(err)
		}
	}
	if leaked {
		t.Error("the token went to another host")
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{evccAnswer, awattarAnswer, tibberAnswer} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, kind := range Kinds() {
			curve, err := Parse(kind, text)
			for i := range curve {
				if err == nil && curve[i].Until <= curve[i].From {
					t.Errorf("%s: %v", kind, curve[i])
				}
			}
		}
	})
}
