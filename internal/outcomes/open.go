package outcomes

import (
	"bytes"
	"errors"
	"fmt"
)

// ErrDamaged is wrapped by errors about files that are cut short or altered. They name the file.
var ErrDamaged = errors.New("the log of outcomes is damaged")

func damaged(file, format string, args ...any) error {
	return fmt.Errorf("%w: %s: "+format, append([]any{ErrDamaged, file}, args...)...)
}

// Open opens the log in a folder from a start up to a mark, or makes it, for a new ledger at the zero mark. It cuts off all leaves behind the mark, which no
// block has committed to, and the segments before the start. It finds files that are cut short, and any change of the last segment; [Log.Check] finds all others.
func Open(files Files, start Start, at Mark) (*Log, error) {
	l := &Log{files: files, unpacked: new(unpacked), toPack: start.First >> segmentHeight, start: start, at: at, open: map[string]File{}, unsaved: map[string]File{}}
	err := start.valid(&at)
	if err == nil {
		err = l.cut()
	}
	if err == nil {
		err = l.restore()
	}
	if err == nil {
		err = l.checkSizes()
	}
	if err == nil {
		from := at.segmentStart()
		if from.Size < start.Joined.Size {
			from = start.Joined
		}
		err = l.replay(from, func(*Batch) error { return nil })
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// cut removes everything behind the mark from the segments. The derived files are cut by their use.
func (l *Log) cut() error {
	names, err := l.files.List()
	if err != nil {
		return err
	}
	if err := l.settlePacked(names); err != nil {
		return err
	}
	if names, err = l.files.List(); err != nil {
		return err
	}
	empty := l.at.Bytes == 0 || l.at.Size == l.start.First // no leaf of the last segment is kept
	for _, name := range names {
		number, ok := segmentOf(name)
		if !ok {
			continue
		}
		if number > l.at.segment() || number == l.at.segment() && empty || number < l.start.First>>segmentHeight {
			if err := l.files.Remove(name); err != nil {
				return err
			}
		}
	}
	if empty {
		return l.files.Sync()
	}
	current, size, err := l.segment(l.at.segment())
	if err != nil {
		return err
	}
	if size < l.at.Bytes {
		return damaged(current, "it has %d bytes, and the ledger has written %d", size, l.at.Bytes)
	}
	if size == l.at.Bytes && current == segmentFile(l.at.segment()) {
		return nil
	}
	return l.shorten(current)
}

// shorten replaces the last segment by a copy up to the mark.
func (l *Log) shorten(name string) error {
	content := make([]byte, l.at.Bytes)
	if err := l.readSegment(l.at.segment(), 0, content); err != nil {
		return err
	}
	file, err := l.files.Create(shortened)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(content, 0)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = l.files.Rename(shortened, segmentFile(l.at.segment()))
	}
	if err == nil && name != segmentFile(l.at.segment()) { // it was packed
		err = l.files.Remove(name)
		l.unpacked = new(unpacked) // the segment gets other leaves
	}
	return errors.Join(err, l.files.Sync())
}

// restore makes missing offsets and hashes again, from the segments.
func (l *Log) restore() error {
	complete, err := l.derivedComplete()
	if complete || err != nil {
		return err
	}
	from, err := l.begin()
	if err != nil {
		return err
	}
	if err := l.replay(from, l.writeDerived); err != nil {
		return err
	}
	return l.Sync()
}

// derivedComplete reports whether the offsets and hashes are there in full length. Hashes of leaves that are not kept can't be made again.
func (l *Log) derivedComplete() (complete bool, err error) {
	complete = true
	for segment := l.start.First >> segmentHeight; segment<<segmentHeight < l.at.Size; segment++ {
		size, err := l.files.Size(offsetsFile(segment))
		if err != nil {
			return false, err
		}
		leaves := min(segmentLeaves, l.at.Size-segment<<segmentHeight)
		complete = complete && uint64(size) >= leaves/stride*8
	}
	for level := 1; level < levels; level++ {
		size, err := l.files.Size(hashesFile(level))
		if err != nil {
			return false, err
		}
		if least := hashLength * (l.start.First >> (level * tileHeight)); l.start.First > l.start.Joined.Size && uint64(size) < least {
			return false, damaged(hashesFile(level), "it has %d bytes, %d are needed, and the leaves before %d, from which it could be made again, are pruned",
				size, least, l.start.First)
		}
		complete = complete && uint64(size) >= hashLength*(l.at.Size>>(level*tileHeight))
	}
	return complete, nil
}

// checkSizes compares the sizes of the full segments with the offsets.
func (l *Log) checkSizes() error {
	for segment := l.start.First >> segmentHeight; segment < l.at.segment(); segment++ {
		want, err := l.offset((segment+1)*segmentLeaves/stride - 1)
		if err != nil {
			return err
		}
		name, size, err := l.segment(segment)
		if err != nil {
			return err
		}
		if size != want {
			return damaged(name, "it has %d bytes, and the ledger has written %d", size, want)
		}
	}
	return nil
}

// replay reads the segments from a mark at the begin of one, or at the log's, up to the log's end, calls visit for the leaves in batches, and compares the tree with
// the log's.
func (l *Log) replay(from Mark, visit func(*Batch) error) error {
	for from.Size < l.at.Size {
		leaves := min(segmentLeaves-from.Size%segmentLeaves, l.at.Size-from.Size)
		name, size, err := l.segment(from.segment())
		if err != nil {
			return err
		}
		if from.segment() == l.at.segment() {
			size = l.at.Bytes
		}
		if size < from.Bytes {
			return damaged(name, "it has %d bytes, and the ledger has written more", size)
		}
		content := make([]byte, size-from.Bytes)
		if err := l.readSegment(from.segment(), from.Bytes, content); err != nil {
			return err
		}
		for leaves > 0 {
			some, length, err := split(content, 0, min(leaves, Width))
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			batch, err := from.Extend(some)
			if err != nil {
				return damaged(name, "%w", err)
			}
			if err := visit(batch); err != nil {
				return err
			}
			from, content, leaves = batch.To, content[length:], leaves-uint64(len(some))
		}
		if len(content) > 0 {
			return damaged(name, "%d bytes stand behind its last leaf", len(content))
		}
	}
	if !from.equal(&l.at) {
		return damaged(segmentFile((l.at.Size-1)>>segmentHeight), "its leaves, or those before it, are not those that the ledger has written")
	}
	return nil
}

// Check reads the whole log at a mark, which a snapshot holds, and names the first file that is not as the ledger has written it.
func (l *Log) Check(at Mark) error {
	start, end := l.bounds()
	if at.Size > end.Size {
		return fmt.Errorf("the log of outcomes has %d leaves, and the ledger %d", end.Size, at.Size)
	}
	view := &Log{files: l.files, unpacked: l.unpacked, start: start, at: at}
	if err := view.checkRows(); err != nil {
		return err
	}
	from, err := view.begin()
	if err != nil {
		return err
	}
	derived := "" // the first file that differs from the leaves of a batch
	var of *Batch
	err = view.replay(from, func(b *Batch) (err error) {
		if derived == "" {
			derived, err = view.differs(b)
			of = b
		}
		return err
	})
	switch {
	case derived == "":
		return err
	case err == nil:
		return damaged(derived, "it is not that of leaves %d to %d, which are in order", of.From.Size, of.To.Size)
	case errors.Is(err, ErrDamaged):
		name, _, _ := l.segment(of.From.segment())
		return damaged(name, "leaves %d to %d are not those that the ledger has written", of.From.Size, of.To.Size)
	}
	return err
}

// differs names the derived file that differs from a batch, if any.
func (l *Log) differs(b *Batch) (string, error) {
	compare := func(name string, at uint64, want []byte) (string, error) {
		found := make([]byte, len(want))
		if len(want) == 0 {
			return "", nil
		}
		if err := l.read(name, at, found); err != nil || bytes.Equal(found, want) {
			return "", err
		}
		return name, nil
	}
	const perSegment = segmentLeaves / stride
	group := b.From.Size / stride // a batch lies within one segment
	name, err := compare(offsetsFile(group/perSegment), group%perSegment*8, b.offsets)
	for level := 1; level < levels && name == "" && err == nil; level++ {
		name, err = compare(hashesFile(level), hashLength*(b.From.Size>>(level*tileHeight)), b.hashes[level])
	}
	return name, err
}
