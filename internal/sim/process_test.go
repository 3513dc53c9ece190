package sim

import (
	"os"
	"os/exec"
	"testing"
)

// TestProcessOver: a node that a reader starts while the town closes does not outlive it.
func TestProcessOver(t *testing.T) {
	t.Parallel()
	started := false
	p := &process{dir: t.TempDir(), address: "127.0.0.1:1", command: func(string, string) *exec.Cmd {
		started = true
		return exec.Command(os.Args[0], "-test.run=^$")
	}}
	p.stop()
	if err := p.start(t.Context()); err == nil || started {
		t.Errorf("a process was started after the end: %v, %v", started, err)
	}
}
