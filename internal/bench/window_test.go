package bench

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lockstep/types"
)

// BenchmarkPrunedNode shows how the disk of a node that keeps its history for a time grows, or does not, after that time, while it trades and while it is idle. It is a benchmark since it takes minutes:
// go test -run NONE -bench PrunedNode -benchtime 1x ./internal/bench
func BenchmarkPrunedNode(b *testing.B) {
	b.Run("trading", func(b *testing.B) {
		for range b.N {
			w := newWindow(b)
			o := Options{Keys: 4000, Trades: 2000, Folder: w.folder, keep: "4s"}.withDefaults()
			p := newParts(b, &o)
			p.rate = 800 // the window is in blocks, so at another rate it would have other bytes
			for p.done < 1_000_000 {
				p.trade(3)
				w.look(p.done)
			}
			w.report(2)
			if err := p.end(true); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("idle", func(b *testing.B) {
		for range b.N {
			w := newWindow(b)
			rules := types.DefaultParams("idle")
			rules.ClockCap, rules.MinWindow = 20, 60 // ms: many blocks
			o := Options{Folder: w.folder, keep: "3s", rules: &rules}.withDefaults()
			t, err := newNodeTarget(b.Context(), &o)
			if err != nil {
				b.Fatal(err)
			}
			for range 240 {
				time.Sleep(250 * time.Millisecond)
				status, err := t.node.Ledger().Status(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				w.look(int(status.Height))
			}
			if err := errors.Join(t.stop(), t.remove()); err != nil {
				b.Fatal(err)
			}
			w.report(3)
		}
	})
}

// windowParts are the parts of a node's folder. The first is the logs of databases and of the engine, which are emptied when they have their size; the last takes all others.
func windowParts() []string {
	return []string{"logs", "ledger/outcomes", "ledger", "index.db", "engine", "snapshots", ""}
}

// partOf returns the number of the part that a file belongs to.
func partOf(path string) int {
	if strings.HasSuffix(path, "-wal") || strings.HasSuffix(path, ".log") || strings.Contains(path, "cs.wal/") {
		return 0
	}
	return 1 + slices.IndexFunc(windowParts()[1:], func(part string) bool { return strings.HasPrefix(path, part) })
}

// window collects the sizes of a node's folder by part, by time.
type window struct {
	b       *testing.B
	folder  string
	began   time.Time
	samples []sizesAt
}

type sizesAt struct {
	after time.Duration
	done  int
	bytes []int64
}

func newWindow(b *testing.B) *window { return &window{b: b, folder: b.TempDir(), began: time.Now()} }

// look takes a sample, at most some each second.
func (w *window) look(done int) {
	after := time.Since(w.began)
	if n := len(w.samples); done == 0 || n > 0 && after-w.samples[n-1].after < 5*time.Second {
		return
	}
	parts := windowParts()
	s := sizesAt{after: after, done: done, bytes: make([]int64, len(parts))}
	err := filepath.WalkDir(w.folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return ignoreGone(err)
		}
		info, err := entry.Info()
		if err != nil {
			return ignoreGone(err)
		}
		path, _ = filepath.Rel(w.folder, path)
		_, path, _ = strings.Cut(filepath.ToSlash(path), "/node/")
		s.bytes[partOf(path)] += info.Size()
		return nil
	})
	if err != nil {
		w.b.Fatal(err)
	}
	w.samples = append(w.samples, s)
}

// shownRows is how many samples are printed, about: a benchmark may print few lines.
const shownRows = 6

func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// report prints the sizes, and reports the most in the first part of the time after the window and in the last one, without the logs, which have bounds of their own.
func (w *window) report(thirds int) {
	var text strings.Builder
	fmt.Fprintf(&text, "\n%8s %8s %s %10s\n", "after", "done", "MB of "+strings.Join(windowParts(), ", "), "all")
	most := make([]int64, thirds)
	from := len(w.samples) / (thirds + 1) // the window fills
	for i, s := range w.samples {
		var all int64
		row := fmt.Sprintf("%8s %8d", s.after.Round(100*time.Millisecond), s.done)
		for _, bytes := range s.bytes {
			row += fmt.Sprintf(" %7.1f", float64(bytes)/1e6)
			all += bytes
		}
		if i%(len(w.samples)/shownRows+1) == 0 || i == len(w.samples)-1 {
			fmt.Fprintf(&text, "%s %9.1f\n", row, float64(all)/1e6)
		}
		if i >= from {
			part := min((i-from)*thirds/(len(w.samples)-from), thirds-1)
			most[part] = max(most[part], all-s.bytes[0])
		}
	}
	w.b.Log(text.String())
	w.b.ReportMetric(float64(most[0])/1e6, "MB-early")
	w.b.ReportMetric(float64(most[len(most)-1])/1e6, "MB-late")
}
