package node

import (
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"lockstep/internal/disk/disktest"
	"lockstep/types"
)

// TestFullDisk: a node on a full disk halts by itself and reports the cause. So do its next start and its check, within seconds, until there
// is space again. Nothing is lost.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	disktest.Run(t, "128m", func(disk string) {
		dir := filepath.Join(disk, "node")
		if err := Init(dir, InitOptions{Params: types.DefaultParams("test")}); err != nil {
			t.Fatal(err)
		}
		quiet := slog.New(slog.DiscardHandler)
		n, stop := start(t, dir)
		tx := mint(n.Params(), 7, "peter")
		must(t, n.Ledger(), tx)
		stop()

		n, err := Open(Config{Dir: dir, API: "127.0.0.1:0"}, quiet)
		if err != nil {
			t.Fatal(err)
		}
		running := make(chan error, 1)
		go func() { running <- n.Run(t.Context()) }()
		free := disktest.Fill(t, disk)
		status, err := n.Ledger().Status(t.Context())
		if err != nil || len(status.Troubles) == 0 || !strings.Contains(status.Troubles[0], "0 kB left") {
			t.Errorf("status: %q, %v", status.Troubles, err)
		}
		select {
		case err := <-running:
			wantFull(t, "a running node", err)
		case <-time.After(30 * time.Second):
			t.Fatal("the node goes on without room")
		}
		_ = n.Close() // closing may fail to write

		_, err = Open(Config{Dir: dir, API: "127.0.0.1:0"}, quiet)
		wantFull(t, "start", err)
		_, err = Check(dir, quiet)
		wantFull(t, "check", err)
		free()
		report, err := Check(dir, quiet)
		if err != nil || report.Txs != 1 {
			t.Errorf("with room again: %d transactions, %v", report.Txs, err)
		}
	})
}

func wantFull(t *testing.T, who string, err error) {
	t.Helper()
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "make room there") || !strings.Contains(err.Error(), "32 MB") {
		t.Errorf("%s: %v", who, err)
	}
}

// TestCauses: a node reports why it can't access its files.
func TestCauses(t *testing.T) {
	t.Parallel()
	t.Run("read-only", func(t *testing.T) {
		t.Parallel()
		disktest.Run(t, "64m", func(disk string) {
			dir := filepath.Join(disk, "node")
			if err := Init(dir, InitOptions{Params: types.DefaultParams("test")}); err != nil {
				t.Fatal(err)
			}
			disktest.ReadOnly(t, disk)
			_, err := Open(Config{Dir: dir, API: "127.0.0.1:0"}, slog.New(slog.DiscardHandler))
			wantCause(t, err, syscall.EROFS, "is read-only")
		})
	})
	for _, file := range []string{
		"ledger", "ledger/LOCK", "engine/data/blockstore.db", "engine/config/genesis.json", "engine/config/priv_validator_key.json", "node.json", "api.token", "index.db",
	} {
		t.Run("denied "+file, func(t *testing.T) {
			t.Parallel()
			dir := initNode(t, types.DefaultParams("test"))
			_, stop := start(t, dir)
			stop()
			wantChildFails(t, dir, filepath.Join(dir, file), 0)
		})
	}
	t.Run("few files", func(t *testing.T) {
		t.Parallel()
		dir := initNode(t, types.DefaultParams("test"))
		wantChildFails(t, dir, "", 64)
	})
}

func wantCause(t *testing.T, err error, cause error, says string) {
	t.Helper()
	if !errors.Is(err, cause) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "remove it") {
		t.Errorf("%v, want %v", err, cause)
	}
}

// wantChildFails starts a node as a user without rights to a path, or with a low limit of open files.
func wantChildFails(t *testing.T, dir, path string, files uint64) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childFolder+"="+dir)
	says := "raise the limit"
	if path != "" {
		const nobody = 65534
		says = "permission denied"
		err := filepath.Walk(dir, func(name string, _ os.FileInfo, err error) error {
			if err != nil || strings.HasPrefix(name, path) {
				return err
			}
			return os.Chown(name, nobody, nobody)
		})
		for up := dir; err == nil && up != os.TempDir() && up != "/"; up = filepath.Dir(up) {
			err = os.Chmod(up, 0o777)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, 0o700); err != nil {
			t.Fatal(err)
		}
		command.Env = append(command.Env, childUser+"=65534")
	} else {
		command = exec.Command("sh", "-c", "ulimit -n 64; exec \"$0\"", os.Args[0])
		command.Env = append(os.Environ(), childFolder+"="+dir)
	}
	output, err := command.CombinedOutput()
	text := string(output)
	if err == nil || !strings.Contains(text, says) || strings.Contains(text, "in use") || strings.Contains(text, "damaged") || strings.Contains(text, "goroutine") {
		t.Errorf("%v: %s", err, text)
	}
}
