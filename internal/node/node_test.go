package node

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lockstep/internal/ledgertest/party"
	"lockstep/internal/store"
	"lockstep/types"
)

func TestNodeRestart(t *testing.T) {
	t.Parallel()
	params := quickParams()
	dir := initNode(t, params)
	n, stop := start(t, dir)
	issue := mint(params, 1000, "peter", "clara")
	must(t, n.Ledger(), issue)
	stop()

	n, stop = start(t, dir)
	pay := body(params)
	pay.Inputs = []types.Outpoint{{Tx: issue.ID(), Index: 1}}
	pay.Outputs = []types.Output{party.Output("peter", 400), party.Output("clara", 600)}
	must(t, n.Ledger(), party.Sign(pay, "clara"))
	coins, balances := holdings(t, n.Ledger(), "peter")
	if len(coins) != 2 || len(balances) != 1 || balances[0].Spendable != 1400 {
		t.Errorf("peter has %+v", balances)
	}
	stop()

	report, err := Check(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if report.Txs != 2 || report.Outputs != 3 {
		t.Errorf("the store holds %+v", report)
	}
}

func TestSecretFileModes(t *testing.T) {
	t.Parallel()
	dir := initNode(t, quickParams())
	for _, file := range []string{"api.token", "engine/config/priv_validator_key.json", "engine/config/node_key.json"} {
		info, err := os.Stat(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o", file, mode)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	quiet := slog.New(slog.DiscardHandler)
	for _, c := range []struct {
		name, want string
		spoil      func(dir string) error
	}{
		{"not a node's folder", "is not the folder of a node", func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, settingsFile)), os.RemoveAll(filepath.Join(dir, engineFolder)))
		}},
		{"unfinished folder", "its making was interrupted", func(dir string) error { return os.Remove(filepath.Join(dir, settingsFile)) }},
		{"lost settings", "restore that file, or write {}", func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, settingsFile)), os.Mkdir(filepath.Join(dir, storeFolder), 0o700))
		}},
		{"unknown setting", "unknown field", write(settingsFile, `{"apy":"127.0.0.1:1"}`)},
		{"bad address", "is not an address", write(settingsFile, `{"api":"nowhere"}`)},
		{"bad peer", "is not a node", write(settingsFile, `{"p2p_peers":["127.0.0.1:1"]}`)},
		{"bad listening address", "p2p_listen", write(settingsFile, `{"p2p_listen":"x"}`)},
		{"no token", "API token", func(dir string) error { return os.Remove(filepath.Join(dir, tokenFile)) }},
		{"bad token", "64 hexadecimal digits", write(tokenFile, "secret")},
		{"no genesis", "genesis", func(dir string) error { return os.RemoveAll(filepath.Join(dir, engineFolder, "config")) }},
		{"store in the way", "store", write(storeFolder, "a file")},
		{"API address in use elsewhere", "can't listen", write(settingsFile, `{"api":"192.0.2.1:1","plain_http":true}`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := initNode(t, quickParams())
			if err := c.spoil(dir); err != nil {
				t.Fatal(err)
			}
			n, err := Open(Config{Dir: dir}, quiet)
			if err == nil {
				t.Fatal("the node opens", n.Close())
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q does not say %q", err, c.want)
			}
		})
	}
}

func write(file, content string) func(dir string) error {
	return func(dir string) error { return os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600) }
}

func TestFolderLock(t *testing.T) {
	t.Parallel()
	dir := initNode(t, quickParams())
	start(t, dir)
	backup := filepath.Join(dir, checkpointFolder) // of the running node
	if err := os.Mkdir(backup, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Dir: dir, API: "127.0.0.1:0"}, slog.New(slog.DiscardHandler)); !errors.Is(err, store.ErrLocked) {
		t.Error(err)
	}
	if _, err := os.Stat(backup); err != nil {
		t.Errorf("a second start removes the backup that the first node makes: %v", err)
	}
	if _, err := Check(dir, slog.New(slog.DiscardHandler)); !errors.Is(err, store.ErrLocked) {
		t.Error(err)
	}
}

func TestInitErrors(t *testing.T) {
	t.Parallel()
	dir := initNode(t, quickParams())
	if err := Init(dir, InitOptions{Params: quickParams()}); err == nil {
		t.Error("a ledger was made over another")
	}
	if err := Init(t.TempDir(), InitOptions{}); err == nil {
		t.Error("a ledger was made without parameters")
	}
	if err := Init(t.TempDir(), InitOptions{Params: quickParams(), Settings: Settings{API: "x"}}); err == nil {
		t.Error("a ledger was made with bad settings")
	}
	if err := Init(t.TempDir(), InitOptions{Params: quickParams(), Settings: Settings{MemoryMB: MinMemoryMB - 1}}); err == nil {
		t.Error("a ledger was made for a node that has no room")
	}
}
