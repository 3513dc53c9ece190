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

// Open opens the log in a folder at a mark, or makes it at the zero mark. It cuts off all leaves behind the mark, which no block has committed to.
// It finds files that are cut short, and any change of the last segment; [Log.Check] finds all others.
func Open(files Files, at Mark) (*Log, error) {
	l := &Log{files: files, at: at, open: map[string]File{}, unsaved: map[string]File{}}
	if err := l.cut(); err != nil {
		return nil, err
	}
	complete, err := l.derivedComplete()
	if err == nil && !complete {
		err = l.derive()
	}
	if err == nil {
		err = l.checkSizes()
	}
	if err == nil {
		err = l.replay(at.segmentStart(), func(*Batch) error { return nil })
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
	current := segmentFile(l.at.segment())
	for _, name := range names {
		var number uint64
		if _, err := fmt.Sscanf(name, "segment-%d", &number); err != nil || name != segmentFile(number) {
			continue
		}
		if number > l.at.segment() || number == l.at.segment() && l.at.Bytes == 0 {
			if err := l.files.Remove(name); err != nil {
				return err
			}
		}
	}
	if l.at.Bytes == 0 {
		return l.files.Sync()
	}
	size, err := l.files.Size(current)
	if err != nil {
		return err
	}
	if size < int64(l.at.Bytes) {
		return damaged(current, "it has %d bytes, and the ledger has written %d", size, l.at.Bytes)
	}
	if size == int64(l.at.Bytes) {
		return nil
	}
	return l.shorten(current)
}

// shorten replaces the last segment by a copy up to the mark.
func (l *Log) shorten(name string) error {
	const copied = "shortened"
	content := make([]byte, l.at.Bytes)
	if err := l.read(name, 0, content); err != nil {
		return err
	}
	if size, err := l.files.Size(copied); err != nil {
		return err
	} else if size > 0 { // from an earlier start, which ended here
		if err := l.files.Remove(copied); err != nil {
			return err
		}
	}
	file, err := l.files.Create(copied)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(content, 0)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = l.files.Rename(copied, name)
	}
	return errors.Join(err, l.files.Sync())
}

// derivedComplete reports whether the offsets and hashes are there in full length.
func (l *Log) derivedComplete() (bool, error) {
	size, err := l.files.Size(offsetsFile)
	if err != nil || uint64(size) < l.at.Size/stride*8 {
		return false, err
	}
	for level := 1; level < levels; level++ {
		size, err := l.files.Size(hashesFile(level))
		if err != nil || uint64(size) < hashLength*(l.at.Size>>(level*tileHeight)) {
			return false, err
		}
	}
	return true, nil
}

// derive makes the offsets and hashes again, from the segments.
func (l *Log) derive() error {
	if err := l.replay(Mark{}, l.writeDerived); err != nil {
		return err
	}
	return l.Sync()
}

// checkSizes compares the sizes of the full segments with the offsets.
func (l *Log) checkSizes() error {
	for segment := range l.at.segment() {
		want, err := l.offset((segment+1)*segmentLeaves/stride - 1)
		if err != nil {
			return err
		}
		size, err := l.files.Size(segmentFile(segment))
		if err != nil {
			return err
		}
		if uint64(size) != want {
			return damaged(segmentFile(segment), "it has %d bytes, and the ledger has written %d", size, want)
		}
	}
	return nil
}

// replay reads the segments from a mark at the begin of one up to the log's end, calls visit for the leaves in batches, and compares the tree with
// the log's.
func (l *Log) replay(from Mark, visit func(*Batch) error) error {
	for from.Size < l.at.Size {
		name, leaves := segmentFile(from.segment()), min(segmentLeaves, l.at.Size-from.Size)
		size := l.at.Bytes
		if from.segment() < l.at.segment() {
			whole, err := l.files.Size(name)
			if err != nil {
				return err
			}
			size = uint64(whole)
		}
		content := make([]byte, size)
		if err := l.read(name, 0, content); err != nil {
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
	view := &Log{files: l.files, at: at}
	if end := l.end(); at.Size > end.Size {
		return fmt.Errorf("the log of outcomes has %d leaves, and the ledger %d", end.Size, at.Size)
	}
	derived := "" // the first file that differs from the leaves of a batch
	var of *Batch
	err := view.replay(Mark{}, func(b *Batch) (err error) {
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
		return damaged(derived, "it is not that of leaves %d to %d, which are in order; remove it, the next start makes it again", of.From.Size, of.To.Size)
	case errors.Is(err, ErrDamaged):
		return damaged(segmentFile(of.From.segment()), "leaves %d to %d are not those that the ledger has written", of.From.Size, of.To.Size)
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
	name, err := compare(offsetsFile, b.From.Size/stride*8, b.offsets)
	for level := 1; level < levels && name == "" && err == nil; level++ {
		name, err = compare(hashesFile(level), hashLength*(b.From.Size>>(level*tileHeight)), b.hashes[level])
	}
	return name, err
}
