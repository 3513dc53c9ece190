//go:build unix

package doctest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"lockstep/client"
)

// session is a shell in a home folder of its own, like that of a reader.
type session struct {
	t       *testing.T
	home    string
	api     string // where its node listens, instead of the default address
	stdin   io.Writer
	lines   chan string
	started bool // a node was started and has not been heard of yet
}

const (
	defaultAPI = "127.0.0.1:8645"
	shownHome  = "/home/you"
	done       = "-- doctest: exit code"
	patience   = 60 * time.Second // for one command; none takes a tenth of it
)

// cheap makes wallets whose passphrase costs nothing to guess, and puts nodes where no other listens.
const cheap = `#!/bin/sh
case "$1 $2" in
"wallet new" | "wallet restore") exec "$PROGRAM" "$@" --work 10 ;;
"node init") exec "$PROGRAM" "$@" --api "$API" ;;
esac
exec "$PROGRAM" "$@"
`

func newSession(t *testing.T, number int) *session {
	t.Helper()
	s := &session{t: t, home: t.TempDir(), api: freeAddress(t, number), lines: make(chan string, 1024)}
	bin := t.TempDir()
	repository, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	for file, content := range map[string]string{
		filepath.Join(bin, "lockstep"): cheap,
		filepath.Join(bin, "go.work"):  goVersion.FindString(read(t, "go.mod")) + "\nuse " + repository + "\n",
	} {
		if err := os.WriteFile(file, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	shell := exec.Command("sh")
	shell.Dir = s.home
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that its background processes end with the test
	shell.Env = append(os.Environ(),
		"HOME="+s.home, "PATH="+bin+":"+os.Getenv("PATH"), "PROGRAM="+program, "API="+s.api, "LOCKSTEP_NODE=http://"+s.api,
		"GOWORK="+filepath.Join(bin, "go.work"), "GOFLAGS=-mod=readonly", "GOPATH="+goenv(t, "GOPATH"), "GOCACHE="+goenv(t, "GOCACHE"),
		"TZ=UTC", "LC_ALL=C", "COLUMNS=100")
	s.start(shell)
	return s
}

func (s *session) start(shell *exec.Cmd) {
	stdin, err := shell.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	out, in, err := os.Pipe()
	if err != nil {
		s.t.Fatal(err)
	}
	s.stdin, shell.Stdout, shell.Stderr = stdin, in, in
	if err := shell.Start(); err != nil {
		s.t.Fatal(err)
	}
	in.Close()
	go func() { // ends when the last process that writes there has ended
		defer close(s.lines)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			s.lines <- scanner.Text()
		}
	}()
	s.t.Cleanup(func() {
		_ = syscall.Kill(-shell.Process.Pid, syscall.SIGKILL)
		_ = shell.Wait()
		for range s.lines {
		}
		out.Close()
	})
}

// run runs a command and returns its output on both streams, in the words of the document, and whether it succeeded.
func (s *session) run(command string) (printed []string, ok bool) {
	s.t.Helper()
	if s.started && strings.HasPrefix(command, "sleep ") { // the reader waits for the node; here it is asked
		s.ready()
		return nil, true
	}
	command = strings.ReplaceAll(command, defaultAPI, s.api)
	fmt.Fprintf(s.stdin, "{\n%s\n} < /dev/null\nprintf '\\n%s %%s\\n' $?\n", command, done)
	s.started = s.started || startsNode.MatchString(command)
	timeout := time.After(patience)
	for {
		select {
		case line, open := <-s.lines:
			if !open {
				s.t.Fatalf("the shell ended in: %s\n%s", command, strings.Join(printed, "\n"))
			}
			if code, ended := strings.CutPrefix(line, done); ended {
				return trim(printed), strings.TrimSpace(code) == "0"
			}
			if strings.HasPrefix(line, "go: downloading ") { // once on a machine
				continue
			}
			line = strings.TrimRight(strings.ReplaceAll(line, s.home, shownHome), " ")
			printed = append(printed, strings.ReplaceAll(line, s.api, defaultAPI))
		case <-timeout:
			s.t.Fatalf("still running after %s: %s\n%s", patience, command, strings.Join(printed, "\n"))
		}
	}
}

var goVersion = regexp.MustCompile(`(?m)^go .*$`)

var startsNode = regexp.MustCompile(`lockstep node start.*&$`)

// ready waits until the node answers and has a block.
func (s *session) ready() {
	s.t.Helper()
	node, err := client.New("http://" + s.api)
	if err != nil {
		s.t.Fatal(err)
	}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if status, err := node.Status(context.Background()); err == nil && status.Height > 0 {
			s.started = false
			return
		}
	}
	log, _ := s.run("tail -n 20 node.log") // in the folder that the reader stands in
	s.t.Fatalf("the node did not come up:\n%s", strings.Join(log, "\n"))
}

// freeAddress gives each session of a run other ports: the first of those is free, and the next ones, which a ledger of several validators takes for the others.
// The ports lie below those that a system gives to outgoing connections, one of which could otherwise take the port of a node while it is down.
func freeAddress(t *testing.T, number int) string {
	t.Helper()
	const nodes, sessions = 4, 40
	if number >= sessions {
		t.Fatalf("session %d has no ports", number)
	}
	for port := 12000 + (os.Getpid()%50*sessions+number)*nodes; port+nodes <= 32000; port += 8000 {
		if free(port, nodes) {
			return fmt.Sprintf("127.0.0.1:%d", port)
		}
	}
	t.Fatal("no port is free")
	return ""
}

// free reports whether so many ports are free.
func free(port, count int) bool {
	for next := port; next < port+count; next++ {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", next))
		if err != nil {
			return false
		}
		listener.Close()
	}
	return true
}

func goenv(t *testing.T, name string) string {
	t.Helper()
	value, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(value))
}
