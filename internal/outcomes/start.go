package outcomes

import (
	"errors"
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"

	"lockstep/types"
	"lockstep/types/canon"
)

// Start is where the files of a log begin. The zero Start is that of a log with all its leaves.
type Start struct {
	First  uint64 // the first leaf that is kept: of a segment, or of those behind Joined
	Joined Mark   // where the log was taken over from a snapshot: of the leaves before, these peaks are known and nothing else
}

// Fields is the stored form, see [canon.Value].
func (s *Start) Fields(c *canon.Coder) {
	c.Array(2)
	canon.Number(c, "first leaf", &s.First)
	canon.Part(c, "joined", &s.Joined, (*Mark).Fields)
}

// valid refuses a start that can't be that of a log at a mark.
func (s *Start) valid(at *Mark) error {
	if !s.Joined.Valid() || s.First < s.Joined.Size || s.First > at.Size || s.First > s.Joined.Size && s.First%segmentLeaves > 0 {
		return fmt.Errorf("%w: its begin at leaf %d, after %d of a snapshot, contradicts its %d leaves", ErrDamaged, s.First, s.Joined.Size, at.Size)
	}
	return nil
}

// pruned is the refusal to read a leaf that is not kept.
func (s *Start) pruned(leaf uint64) error {
	return types.Refuse(types.CodePruned, "this node does not keep outcome %d: it keeps those from %d on; ask a node that keeps all (\"keep\": \"all\"), or use a receipt that was exported before", leaf, s.First)
}

// peak returns the root of a subtree of the leaves before the snapshot, if it is one of its peaks.
func (s *Start) peak(height int, n uint64) (tlog.Hash, error) {
	size := s.Joined.Size
	if size>>height&1 == 1 && n<<height == size>>(height+1)<<(height+1) {
		return tlog.Hash(s.Joined.Peaks[bits.OnesCount64(size>>(height+1))]), nil
	}
	return tlog.Hash{}, s.pruned(n << height)
}

// begin returns the mark of the first leaf that is kept.
func (l *Log) begin() (Mark, error) {
	if l.start.First == l.start.Joined.Size {
		return l.start.Joined, nil
	}
	m := Mark{Size: l.start.First}
	for height := bits.Len64(m.Size) - 1; height >= 0; height-- {
		if m.Size>>height&1 == 0 {
			continue
		}
		peak, err := l.node(height, m.Size>>(height+1)<<1)
		if err != nil {
			return m, err
		}
		m.Peaks = append(m.Peaks, types.Hash(peak))
	}
	return m, nil
}

// checkRows checks the hashes of leaves that are not kept: those of each level against those of the next.
func (l *Log) checkRows() error {
	for level := 2; level < levels; level++ {
		for n := uint64(0); (n+1)<<(level*tileHeight) <= l.start.First; n++ {
			if (n+1)<<(level*tileHeight) <= l.start.Joined.Size {
				continue
			}
			kept, err := l.node(level*tileHeight, n)
			if err != nil {
				return err
			}
			computed, err := l.join(level*tileHeight, n)
			if err != nil {
				return err
			}
			if kept != computed {
				return damaged(hashesFile(level-1), "its hashes of leaves %d to %d, or their sum in %s, are not those that the ledger has written", n<<(level*tileHeight), (n+1)<<(level*tileHeight), hashesFile(level))
			}
		}
	}
	return nil
}

// Join makes a log without leaves one that continues at the mark of a snapshot.
func (l *Log) Join(at Mark) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	start := Start{First: at.Size, Joined: at}
	if kept := l.at.Size - l.start.First; kept > 0 {
		return fmt.Errorf("the log of outcomes has %d leaves: only an empty one takes a snapshot", kept)
	}
	if err := start.valid(&at); err != nil {
		return err
	}
	l.start, l.at = start, at
	return nil
}

// Kept returns the first leaf that the log keeps.
func (l *Log) Kept() uint64 {
	start, _ := l.bounds()
	return start.First
}

// Prunable returns the start of the log after as many segments are pruned as lie wholly before a leaf. The last segment stays.
func (l *Log) Prunable(before uint64) Start {
	start, at := l.bounds()
	first := min(before>>segmentHeight, at.segment()) << segmentHeight
	if first > start.First {
		start.First = first
	}
	return start
}

// Prune removes the segments before a start of [Log.Prunable]. The caller has written that start down, so that a crash leaves at worst files that the next
// [Open] removes.
func (l *Log) Prune(to Start) error {
	defer l.Hold()()
	l.mu.Lock()
	from := l.start
	l.start = to
	l.mu.Unlock()
	var err error
	for segment := from.First >> segmentHeight; segment < to.First>>segmentHeight; segment++ {
		for _, name := range []string{segmentFile(segment), packedFile(segment), offsetsFile(segment)} {
			here, holding := l.holds(name)
			if err = errors.Join(err, holding); !here {
				continue
			}
			l.mu.Lock()
			if file := l.open[name]; file != nil {
				delete(l.open, name)
				delete(l.unsaved, name)
				err = errors.Join(err, file.Close())
			}
			l.mu.Unlock()
			err = errors.Join(err, l.files.Remove(name))
		}
	}
	if err != nil {
		return fmt.Errorf("prune the log of outcomes: %w", err)
	}
	return nil
}
