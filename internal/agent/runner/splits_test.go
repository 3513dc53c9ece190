//go:build unix

package runner

import (
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"lockstep/internal/agent"
)

// Nothing that lies in the folder of proposals holds the agent up, and a file that is taken away proposes nothing any more.
func TestFolderOfProposals(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(folder, "pipe.proposal"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"endless": "/dev/zero", "loop": "loop.proposal", "nothing": "absent"} {
		if err := os.Symlink(target, filepath.Join(folder, name+proposalEnd)); err != nil {
			t.Fatal(err)
		}
	}
	text := filepath.Join(folder, "text"+proposalEnd)
	if err := os.WriteFile(text, []byte("not one"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &Runner{Config: Config{Splits: folder, Log: slog.New(slog.DiscardHandler)}, read: map[string]string{}}
	look := func() []agent.Proposed {
		done := make(chan []agent.Proposed, 1)
		go func() { done <- r.proposals() }()
		select {
		case found := <-done:
			return found
		case <-time.After(20 * time.Second):
			t.Fatal("the agent waits for a file")
			return nil
		}
	}
	if found := look(); len(found) != 1 || found[0] != takenBack(text) {
		t.Errorf("%+v", found)
	}
	if err := os.Remove(text); err != nil {
		t.Fatal(err)
	}
	if found := look(); len(found) != 1 || found[0] != takenBack(text) || len(r.read) != 0 {
		t.Errorf("a file that was taken away: %+v", found)
	}
	if found := look(); len(found) != 0 {
		t.Errorf("told again: %+v", found)
	}
}
