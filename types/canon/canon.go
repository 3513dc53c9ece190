// Package canon is the one canonical encoding of the protocol: deterministic CBOR (RFC 8949 4.2.1), as much of it as the
// domain types need. A type lists its fields once, in a method that serves both directions; see [Value].
//
// A decoder accepts the canonical form and nothing else, by construction: there is no second way to write a value that
// it could read. So accepted bytes encode to themselves again.
package canon

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"sync"
)

// Value is a type with a canonical form: Fields names its parts in the order of the wire, for writing and for reading.
//
//	func (o *Outpoint) Fields(c *canon.Coder) {
//		c.Array(2)
//		c.Bytes("tx", o.Tx[:])
//		canon.Number(c, "index", &o.Index)
//	}
//
// A type can't hold itself, so a decoder never goes deeper than its types do.
type Value interface{ Fields(c *Coder) }

// Coder carries a value to its encoding or back. It is made by [Encode], [Digest] and [Decode] and lives as long as they run.
type Coder struct {
	reading bool
	written []byte
	rest    []byte // still to be read; nothing once something was wrong
	wrong   string // what was, or empty
}

// writers have memory to write in, which serves one value after the other.
var writers = sync.Pool{New: func() any { return new(Coder) }} //nolint:gochecknoglobals // a pool of buffers, which hold no state between uses

// Encode writes a value in its one form.
func Encode(v Value) []byte {
	c := write("", v)
	encoded := bytes.Clone(c.written)
	writers.Put(c)
	return encoded
}

// Digest is the SHA-256 of a prefix and a value's one form, which it keeps no copy of.
func Digest(prefix string, v Value) [sha256.Size]byte {
	c := write(prefix, v)
	digest := sha256.Sum256(c.written)
	writers.Put(c)
	return digest
}

// write returns a writer that has written a prefix and a value. The caller returns it to the pool.
func write(prefix string, v Value) *Coder {
	c := writers.Get().(*Coder)
	c.written = append(c.written[:0], prefix...)
	c.whole(v)
	return c
}

// Decode reads an encoding by [Encode] into v, all of it, and refuses all other bytes with a sentence that names the place and
// the fault. The content of v is then undefined. It keeps no reference to encoded, except through [View].
func Decode(encoded []byte, v Value) error {
	c := Coder{reading: true, rest: encoded}
	c.whole(v)
	if len(c.rest) > 0 {
		c.fail("it has %d bytes too many", len(c.rest))
	}
	if c.wrong != "" {
		return errors.New(c.wrong)
	}
	return nil
}

// whole is a value that stands by itself, where nothing else tells which variant of a sum it is.
func (c *Coder) whole(v Value) {
	if variant, ok := v.(Variant); ok {
		c.Tagged(variant)
		return
	}
	v.Fields(c)
}
