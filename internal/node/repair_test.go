package node

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lockstep/internal/outcomes"
	"lockstep/types"
)

const logFolder = storeFolder + "/outcomes"

// grown is the folder of a stopped node with so many outcomes that each kind of file is there.
func grown(t *testing.T) string {
	t.Helper()
	dir := initNode(t, types.DefaultParams("test"))
	n, stop := start(t, dir)
	var txs []*types.Tx
	for i := range 300 {
		txs = append(txs, mint(n.Params(), types.Amount(10+i), "peter"))
	}
	must(t, n.Ledger(), txs...)
	awaitIndex(t, n)
	stop()
	return dir
}

// copyOf copies the folder of a stopped node.
func copyOf(t *testing.T, dir string) string {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return copied
}

func readFile(t *testing.T, dir, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// altered changes a file, or removes it.
func altered(t *testing.T, dir, name string, change func([]byte) []byte) {
	t.Helper()
	path := filepath.Join(dir, name)
	content := change(readFile(t, dir, name))
	err := os.Remove(path)
	if content != nil && err == nil {
		err = os.WriteFile(path, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func flipped(content []byte) []byte { content[len(content)/2] ^= 1; return content }

// TestRepair damages the files of a stopped node one by one: the check names the command that repairs them, the command repairs them by another node's log, and the node
// goes on.
func TestRepair(t *testing.T) {
	t.Parallel()
	dir, quiet := grown(t), slog.New(slog.DiscardHandler)
	healthy := copyOf(t, dir)
	foreign := grown(t)
	peer, stop := start(t, dir)
	from := []string{"http://" + peer.APIAddress()}
	var last string
	for _, name := range []string{"segment-000000000", "offsets-000000000", "hashes-1"} {
		for how, change := range map[string]func([]byte) []byte{
			"flipped": flipped,
			"cut":     func(content []byte) []byte { return content[:len(content)-1] },
			"empty":   func([]byte) []byte { return []byte{} },
			"missing": func([]byte) []byte { return nil },
			"foreign": func([]byte) []byte { return readFile(t, foreign, logFolder+"/"+name) },
		} {
			damaged := copyOf(t, healthy)
			altered(t, damaged, logFolder+"/"+name, change)
			if _, err := Check(damaged, quiet); name == "segment-000000000" && (err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "lockstep node repair")) {
				t.Errorf("%s, %s: the check says %v", name, how, err)
			}
			report, err := Repair(t.Context(), damaged, RepairOptions{From: from}, quiet)
			if err != nil {
				t.Fatal(err)
			}
			if !report.Log.Whole() || report.Check == nil || report.Check.Leaves < 300 || len(report.Log.Refused)+len(report.Others) > 0 {
				t.Errorf("%s, %s: %+v", name, how, report)
			}
			if got := readFile(t, damaged, logFolder+"/"+name); !bytes.Equal(got, readFile(t, healthy, logFolder+"/"+name)) {
				t.Errorf("%s, %s: the file has other bytes than before", name, how)
			}
			last = damaged
		}
	}
	stop()
	again, _ := startWith(t, Config{Dir: last, API: "127.0.0.1:0", Version: "test", SignNow: true})
	must(t, again.Ledger(), mint(again.Params(), 7, "clara"))
}

// TestRepairFromLiars asks nodes that change their answers, are of another ledger, hang, or are not there. The log stays as it is until an honest one is asked.
func TestRepairFromLiars(t *testing.T) {
	t.Parallel()
	dir, quiet := grown(t), slog.New(slog.DiscardHandler)
	damaged := copyOf(t, dir)
	const segment = logFolder + "/segment-000000000"
	healthy := readFile(t, damaged, segment)
	altered(t, damaged, segment, func(content []byte) []byte { return content[:100] })
	peer, _ := start(t, dir)
	honest, err := url.Parse("http://" + peer.APIAddress())
	if err != nil {
		t.Fatal(err)
	}
	other, _ := start(t, grown(t))
	proxy := httputil.NewSingleHostReverseProxy(honest)
	proxy.ModifyResponse = func(response *http.Response) error {
		if !strings.Contains(response.Request.URL.Path, "/tile/") {
			return nil
		}
		content, err := io.ReadAll(response.Body)
		response.Body = io.NopCloser(bytes.NewReader(flipped(content)))
		return err
	}
	lying := httptest.NewServer(proxy)
	defer lying.Close()
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.URL.Path, "/tile/") {
			httputil.NewSingleHostReverseProxy(honest).ServeHTTP(w, r)
			return
		}
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write([]byte{0}) // the rest never comes
		_ = http.NewResponseController(w).Flush()
		<-release
	}))
	defer hanging.Close()
	defer close(release)
	liars := []string{lying.URL, "http://" + other.APIAddress(), hanging.URL, "http://127.0.0.1:1"}
	options := RepairOptions{From: liars, answer: time.Second}
	report, err := Repair(t.Context(), damaged, options, quiet)
	if err != nil || report.Log.Whole() || report.Check != nil {
		t.Errorf("%+v, %v", report, err)
	}
	for i, says := range []string{"another log than", "it is a node of ledger", "did not answer in 1s", "unavailable"} {
		if at := slices.IndexFunc(report.Log.Refused, func(r outcomes.Refused) bool { return r.Source == liars[i] }); at < 0 || !strings.Contains(report.Log.Refused[at].Why, says) {
			t.Errorf("of %s it says %+v, want %q", liars[i], report.Log.Refused, says)
		}
	}
	if got := readFile(t, damaged, segment); len(got) != 100 {
		t.Errorf("the damaged segment has %d bytes now", len(got))
	}
	options.From = append(options.From, honest.String())
	if report, err = Repair(t.Context(), damaged, options, quiet); err != nil || !report.Log.Whole() || report.Check == nil {
		t.Errorf("with an honest node: %+v, %v", report, err)
	}
	if !bytes.Equal(readFile(t, damaged, segment), healthy) {
		t.Error("the segment has other bytes than before")
	}
	if _, err := Repair(t.Context(), damaged, RepairOptions{From: []string{"node.example"}}, quiet); types.CodeOf(err) != types.CodeMalformed {
		t.Errorf("an address that is none: %v", err)
	}
	if _, err := Repair(t.Context(), dir, RepairOptions{}, quiet); err == nil {
		t.Error("a running node is repaired")
	}
}

// TestRepairAlone repairs an index and snapshots without another node, and leaves a healthy node as it is.
func TestRepairAlone(t *testing.T) {
	t.Parallel()
	dir, quiet := grown(t), slog.New(slog.DiscardHandler)
	report, err := Repair(t.Context(), dir, RepairOptions{}, quiet)
	if err != nil || len(report.Log.Damaged)+len(report.Others) > 0 || report.Check == nil {
		t.Fatalf("of a healthy node: %+v, %v", report, err)
	}
	want := report.Check.Index
	for _, change := range []func([]byte) []byte{
		func(content []byte) []byte { return content[:len(content)/2] },
		func(content []byte) []byte { return make([]byte, len(content)) },
		func([]byte) []byte { return []byte("no database") },
	} {
		altered(t, dir, indexFile, change)
		snapshots := filepath.Join(dir, snapshotsFolder, "5")
		if err := os.MkdirAll(snapshots, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(snapshots, "head"), []byte("cut off"), 0o600); err != nil {
			t.Fatal(err)
		}
		report, err := Repair(t.Context(), dir, RepairOptions{}, quiet)
		if err != nil || len(report.Others) != 2 || report.Check == nil || report.Check.Index != want {
			t.Errorf("%+v, %v", report, err)
		}
		if _, err := os.Stat(snapshots); err == nil {
			t.Error("a damaged snapshot stays")
		}
	}
	settings, err := LoadSettings(dir)
	if err != nil {
		t.Fatal(err)
	}
	settings.Keep = "720h"
	if err := writeSettings(filepath.Join(dir, settingsFile), settings); err != nil {
		t.Fatal(err)
	}
	if _, err := Repair(t.Context(), dir, RepairOptions{All: true}, quiet); types.CodeOf(err) != types.CodePruned {
		t.Errorf("all outcomes of a node that prunes: %v", err)
	}
}
