package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"

	"lockstep/internal/ledger"
)

// The stream has the entries of the state in order, each as the length of its key, the key, the length of its value, the value; a key of length 0 ends them. The
// changes of each block follow: their number, and for each the key as above and its old and its new value, each behind its length, which is one more than
// that of an absent one. Numbers are variable-length (LEB128).

// The bounds of a key and of a value, far above those of the ledger.
const (
	maxKey   = 1 << 10
	maxValue = 1 << 26
)

// AppendEntry adds an entry of the state to a stream.
func AppendEntry(stream []byte, key string, value []byte) []byte {
	return appendBytes(appendBytes(stream, []byte(key), 0), value, 0)
}

// AppendEnd adds the end of the state to a stream.
func AppendEnd(stream []byte) []byte { return binary.AppendUvarint(stream, 0) }

// AppendBlock adds the changes of a block to a stream.
func AppendBlock(stream []byte, changes []ledger.Change) []byte {
	stream = binary.AppendUvarint(stream, uint64(len(changes)))
	for i := range changes {
		stream = appendBytes(stream, []byte(changes[i].Key), 0)
		for _, value := range [][]byte{changes[i].Old, changes[i].New} {
			if value == nil {
				stream = binary.AppendUvarint(stream, 0)
				continue
			}
			stream = appendBytes(stream, value, 1)
		}
	}
	return stream
}

func appendBytes(stream, bytes []byte, more uint64) []byte {
	return append(binary.AppendUvarint(stream, uint64(len(bytes))+more), bytes...)
}

// Reader takes the stream in pieces. State gets entries in order, some at a time; Block gets the changes of each block behind the checkpoint.
type Reader struct {
	State func(entries []ledger.Change) error
	Ended func() error // the state is complete
	Block func(changes []ledger.Change) error

	rest    []byte // not yet read
	ended   bool
	last    string // key
	changes []ledger.Change
	left    uint64 // changes of the block
	blocks  int
}

// errMore asks for the next piece.
var errMore = errors.New("the stream goes on")

// Add reads a piece of the stream.
func (r *Reader) Add(piece []byte) error {
	r.rest = append(r.rest, piece...)
	s := scanner{r.rest}
	var err error
	for err == nil && len(s.rest) > 0 {
		at := s
		switch {
		case !r.ended:
			err = r.entry(&s)
		case r.left == 0:
			err = r.block(&s)
		default:
			err = r.change(&s)
		}
		if err != nil {
			s = at
		}
	}
	r.rest = append([]byte{}, s.rest...)
	if err != nil && !errors.Is(err, errMore) {
		return fmt.Errorf("the snapshot can't be read: %w", err)
	}
	if !r.ended {
		return r.flush()
	}
	return nil
}

// Finish wants the stream to be complete, with so many blocks.
func (r *Reader) Finish(blocks int) error {
	if len(r.rest) > 0 || !r.ended || r.left > 0 || r.blocks != blocks {
		return fmt.Errorf("the snapshot ends with %d of %d blocks and %d bytes of the next part", r.blocks, blocks, len(r.rest))
	}
	return nil
}

func (r *Reader) entry(s *scanner) error {
	key, err := s.bytes(maxKey, 0)
	if err != nil {
		return err
	}
	if len(key) == 0 {
		if err := r.flush(); err != nil {
			return err
		}
		r.ended = true
		return r.Ended()
	}
	value, err := s.bytes(maxValue, 0)
	if err != nil {
		return err
	}
	if string(key) <= r.last {
		return fmt.Errorf("its entries are not in order at key %x", key)
	}
	r.last = string(key)
	r.changes = append(r.changes, ledger.Change{Key: string(key), New: append([]byte{}, value...)})
	return nil
}

// flush hands over the entries that are read.
func (r *Reader) flush() error {
	entries := r.changes
	if r.changes = nil; len(entries) == 0 {
		return nil
	}
	return r.State(entries)
}

func (r *Reader) block(s *scanner) (err error) {
	if r.left, err = s.number(); err != nil {
		r.left = 0
		return err
	}
	if r.left == 0 {
		return r.endBlock()
	}
	return nil
}

func (r *Reader) change(s *scanner) error {
	key, err := s.bytes(maxKey, 0)
	if err != nil {
		return err
	}
	change := ledger.Change{Key: string(key)}
	for _, value := range []*[]byte{&change.Old, &change.New} {
		found, err := s.bytes(maxValue, 1)
		if err != nil {
			return err
		}
		if found != nil {
			*value = append([]byte{}, found...)
		}
	}
	if len(key) == 0 {
		return errors.New("a change has no key")
	}
	r.changes = append(r.changes, change)
	if r.left--; r.left == 0 {
		return r.endBlock()
	}
	return nil
}

func (r *Reader) endBlock() error {
	changes := r.changes
	r.changes = nil
	r.blocks++
	return r.Block(changes)
}

// scanner reads a piece of the stream.
type scanner struct{ rest []byte }

func (s *scanner) number() (uint64, error) {
	number, length := binary.Uvarint(s.rest)
	switch {
	case length == 0:
		return 0, errMore
	case length < 0:
		return 0, errors.New("a length is too large")
	}
	s.rest = s.rest[length:]
	return number, nil
}

// bytes reads bytes behind their length, which is so much more than theirs; nil when it is less.
func (s *scanner) bytes(most, more uint64) ([]byte, error) {
	length, err := s.number()
	if err != nil || length < more {
		return nil, err
	}
	if length -= more; length > most {
		return nil, fmt.Errorf("it has %d bytes in one value, at most %d are possible", length, most)
	}
	if uint64(len(s.rest)) < length {
		return nil, errMore
	}
	found := s.rest[:length:length]
	s.rest = s.rest[length:]
	return found, nil
}
