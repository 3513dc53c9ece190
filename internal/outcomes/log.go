package outcomes

import (
	"errors"
	"fmt"
	"io"
	"sync"
)

// Files is the folder of a log.
type Files interface {
	Open(name string) (Reader, error) // an existing file
	Create(name string) (File, error) // for reading and writing, with the content that it has
	Size(name string) (int64, error)  // 0 when there is no such file
	List() ([]string, error)          // the names
	Rename(from, to string) error     // to may exist
	Remove(name string) error         // which exists
	Sync() error                      // of the folder itself
}

// Reader reads a file anywhere.
type Reader interface {
	io.ReaderAt
	io.Closer
}

// File is a file that is written.
type File interface {
	Reader
	io.WriterAt
	Sync() error
}

// A segment has a file with its leaves, which is another one when they are packed, and one with their offsets.
const (
	segmentForm = "segment-%09d"
	offsetsForm = "offsets-%09d"
)

func segmentFile(number uint64) string { return fmt.Sprintf(segmentForm, number) }
func offsetsFile(number uint64) string { return fmt.Sprintf(offsetsForm, number) }
func hashesFile(level int) string      { return fmt.Sprintf("hashes-%d", level) }

// segmentOf returns the number of the segment that a file is of, false for any other file.
func segmentOf(name string) (number uint64, ok bool) {
	for _, form := range []string{segmentForm, packedForm, offsetsForm} {
		if _, err := fmt.Sscanf(name, form, &number); err == nil && name == fmt.Sprintf(form, number) {
			return number, true
		}
	}
	return 0, false
}

// Log is a log of outcomes on disk. One goroutine appends; any number read, up to the size that they know.
type Log struct {
	files    Files
	unpacked *unpacked

	toPack    uint64     // the first segment that may not be packed; of [Log.Pack] alone
	replacing sync.Mutex // held while files are replaced or removed

	mu      sync.Mutex      // guards the fields below
	start   Start           // of the leaves that are kept
	at      Mark            // of the leaves that are written
	open    map[string]File // that were written
	unsaved map[string]File // those of them with writes that are not synced
	created bool            // the folder has new files since its last sync
}

// Append writes a batch behind the log's end. It is not on the disk before [Log.Sync].
func (l *Log) Append(b *Batch) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b.From.Size != l.at.Size {
		return fmt.Errorf("the log of outcomes has %d leaves, and %d would precede these", l.at.Size, b.From.Size)
	}
	for _, part := range b.parts {
		if err := l.write(segmentFile(part.segment), part.at, part.content); err != nil {
			return err
		}
	}
	if err := l.writeDerived(b); err != nil {
		return err
	}
	l.at = b.To
	return nil
}

// writeDerived writes the offsets and hashes of a batch. The caller holds l.mu.
func (l *Log) writeDerived(b *Batch) (err error) {
	const length, perSegment = 8, segmentLeaves / stride
	group := b.From.Size / stride
	for offsets := b.offsets; len(offsets) > 0; {
		count := min(uint64(len(offsets)/length), perSegment-group%perSegment)
		err = errors.Join(err, l.write(offsetsFile(group/perSegment), length*(group%perSegment), offsets[:length*count]))
		group, offsets = group+count, offsets[length*count:]
	}
	for level, hashes := range b.hashes {
		err = errors.Join(err, l.write(hashesFile(level), hashLength*(b.From.Size>>(level*tileHeight)), hashes))
	}
	return err
}

func (l *Log) write(name string, at uint64, content []byte) error {
	if len(content) == 0 {
		return nil
	}
	file := l.open[name]
	if file == nil {
		var err error
		if file, err = l.files.Create(name); err != nil {
			return err
		}
		l.open[name], l.created = file, true
	}
	l.unsaved[name] = file
	_, err := file.WriteAt(content, int64(at))
	return err
}

// Sync makes everything durable that was appended before the call. Only one goroutine may call it at a time.
func (l *Log) Sync() error {
	l.mu.Lock()
	unsaved, created, current := l.unsaved, l.created, l.at.segment()
	l.unsaved, l.created = map[string]File{}, false
	l.mu.Unlock()
	for name, file := range unsaved { // any order: all are synced before the mark is
		if err := file.Sync(); err != nil {
			return fmt.Errorf("sync %s: %w", name, err)
		}
	}
	if created {
		if err := l.files.Sync(); err != nil {
			return err
		}
	}
	return l.closeSegments(unsaved, current)
}

// closeSegments closes the files of segments that were full when they were synced.
func (l *Log) closeSegments(synced map[string]File, current uint64) (err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, file := range synced { // any order: files are independent
		if number, ok := segmentOf(name); !ok || number >= current || l.unsaved[name] != nil {
			continue
		}
		delete(l.open, name)
		err = errors.Join(err, file.Close())
	}
	return err
}

// Close closes the files.
func (l *Log) Close() (err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, file := range l.open { // any order
		err = errors.Join(err, file.Close())
	}
	l.open, l.unsaved = map[string]File{}, map[string]File{}
	return err
}

// end returns where the log stands.
func (l *Log) end() Mark {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at
}

// bounds returns where the log begins and where it stands.
func (l *Log) bounds() (Start, Mark) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.start, l.at
}
