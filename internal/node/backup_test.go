package node

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/archive"
	"lockstep/internal/httpapi"
	"lockstep/types"
)

func quietly() *slog.Logger { return slog.New(slog.DiscardHandler) }

// backupOf makes a backup of a node, which runs, or is nil when the folder's is stopped.
func backupOf(t *testing.T, n *Node, dir string, keys bool) ([]byte, Backup) {
	t.Helper()
	var running io.Reader
	if n != nil {
		from, to := io.Pipe()
		go func() { to.CloseWithError(n.WriteBackup(context.Background(), to)) }()
		running = from
	}
	var file bytes.Buffer
	about, hash, err := MakeBackup(t.Context(), dir, &file, running, keys, quietly())
	if err != nil {
		t.Fatal(err)
	}
	again, same, err := ReadBackup(bytes.NewReader(file.Bytes()))
	if err != nil || again != about || hash != same {
		t.Fatalf("%+v, %v", again, err)
	}
	if _, err := os.Stat(filepath.Join(dir, checkpointFolder)); err == nil {
		t.Error("a copy of the store is left")
	}
	return file.Bytes(), about
}

func restored(t *testing.T, file []byte) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "node")
	if _, _, err := Restore(t.Context(), bytes.NewReader(file), dir, "", quietly()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestBackupUnderLoad: a backup of a sole validator that is taken while it decides transactions has all that were final before. The restored
// node signs nothing until its operator says that it is alone.
func TestBackupUnderLoad(t *testing.T) {
	t.Parallel()
	dir := initNode(t, quickParams())
	n, stop := start(t, dir)
	before := mint(n.Params(), 1000, "peter")
	must(t, n.Ledger(), before)
	loaded, quit := sync.WaitGroup{}, make(chan struct{})
	loaded.Go(func() {
		for i := types.Amount(1); ; i++ {
			select {
			case <-quit:
				return
			default:
			}
			tx := mint(n.Params(), i, "clara")
			if err := n.Ledger().Submit(context.Background(), tx); err != nil {
				t.Error(err)
				return
			}
			if _, err := n.Ledger().Await(context.Background(), tx.ID()); err != nil {
				t.Error(err)
				return
			}
		}
	})
	file, about := backupOf(t, n, dir, true)
	close(quit)
	loaded.Wait()
	if about.Height == 0 || about.Blocks < about.Height || about.ChainID != "test" || !about.Keys {
		t.Errorf("%+v", about)
	}
	stop()

	copied := restored(t, file)
	if mine, err := IdentityOf(copied); err != nil || mine.Genesis != about.Genesis {
		t.Errorf("%+v, %v", mine, err)
	}
	m, stopCopy := start(t, copied)
	if receipt, err := m.Ledger().Receipt(t.Context(), before.ID()); err != nil || receipt.Status != wire.StatusCommitted {
		t.Errorf("%+v, %v", receipt, err)
	}
	status, err := m.Ledger().Status(t.Context())
	if err != nil || !m.chain.Held() || len(status.Troubles) != 1 || !strings.Contains(status.Troubles[0], "restored backup") {
		t.Errorf("it signs at once: %+v, %v", status, err)
	}
	stopCopy()
	m, _ = startWith(t, Config{Dir: copied, API: "127.0.0.1:0", SignNow: true})
	must(t, m.Ledger(), mint(m.Params(), 3, "paula"))
	awaitIndex(t, m)
}

// TestBackupBeforeTheFirstBlock: a node that waits for others says which node it is, and why it gives no backup.
func TestBackupBeforeTheFirstBlock(t *testing.T) {
	t.Parallel()
	two := places(t, 2)
	if err := InitAll(two, quickParams(), 0); err != nil {
		t.Fatal(err)
	}
	n, _ := start(t, two[0].Dir)
	address := "http://" + n.APIAddress()
	asked, err := client.New(address)
	if err != nil {
		t.Fatal(err)
	}
	network, err := asked.Network(t.Context())
	if own, idErr := IDOf(two[0].Dir); err != nil || idErr != nil || network.Node != own {
		t.Errorf("it is %q, %v, %v", network.Node, err, idErr)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+httpapi.BackupPath, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+n.Token())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(text), "the ledger has not begun: there is nothing to keep") {
		t.Errorf("%s: %s, %v", response.Status, text, err)
	}
}

// TestBackupOfAFollower: a restored node follows its peers, whether its backup was made while it ran or not.
func TestBackupOfAFollower(t *testing.T) {
	t.Parallel()
	first, _ := start(t, listening(t))
	must(t, first.Ledger(), mint(quickParams(), 1000, "peter"))
	network, err := network{first}.Network()
	if err != nil {
		t.Fatal(err)
	}
	options := JoinOptions{Genesis: network.File, Hash: network.Genesis}
	options.Settings.P2PPeers = PeersOf(&network, "127.0.0.1")
	dir := t.TempDir()
	if err := Join(dir, options); err != nil {
		t.Fatal(err)
	}
	follower, stop := start(t, dir)
	tx := mint(quickParams(), 1, "paula")
	must(t, follower.Ledger(), tx)
	running, _ := backupOf(t, follower, dir, true)
	stop()
	stopped, _ := backupOf(t, nil, dir, false)
	later := mint(quickParams(), 2, "paula")
	must(t, first.Ledger(), later)
	var names []types.PublicKey
	for _, file := range [][]byte{running, stopped} {
		copied := restored(t, file)
		mine, err := IdentityOf(copied)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, mine.Validator)
		n, stop := start(t, copied)
		if receipt, err := n.Ledger().Await(t.Context(), later.ID()); err != nil || receipt.Status != wire.StatusCommitted {
			t.Errorf("%+v, %v", receipt, err)
		}
		stop()
	}
	if mine, err := IdentityOf(dir); err != nil || names[0] != mine.Validator || names[1] == mine.Validator {
		t.Errorf("keys %v, of the original %v, %v", names, mine.Validator, err)
	}
	if bytes.Contains(stopped, []byte("PRIVATE")) || bytes.Contains(stopped, []byte("priv_key")) || bytes.Contains(stopped, []byte(tokenFile)) {
		t.Error("a backup without keys has some")
	}
}

// TestKeysOfAnother: a node that fell behind is made anew from the backup of another, and stays itself.
func TestKeysOfAnother(t *testing.T) {
	t.Parallel()
	first, _ := start(t, listening(t))
	must(t, first.Ledger(), mint(quickParams(), 1000, "peter"))
	network, err := network{first}.Network()
	if err != nil {
		t.Fatal(err)
	}
	options := JoinOptions{Genesis: network.File, Hash: network.Genesis}
	options.Settings.P2PPeers = PeersOf(&network, "127.0.0.1")
	behind, other := t.TempDir(), initNode(t, quickParams())
	if err := Join(behind, options); err != nil {
		t.Fatal(err)
	}
	for _, keys := range []bool{true, false} {
		file, about := backupOf(t, first, first.dir, keys)
		dir := filepath.Join(t.TempDir(), "node")
		if _, _, err := Restore(t.Context(), bytes.NewReader(file), dir, behind, quietly()); err != nil {
			t.Fatal(err)
		}
		want, err := IdentityOf(behind)
		if got, gotErr := IdentityOf(dir); err != nil || gotErr != nil || got != want {
			t.Errorf("%+v, want %+v, %v", got, want, errors.Join(err, gotErr))
		}
		if mine, err := LoadToken(dir); err != nil || mine == first.Token() {
			t.Errorf("it has the token of the other: %v", err)
		}
		if report, err := Check(dir, quietly()); err != nil || report.Height != about.Height {
			t.Errorf("%+v, %v", report, err)
		}
		if _, _, err := Restore(t.Context(), bytes.NewReader(file), dir+"x", other, quietly()); err == nil || !strings.Contains(err.Error(), "another ledger") {
			t.Errorf("the keys of another ledger: %v", err)
		}
	}
}

// TestDamagedBackups: a backup that is cut off or changed anywhere is refused, and leaves no folder.
func TestDamagedBackups(t *testing.T) {
	t.Parallel()
	source := initNode(t, quickParams())
	n, stop := start(t, source)
	must(t, n.Ledger(), mint(n.Params(), 1000, "peter"))
	stop()
	file, _ := backupOf(t, nil, source, true)
	flip := func(near string) []byte {
		at := bytes.Index(file, []byte(near))
		if at < 0 {
			t.Fatalf("the backup has no %q", near)
		}
		changed := bytes.Clone(file)
		changed[at+len(near)] ^= 1
		return changed
	}
	rewritten := func(name string, change func([]byte) []byte) []byte {
		var out bytes.Buffer
		w := archive.NewWriter(&out)
		var about Backup
		_, err := archive.Read(bytes.NewReader(file), &about, func(at string, size int64, content io.Reader) error {
			text, err := io.ReadAll(content)
			if at == name {
				text = change(text)
			}
			return errors.Join(err, w.Add(at, int64(len(text)), bytes.NewReader(text)))
		})
		if _, closeErr := w.Close(about); err != nil || closeErr != nil {
			t.Fatal(err, closeErr)
		}
		return out.Bytes()
	}
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"empty":                  {nil, "cut off"},
		"half":                   {file[:len(file)/2], "cut off"},
		"without its list":       {file[:bytes.LastIndex(file, []byte("lockstep-archive-1"))-1000], ""},
		"changed settings":       {flip(`"log_level": "`), "node.json is changed"},
		"another file's content": {rewritten("engine/config/genesis.json", func(b []byte) []byte { return bytes.Replace(b, []byte(`"clock_cap"`), []byte(`"clock_cup"`), 1) }), "clock_cup"},
		"a changed block": {rewritten("engine/data/blockstore.kv/000000", func(b []byte) []byte {
			b = bytes.Clone(b)
			b[len(b)/2] ^= 1
			return b
		}), ""},
		"text": {[]byte(strings.Repeat("not a backup ", 100)), "another kind of file"},
	} {
		dir := filepath.Join(t.TempDir(), "node")
		_, _, err := Restore(t.Context(), bytes.NewReader(c.file), dir, "", quietly())
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Lstat(dir); err == nil {
			t.Errorf("%s leaves a folder", name)
		}
		if _, err := os.Stat(dir + ".restoring"); err == nil {
			t.Errorf("%s leaves files", name)
		}
	}
	for _, name := range []string{"ledger/../../x", "engine/data/x", "home.json", "engine/data/home.json"} {
		if err := allowed(name); err == nil {
			t.Errorf("%s is a file of a node", name)
		}
	}
	if _, _, err := Restore(t.Context(), bytes.NewReader(file), source, "", quietly()); err == nil {
		t.Error("it overwrites a node")
	}
}
