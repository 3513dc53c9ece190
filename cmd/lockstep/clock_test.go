package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
)

// shifted is the program built so that a file tells how far its wall clock is off.
type shifted struct {
	t       *testing.T
	program string
	home    string
	clock   string // that file
	api     string
	node    *client.Client
}

func newShifted(t *testing.T) *shifted {
	t.Helper()
	dir := t.TempDir()
	s := &shifted{t: t, program: filepath.Join(dir, "lockstep"), home: filepath.Join(dir, "home"), clock: filepath.Join(dir, "clock")}
	build := exec.Command("go", "build", "-tags", "clockshift", "-o", s.program, ".")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	var err error
	if s.api, err = freeAddress(); err != nil {
		t.Fatal(err)
	}
	if s.node, err = client.New("http://" + s.api); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *shifted) set(off string) {
	s.t.Helper()
	err := os.WriteFile(s.clock+".new", []byte(off), 0o600)
	if err == nil {
		err = os.Rename(s.clock+".new", s.clock)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *shifted) command(args ...string) *exec.Cmd {
	command := exec.Command(s.program, append([]string{"--home", s.home}, args...)...)
	command.Env = append(os.Environ(), "LOCKSTEP_TEST_CLOCK="+s.clock)
	return command
}

func (s *shifted) run(args ...string) string {
	s.t.Helper()
	output, err := s.command(args...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("%v: %v\n%s", args, err, output)
	}
	return string(output)
}

// start runs a node until stop is called, which returns its log.
func (s *shifted) start() (stop func() string) {
	s.t.Helper()
	command := s.command("node", "start")
	var log bytes.Buffer
	command.Stderr = &log
	if err := command.Start(); err != nil {
		s.t.Fatal(err)
	}
	stop = sync.OnceValue(func() string {
		_ = command.Process.Signal(syscall.SIGTERM)
		if err := command.Wait(); err != nil {
			s.t.Errorf("the node ended with %v\n%s", err, &log)
		}
		return log.String()
	})
	s.t.Cleanup(func() { stop() })
	return stop
}

// await waits for a status.
func (s *shifted) await(what string, fits func(wire.Status) bool) wire.Status {
	s.t.Helper()
	var status wire.Status
	for range 1200 {
		var err error
		if status, err = s.node.Status(context.Background()); err == nil && fits(status) {
			return status
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.t.Fatalf("%s: not within a minute: %+v", what, status)
	return status
}

// TestClock: a real node whose wall clock is a day ahead for a while, then an hour behind its ledger.
func TestClock(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the program")
	}
	t.Parallel()
	s := newShifted(t)
	s.run("node", "init", "--api", s.api)
	stop := s.start()
	first := s.await("the first block", func(st wire.Status) bool { return st.Height > 0 })
	s.set("24h")
	s.await("it says that the clock is ahead", func(st wire.Status) bool {
		return len(st.Troubles) > 0 && strings.Contains(st.Troubles[0], "more than the time that has passed")
	})
	ahead := s.await("blocks go on", func(st wire.Status) bool { return st.Height > first.Height+2 })
	if off := time.Until(ahead.BlockTime.Std()); off > time.Minute {
		t.Errorf("block time is %s ahead", off)
	}
	s.set("0s")
	s.await("it is right again", func(st wire.Status) bool { return len(st.Troubles) == 0 && st.Height > ahead.Height })
	if log := stop(); strings.Count(log, "more than the time that has passed") != 1 || !strings.Contains(log, "believed again") {
		t.Error(log)
	}

	s.set("-1h")
	stop = s.start()
	behind := s.await("it says that the ledger is ahead", func(st wire.Status) bool {
		return len(st.Troubles) > 0 && strings.Contains(st.Troubles[0], "ahead of this machine's clock")
	})
	s.await("blocks go on", func(st wire.Status) bool { return st.Height > behind.Height+1 })
	stop()
	if output := s.run("node", "clock"); !strings.Contains(output, "59m") && !strings.Contains(output, "1h0m") || !strings.Contains(output, "--follow-ledger") {
		t.Error(output)
	}
	s.run("node", "clock", "--follow-ledger")
	stop = s.start()
	accepted := s.await("it goes on", func(st wire.Status) bool { return st.Height > behind.Height+2 && len(st.Troubles) == 0 })
	s.await("its clock goes on", func(st wire.Status) bool { return st.Clock > accepted.Clock.Add(1500) })
	stop()
	if output := s.run("node", "check"); !strings.Contains(output, "Everything agrees") {
		t.Error(output)
	}
}
