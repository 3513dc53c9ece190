package netlab

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The long form has seven validators, more shapes and every file; the short one draws a few by the seed.
var (
	long = flag.Bool("long", false, "take every fault, and seven validators too")
	seed = flag.Uint64("seed", 1, "seed of all that is drawn")
)

func TestMain(m *testing.M) {
	if !Child() {
		os.Exit(m.Run())
	}
}

// outage is longer than every window of a trade: without a quorum the deadlines wait.
const outage = time.Duration(window)*time.Millisecond + 4*time.Second

// sizes are the numbers of validators that a test takes, each with its largest number of faulty ones.
func sizes() []int {
	if *long {
		return []int{4, 7}
	}
	return []int{4}
}

// each runs a test with each number of validators, under traffic, and verifies the history at its end.
func each(t *testing.T, test func(t *testing.T, l *Lab, traffic *Traffic)) {
	for _, n := range sizes() {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			l := New(t, n, *seed)
			traffic := l.Trade(n, *seed)
			traffic.Flows()
			test(t, l, traffic)
			traffic.Verify()
		})
	}
}

// TestKillValidators: validators are killed one after the other, f at once, more than f, and all, while parties trade.
func TestKillValidators(t *testing.T) {
	if testing.Short() {
		t.Skip("validators as processes: make test runs them, without the race detector")
	}
	t.Parallel()
	each(t, func(t *testing.T, l *Lab, traffic *Traffic) {
		f := (len(l.Nodes) - 1) / 3
		for _, n := range l.Nodes {
			l.Kill(n)
			traffic.Flows()
			l.Start(n)
			l.Goes(n)
		}
		t.Logf("%d at once: the ledger goes on", f)
		l.Kill(l.Nodes[:f]...)
		traffic.Flows()
		l.Start(l.Nodes[:f]...)
		l.Goes(l.Nodes...)
		t.Logf("%d at once: the ledger stands", f+1)
		l.Kill(l.Nodes[:f+1]...)
		l.Stands(outage, l.Nodes[f+1:]...)
		l.Start(l.Nodes[0])
		traffic.Flows()
		l.Start(l.Nodes[1 : f+1]...)
		l.Goes(l.Nodes...)
		t.Log("all at once")
		l.Kill(l.Nodes...)
		l.Start(l.Nodes...)
		traffic.Flows()
	})
}

// TestPartitions: the network is cut in every shape. A side with a quorum goes on, the others stand, and no deadline passes.
func TestPartitions(t *testing.T) {
	if testing.Short() {
		t.Skip("validators as processes: make test runs them, without the race detector")
	}
	t.Parallel()
	each(t, func(t *testing.T, l *Lab, traffic *Traffic) {
		n := len(l.Nodes)
		for _, shape := range shapes(n, n) {
			if !*long && shape[0] < n-1 && shape[0] != n/2 {
				continue // the short form: one alone, and two halves
			}
			t.Logf("groups of %v", shape)
			groups, at := [][]int{}, 0
			for _, size := range shape {
				group := []int{}
				for range size {
					group = append(group, at)
					at++
				}
				groups = append(groups, group)
			}
			l.Split(groups...)
			if largest := l.Nodes[:shape[0]]; 3*len(largest) > 2*n {
				l.Goes(largest...)
				traffic.Flows()
				l.Stands(outage/4, l.Nodes[shape[0]:]...)
			} else {
				l.Stands(outage, l.Nodes...)
			}
			l.Heal()
			l.Goes(l.Nodes...)
			traffic.Flows()
		}
		for _, shape := range []struct {
			name   string
			joined func(from, to int) bool
		}{
			{"a ring: each sees two neighbours", func(from, to int) bool { return (from-to+n)%n == 1 || (to-from+n)%n == 1 }},
			{"a star: all see the first alone", func(from, to int) bool { return from == 0 || to == 0 }},
			{"the third hears, and is not heard", func(from, _ int) bool { return from != 2 }},
			{"the third is heard, and does not hear", func(_, to int) bool { return to != 2 }},
		} {
			t.Log(shape.name)
			l.Shape(shape.joined)
			traffic.Flows()
			l.Heal()
			l.Goes(l.Nodes...)
		}
	})
}

// shapes are the ways to split a number into groups, the largest first, but for the whole.
func shapes(n, most int) (all [][]int) {
	if n == 0 {
		return [][]int{nil}
	}
	for first := min(n, most); first >= 1; first-- {
		for _, rest := range shapes(n-first, first) {
			if shape := append([]int{first}, rest...); len(shape) > 1 || most < n || n == first && most == n {
				all = append(all, shape)
			}
		}
	}
	return all
}

// TestBadLinks: packets are lost and late, hosts sleep, and links are slow. Trades end all the same.
func TestBadLinks(t *testing.T) {
	if testing.Short() {
		t.Skip("validators as processes: make test runs them, without the race detector")
	}
	t.Parallel()
	each(t, func(t *testing.T, l *Lab, traffic *Traffic) {
		l.Links(Link{Loss: 50, Delay: 30 * time.Millisecond, Jitter: 30 * time.Millisecond})
		traffic.Flows()
		l.Heal()
		l.Rate(125_000) // 1,000 kbit/s
		traffic.Flows()
		l.Rate(0)
		f := (len(l.Nodes) - 1) / 3
		l.Freeze(l.Nodes[:f+1]...)
		time.Sleep(outage)
		l.Thaw(l.Nodes[:f+1]...)
		l.Goes(l.Nodes...)
	})
}

// TestDisks: the disk of a validator is full, and then only to be read. It says so and ends or stands; the others go on, and it comes back.
func TestDisks(t *testing.T) {
	if testing.Short() {
		t.Skip("validators as processes: make test runs them, without the race detector")
	}
	t.Parallel()
	l := New(t, 4, *seed)
	traffic := l.Trade(4, *seed)
	traffic.Flows()
	n, others := l.Nodes[3], l.Nodes[:3]
	l.Stop(n)
	onOwnDisk(t, n.Dir, 256<<20)
	l.Start(n)
	l.Goes(n)
	filler := filepath.Join(n.Dir, "filler")
	fill(t, filler)
	traffic.Flows()
	l.Goes(others...)
	waitFor(t, "a word on the full disk", func() bool {
		status, ok := n.Status(t.Context())
		return !n.Running() && mentions(n.log.String(), "no space left", "disk is full") || ok && slices.ContainsFunc(status.Troubles, func(s string) bool { return strings.Contains(s, "disk") })
	})
	l.Kill(n)
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	l.Start(n)
	l.Goes(n)
	l.Stop(n)
	if err := syscall.Mount("", n.Dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	l.Start(n)
	waitFor(t, "the end of a node that can't write", func() bool { return !n.Running() })
	if text := n.log.String(); !mentions(text, "read-only") {
		t.Errorf("the log does not name the reason:\n%s", text)
	}
	traffic.Flows()
	if err := syscall.Mount("", n.Dir, "", syscall.MS_REMOUNT, ""); err != nil {
		t.Fatal(err)
	}
	l.Kill(n)
	l.Start(n)
	l.Goes(n)
	traffic.Verify()
}

func mentions(text string, words ...string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(strings.ToLower(text), word) })
}

// onOwnDisk moves a folder onto a small disk of its own.
func onOwnDisk(t *testing.T, dir string, size int) {
	t.Helper()
	aside := dir + ".aside"
	if err := errors.Join(os.CopyFS(aside, os.DirFS(dir)), syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", size))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	restore(t, aside, dir)
}

// restore makes a folder a copy of another, with the modes of its files.
func restore(t *testing.T, from, to string) {
	t.Helper()
	entries, err := os.ReadDir(to)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(to, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(to, func(path string, d fs.DirEntry, err error) error { // keys must be 0600
		if err == nil && !d.IsDir() {
			err = os.Chmod(path, 0o600)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// fill writes a file until its disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for chunk := make([]byte, 1<<16); len(chunk) > 0; {
		if _, err := f.Write(chunk); err != nil {
			chunk = chunk[:len(chunk)/2]
		}
	}
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(longest); !done(); time.Sleep(pollTime) {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come within %s", what, longest)
		}
	}
}

// TestDamage: a validator is killed, and a file of its folder is torn at its end or has one wrong byte: every file in turn in the long
// form. It comes back with the right history, or it ends and says why. It never hangs, panics or has a history of its own.
func TestDamage(t *testing.T) {
	if testing.Short() {
		t.Skip("validators as processes: make test runs them, without the race detector")
	}
	t.Parallel()
	l := New(t, 4, *seed)
	traffic := l.Trade(4, *seed)
	traffic.Flows()
	n := l.Nodes[3]
	l.Kill(n)
	base := t.TempDir()
	if err := os.CopyFS(filepath.Join(base, "node"), os.DirFS(n.Dir)); err != nil {
		t.Fatal(err)
	}
	base = filepath.Join(base, "node")
	var files []string
	err := filepath.WalkDir(base, func(path string, d fs.DirEntry, err error) error {
		if info, e := d.Info(); err == nil && e == nil && d.Type().IsRegular() && info.Size() > 0 {
			files = append(files, strings.TrimPrefix(path, base))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(*seed, 7))
	if !*long {
		random.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
		files = files[:3]
	}
	for _, file := range files {
		for _, damage := range []string{"one wrong byte", "torn at its end"} {
			restore(t, base, n.Dir)
			text, err := os.ReadFile(n.Dir + file)
			if err != nil {
				t.Fatal(err)
			}
			if damage == "one wrong byte" {
				text[random.IntN(len(text))] ^= byte(1 << random.IntN(8))
			} else {
				text = text[:len(text)-1-random.IntN(min(len(text), 100))]
			}
			if err := os.WriteFile(n.Dir+file, text, 0o600); err != nil {
				t.Fatal(err)
			}
			l.Start(n)
			t.Logf("%s, %s: %s", file, damage, outcome(t, l, n))
			l.Kill(n)
		}
	}
	restore(t, base, n.Dir)
	l.Start(n)
	l.Goes(n)
	traffic.Verify()
}

// outcome tells the effect of a damage, and reports an effect that must not be.
func outcome(t *testing.T, l *Lab, n *Node) string {
	t.Helper()
	target := l.Height(l.Nodes[0])
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(pollTime) {
		if !n.Running() {
			lines := strings.Split(strings.TrimSpace(n.log.String()), "\n")
			if text := n.log.String(); mentions(text, "panic:", "goroutine 1 [", "runtime error") || strings.TrimSpace(text) == "" {
				t.Errorf("it ended without a word of its own:\n%s", text)
			}
			if end := lines[len(lines)-1]; !mentions(end, "restore", "take it from", "correct the file", "repair it with") {
				t.Errorf("it names no remedy: %s", end)
			}
			return "it ended: " + lines[len(lines)-1]
		}
		status, ok := n.Status(t.Context())
		if !ok || status.Height < target {
			continue
		}
		block, err := l.Nodes[0].Client.Block(t.Context(), status.Height)
		if err == nil && block.Commitment != status.Commitment {
			t.Errorf("it has a history of its own: %s at height %d, not %s", status.Commitment, status.Height, block.Commitment)
		}
		if err == nil {
			return "it caught up"
		}
	}
	status, ok := n.Status(t.Context())
	if !ok {
		t.Errorf("it hangs; the end of its log:\n%s", n.log)
	}
	return fmt.Sprintf("it stands at height %d with %d peers: %v", status.Height, status.Peers, status.Troubles)
}
