package outcomes

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"

	"lockstep/types"
)

// A full segment is packed: its bytes are cut into chunks, whose repeated IDs stand in a table, see [repeats]. The table and each chunk are a frame of zstd with a checksum, so that a leaf
// is read without the rest. The file begins with its kind, the length of the segment, and where each frame ends, the table first.
const (
	packedForm = "packed-%09d"
	packedKind = "lspack2\n"
	packing    = "packing"   // a packed segment that is not whole yet
	shortened  = "shortened" // a segment without the leaves behind the mark, likewise
	repairing  = "repairing" // any file that is repaired, likewise

	chunkBytes   = 1 << 20 // some thousand leaves: shorter ones repeat less of each other
	tableBytes   = mostIDs * idLength
	numberBytes  = 8
	keptFrames   = 8 // in memory
	longestWhole = segmentLeaves * (2 + types.MaxOutcome)
)

func packedFile(number uint64) string { return fmt.Sprintf(packedForm, number) }

// packedHead is the begin of a packed segment.
type packedHead struct {
	length uint64   // of the segment
	ends   []uint64 // of the frames, in the file
}

func chunksOf(length uint64) uint64 { return (length + chunkBytes - 1) / chunkBytes }

// framesOf is the number of frames: the table, and the chunks.
func framesOf(length uint64) uint64 { return 1 + chunksOf(length) }

func headBytes(length uint64) uint64 {
	return uint64(len(packedKind)) + numberBytes*(1+framesOf(length))
}

func (h *packedHead) encode() []byte {
	head := binary.BigEndian.AppendUint64([]byte(packedKind), h.length)
	for _, end := range h.ends {
		head = binary.BigEndian.AppendUint64(head, end)
	}
	return head
}

// begin is where a frame begins.
func (h *packedHead) begin(frame uint64) uint64 {
	if frame == 0 {
		return headBytes(h.length)
	}
	return h.ends[frame-1]
}

// chunkLength is the length of a chunk once it is unpacked.
func (h *packedHead) chunkLength(chunk uint64) uint64 {
	return min(chunkBytes, h.length-chunk*chunkBytes)
}

// readHead reads the begin of a packed segment, and compares it with the size of the file.
func (l *Log) readHead(name string) (h packedHead, err error) {
	size, err := l.files.Size(name)
	if err != nil {
		return h, err
	}
	first := make([]byte, len(packedKind)+numberBytes)
	if err := l.read(name, 0, first); err != nil {
		return h, err
	}
	h.length = binary.BigEndian.Uint64(first[len(packedKind):])
	if !bytes.HasPrefix(first, []byte(packedKind)) || h.length == 0 || h.length > longestWhole {
		return h, damaged(name, "it does not begin as a packed segment")
	}
	numbers := make([]byte, numberBytes*framesOf(h.length))
	if err := l.read(name, uint64(len(first)), numbers); err != nil {
		return h, err
	}
	last := headBytes(h.length)
	for ; len(numbers) > 0; numbers = numbers[numberBytes:] {
		end := binary.BigEndian.Uint64(numbers)
		if end <= last || end-last > tableBytes+chunkBytes {
			return h, damaged(name, "its frames do not follow one another")
		}
		h.ends, last = append(h.ends, end), end
	}
	if uint64(size) != last {
		return h, damaged(name, "it has %d bytes, and its frames %d", size, last)
	}
	return h, nil
}

// holds reports whether a file exists.
func (l *Log) holds(name string) (bool, error) {
	file, err := l.files.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, file.Close()
}

// segment returns the file of a segment, and how many bytes its leaves have there.
func (l *Log) segment(number uint64) (name string, length uint64, err error) {
	name = packedFile(number)
	packed, err := l.holds(name)
	if err != nil || packed {
		var head packedHead
		if err == nil {
			head, err = l.readHead(name)
		}
		return name, head.length, err
	}
	name = segmentFile(number)
	size, err := l.files.Size(name)
	return name, uint64(size), err
}

// readSegment reads bytes of a segment, which may be packed meanwhile.
func (l *Log) readSegment(number, at uint64, into []byte) error {
	err := l.read(segmentFile(number), at, into)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	name := packedFile(number)
	packed, missing := l.holds(name)
	if !packed {
		return errors.Join(err, missing)
	}
	head, err := l.readHead(name)
	if err != nil {
		return err
	}
	return l.readPacked(number, &head, at, into)
}

// readPacked reads bytes of a packed segment.
func (l *Log) readPacked(number uint64, head *packedHead, at uint64, into []byte) error {
	if end := at + uint64(len(into)); end > head.length {
		return damaged(packedFile(number), "it has %d bytes of leaves, and %d are needed", head.length, end)
	}
	for len(into) > 0 {
		chunk, err := l.chunk(number, at/chunkBytes, head)
		if err != nil {
			return err
		}
		n := copy(into, chunk[at%chunkBytes:])
		at, into = at+uint64(n), into[n:]
	}
	return nil
}

// chunk returns an unpacked chunk of a packed segment, which must not be changed.
func (l *Log) chunk(number, chunk uint64, head *packedHead) ([]byte, error) {
	table, err := l.frame(number, 0, head, func(content []byte) ([]byte, error) { return content, checkTable(content) })
	if err != nil {
		return nil, fmt.Errorf("%w: it has the repeated IDs", err)
	}
	want := head.chunkLength(chunk)
	content, err := l.frame(number, 1+chunk, head, func(taken []byte) ([]byte, error) { return putBack(taken, table, want) })
	if err != nil {
		return nil, fmt.Errorf("%w: its leaves stand from byte %d to %d of the segment", err, chunk*chunkBytes, chunk*chunkBytes+want)
	}
	return content, nil
}

// frame unpacks a frame of a packed segment and returns the result of a function on it.
func (l *Log) frame(number, frame uint64, head *packedHead, read func([]byte) ([]byte, error)) ([]byte, error) {
	return l.unpacked.get(place{number, frame}, func(unpack *zstd.Decoder) (content []byte, err error) {
		name := packedFile(number)
		packed := make([]byte, head.ends[frame]-head.begin(frame))
		if err := l.read(name, head.begin(frame), packed); err != nil {
			return nil, err
		}
		if content, err = unpack.DecodeAll(packed, nil); err == nil {
			content, err = read(content)
		}
		if err != nil {
			return nil, damaged(name, "frame %d of %d: %w", frame+1, len(head.ends), err)
		}
		return content, nil
	})
}

// place is that of a frame.
type place struct{ segment, frame uint64 }

// unpacked are the frames that were read last, the newest last.
type unpacked struct {
	mu      sync.Mutex
	decoder *zstd.Decoder
	places  []place
	frames  [][]byte
}

// get returns a frame from memory, or unpacks it. One is unpacked at a time.
func (u *unpacked) get(at place, unpack func(*zstd.Decoder) ([]byte, error)) (content []byte, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.decoder == nil {
		if u.decoder, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(tableBytes+chunkBytes)); err != nil {
			return nil, err
		}
	}
	if n := slices.Index(u.places, at); n >= 0 {
		content = u.frames[n]
		u.drop(n)
	} else if content, err = unpack(u.decoder); err != nil {
		return nil, err
	}
	if len(u.places) == keptFrames {
		u.drop(0)
	}
	u.places, u.frames = append(u.places, at), append(u.frames, content)
	return content, nil
}

func (u *unpacked) drop(n int) {
	u.places, u.frames = slices.Delete(u.places, n, n+1), slices.Delete(u.frames, n, n+1)
}

// Pack packs the segments that are full at a mark from which the next start will go on. It reads each again before the packed one takes its place, so a crash
// leaves one of the two. Appending and reading go on meanwhile. Only one goroutine may call it at a time.
func (l *Log) Pack(durable Mark) error {
	for ; l.toPack < durable.segment(); l.toPack++ {
		if err := l.pack(l.toPack); err != nil {
			return fmt.Errorf("pack segment %d of the log of outcomes: %w", l.toPack, err)
		}
	}
	return nil
}

// Hold keeps the files of the log from being replaced or removed until release is called.
func (l *Log) Hold() (release func()) {
	l.replacing.Lock()
	return l.replacing.Unlock
}

func (l *Log) pack(number uint64) error {
	defer l.Hold()()
	name := segmentFile(number)
	here, err := l.holds(name)
	start, _ := l.bounds()
	if err != nil || !here || number<<segmentHeight < start.First || start.Joined.Size > number<<segmentHeight { // of the last one, the begin is missing
		return err
	}
	size, err := l.files.Size(name)
	if err != nil {
		return err
	}
	if err := l.writePacked(name, uint64(size)); err != nil {
		return err
	}
	if err := l.files.Rename(packing, packedFile(number)); err != nil {
		return err
	}
	if err := l.files.Sync(); err != nil { // before the segment goes
		return err
	}
	return errors.Join(l.files.Remove(name), l.files.Sync())
}

// writePacked writes the packed form of a segment to the file of that which is not whole yet, and syncs it.
func (l *Log) writePacked(name string, length uint64) (err error) {
	if err := l.discard(packing); err != nil {
		return err
	}
	file, err := l.files.Create(packing)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(chunkBytes), zstd.WithZeroFrames(true))
	if err != nil {
		return err
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return err
	}
	defer decoder.Close()
	repeats := newRepeats()
	err = l.eachChunk(name, length, func(chunk []byte) error {
		repeats.count(chunk)
		return nil
	})
	if err != nil {
		return err
	}
	repeats.finish()
	head := packedHead{length: length}
	at := headBytes(length)
	frame, again := []byte{}, []byte{}
	write := func(content []byte) (err error) {
		frame = encoder.EncodeAll(content, frame[:0])
		if again, err = decoder.DecodeAll(frame, again[:0]); err != nil || !bytes.Equal(again, content) {
			return errors.Join(fmt.Errorf("frame %d is another once it is unpacked", len(head.ends)+1), err)
		}
		if _, err := file.WriteAt(frame, int64(at)); err != nil {
			return err
		}
		at += uint64(len(frame))
		head.ends = append(head.ends, at)
		return nil
	}
	if err := write(repeats.table); err != nil {
		return err
	}
	err = l.eachChunk(name, length, func(chunk []byte) error {
		taken := repeats.take(chunk)
		if back, err := putBack(taken, repeats.table, uint64(len(chunk))); err != nil || !bytes.Equal(back, chunk) {
			return errors.Join(fmt.Errorf("chunk %d is another once its IDs are put back", len(head.ends)), err)
		}
		return write(taken)
	})
	if err != nil {
		return err
	}
	if _, err := file.WriteAt(head.encode(), 0); err != nil {
		return err
	}
	return file.Sync()
}

// eachChunk reads the chunks of a segment that is not packed, one after the other into the same memory.
func (l *Log) eachChunk(name string, length uint64, visit func(chunk []byte) error) error {
	content := make([]byte, min(chunkBytes, length))
	for at := uint64(0); at < length; at += chunkBytes {
		chunk := content[:min(chunkBytes, length-at)]
		if err := l.read(name, at, chunk); err != nil {
			return err
		}
		if err := visit(chunk); err != nil {
			return err
		}
	}
	return nil
}

// discard removes a file that was not made to its end, if it is there.
func (l *Log) discard(name string) error {
	here, err := l.holds(name)
	if here && err == nil {
		err = l.files.Remove(name)
	}
	return err
}

// settlePacked ends an interrupted packing: a segment that is there in both forms keeps the packed one, or the other while leaves are added to it.
func (l *Log) settlePacked(names []string) error {
	for _, name := range names {
		var number uint64
		if _, err := fmt.Sscanf(name, packedForm, &number); err != nil || name != packedFile(number) || !slices.Contains(names, segmentFile(number)) {
			continue
		}
		if number < l.at.segment() {
			name = segmentFile(number)
		}
		if err := l.files.Remove(name); err != nil {
			return err
		}
	}
	return l.tidy()
}

// tidy removes the files that were not made to their end.
func (l *Log) tidy() (err error) {
	for _, name := range []string{packing, shortened, repairing} {
		err = errors.Join(err, l.discard(name))
	}
	return err
}
