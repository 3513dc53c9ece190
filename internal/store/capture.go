package store

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"lockstep/internal/disk"
	"lockstep/internal/snapshot"
	"lockstep/types"
)

// Snapshots say which snapshots a store makes while blocks go on: at the first checkpoint of each interval of block time, so that all nodes make the same ones.
type Snapshots struct {
	Folder snapshot.Folder
	Every  types.Duration // 0: none
	Keep   int            // the newest, at least one
}

// captures makes snapshots. A zero value makes none.
type captures struct {
	Snapshots
	current *capture // of a checkpoint whose blocks behind it are still to come; used by commits
	running bool     // a goroutine writes one; guarded by the store's mu
	writing sync.WaitGroup
	stop    chan struct{} // closed when the store closes; nil when it makes no snapshots
}

// capture is the state at a checkpoint, and the changes of the blocks behind it as they come.
type capture struct {
	head    snapshot.Head
	pinned  chan struct{}    // closed when the two below are set
	db      *pebble.Snapshot // of the disk at the checkpoint
	failed  error
	changes *os.File // spooled
	spool   *bufio.Writer
	encoded []byte
	err     error
}

const spoolFile = "changes"

// MakeSnapshots makes snapshots from the next checkpoint on. Call it before the first commit.
func (s *Store) MakeSnapshots(wanted Snapshots) {
	wanted.Keep = max(wanted.Keep, 1)
	s.captures.Snapshots = wanted
	s.captures.stop = make(chan struct{})
}

// wantsCapture reports whether a snapshot of a block is to be made: it is the first checkpoint of its interval.
func (s *Store) wantsCapture(block *Block) bool {
	c := &s.captures
	if c.Every == 0 || !s.checkpoints.At(block.Height) || c.current != nil {
		return false
	}
	s.mu.RLock()
	running := c.running
	s.mu.RUnlock()
	if running { // the disk is slow, or the interval short
		return false
	}
	before, err := s.Block(block.Height - s.checkpoints.Every)
	return err != nil || before == nil || before.BlockTime/types.Time(c.Every) != block.BlockTime/types.Time(c.Every)
}

// beginCapture begins a snapshot of the block that is being committed.
func (s *Store) beginCapture(block *Block) {
	c := &capture{head: snapshot.Head{Height: block.Height, State: block.State, Log: block.Log}, pinned: make(chan struct{})}
	folder := string(s.captures.Folder)
	if c.err = os.MkdirAll(folder, 0o700); c.err == nil {
		c.changes, c.err = os.OpenFile(filepath.Join(folder, spoolFile), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	}
	c.spool = bufio.NewWriterSize(c.changes, 1<<20)
	s.captures.current = c
}

// pin keeps the flushed state of the checkpoint, if that could be flushed. The caller holds s.writing since the checkpoint's commit, so the disk has it and no
// later one.
func (c *capture) pin(s *Store, failed error) {
	if c == nil {
		return
	}
	defer close(c.pinned)
	if c.failed = failed; failed != nil {
		return
	}
	c.db = s.db.NewSnapshot()
	at, err := readFlushed(c.db, &s.params)
	if err == nil && at.height != c.head.Height {
		err = fmt.Errorf("the disk is at block %d", at.height)
	}
	c.failed = err
}

// follow adds a block behind the checkpoint, and writes the snapshot after the last one.
func (s *Store) follow(b *Staged) {
	c := s.captures.current
	if c == nil || b.block.Height <= c.head.Height {
		return
	}
	c.head.Links = append(c.head.Links, snapshot.Link{Changes: b.block.Changes, Log: b.block.Log})
	if c.err == nil {
		c.encoded = snapshot.AppendBlock(c.encoded[:0], b.diff.Changes)
		_, c.err = c.spool.Write(c.encoded)
	}
	if uint64(len(c.head.Links)) < s.checkpoints.Delay {
		return
	}
	c.head.Checkpoint, c.head.End = b.block.Checkpoint, b.outcomes.To
	s.captures.current, s.captures.running = nil, true
	s.captures.writing.Go(func() {
		err := c.write(s)
		s.mu.Lock()
		s.captures.running = false
		s.mu.Unlock()
		if err != nil && !errors.Is(err, errStopped) {
			s.guard.logger.Warn("no snapshot was made; the next one is tried in time", "height", c.head.Height, "why", disk.Explain(string(s.captures.Folder), err))
		}
	})
}

var errStopped = errors.New("the store closes")

// busyShare is the share of its time that a snapshot may work: the node's blocks come first.
const busyShare = 10

// write writes the snapshot, slowly, and closes the capture.
func (c *capture) write(s *Store) (err error) {
	defer func() { err = errors.Join(err, c.close()) }()
	<-c.pinned
	if err := errors.Join(c.err, c.failed); err != nil {
		return err
	}
	w, err := snapshot.Create(s.captures.Folder)
	if err != nil {
		return err
	}
	paced := &pacedWriter{w: w, stop: s.captures.stop, began: time.Now()}
	err = c.writeState(paced)
	if err == nil {
		err = c.spool.Flush()
	}
	if err == nil {
		_, err = c.changes.Seek(0, io.SeekStart)
	}
	if err == nil {
		_, err = io.CopyBuffer(struct{ io.Writer }{paced}, struct{ io.Reader }{c.changes}, make([]byte, 256<<10))
	}
	if err == nil {
		err = w.Finish(c.head)
	}
	if err != nil {
		return errors.Join(err, w.Abort())
	}
	return s.captures.Folder.Trim(s.captures.Keep)
}

func (c *capture) writeState(to io.Writer) error {
	var failed error
	var stream []byte
	err := scan(c.db, []byte{prefixState}, []byte{prefixState + 1}, func(key, value []byte) bool {
		if stream = snapshot.AppendEntry(stream, string(key[1:]), value); len(stream) >= 256<<10 {
			_, failed = to.Write(stream)
			stream = stream[:0]
		}
		return failed == nil
	})
	if err = errors.Join(err, failed); err == nil {
		_, err = to.Write(snapshot.AppendEnd(stream))
	}
	return err
}

// close frees the memory of the capture.
func (c *capture) close() (err error) {
	<-c.pinned
	if c.db != nil {
		err = c.db.Close()
	}
	if c.changes != nil {
		err = errors.Join(err, c.changes.Close(), os.Remove(c.changes.Name()))
	}
	return err
}

// pacedWriter sleeps after each piece, so that the work takes its share of the time alone.
type pacedWriter struct {
	w     io.Writer
	stop  <-chan struct{}
	began time.Time // of the work since the last sleep
}

// Write implements [io.Writer].
func (p *pacedWriter) Write(piece []byte) (int, error) {
	n, err := p.w.Write(piece)
	worked := min(time.Since(p.began), time.Second)
	select {
	case <-p.stop:
		return n, errStopped
	case <-time.After((busyShare - 1) * worked):
	}
	p.began = time.Now()
	return n, err
}

// endCaptures stops the snapshot that is being made.
func (s *Store) endCaptures() error {
	if s.captures.stop == nil {
		return nil
	}
	close(s.captures.stop)
	s.captures.writing.Wait()
	current := s.captures.current
	if s.captures.current = nil; current != nil {
		return current.close()
	}
	return nil
}

// Snapshots is the folder of the store's snapshots, empty when it makes none.
func (s *Store) Snapshots() snapshot.Folder { return s.captures.Folder }
