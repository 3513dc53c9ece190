// Package canon is the one canonical encoding of the protocol: deterministic CBOR (RFC 8949 4.2.1), as much of it as the
// domain types need. A type lists its fields once, in a method that serves both directions; see [Value].
//
// A decoder accepts the canonical form and nothing else, by construction: there is no second way to write a value that
// it could read. So whatever it accepts is encoded to the same bytes again.
package canon

import (
	"bytes"
	"errors"
)

// Value is what has a canonical form: Fields names its parts in the order of the wire, to be written or to be read.
//
//	func (o *Outpoint) Fields(c *canon.Coder) {
//		c.Array(2)
//		c.Bytes("tx", o.Tx[:])
//		canon.Number(c, "index", &o.Index)
//	}
//
// A type can't hold itself, so a decoder never goes deeper than its types do.
type Value interface{ Fields(c *Coder) }

// Coder carries a value to its encoding or back. It is made by [Encode] and [Decode] and lives as long as they run.
type Coder struct {
	reading   bool
	measuring bool
	size      int // measured
	written   []byte
	rest      []byte // still to be read; nothing once something was wrong
	wrong     string // what was, or empty
}

// Encode writes a value in its one form. It goes through the value twice, first to measure it: that is quicker than to
// write into a buffer that grows.
func Encode(v Value) []byte {
	c := Coder{measuring: true}
	c.whole(v)
	c.measuring, c.written = false, make([]byte, 0, c.size)
	c.whole(v)
	return c.written
}

// Encoder encodes one value after the other in the same memory, which is quicker than as many calls of [Encode].
type Encoder struct{ coder Coder }

// Encode writes a value in its one form. The caller may keep what it returns.
func (e *Encoder) Encode(v Value) []byte {
	e.coder.written = e.coder.written[:0]
	e.coder.whole(v)
	return bytes.Clone(e.coder.written)
}

// Decode reads into v what [Encode] writes, all of it, and refuses everything else with a sentence that says where and
// what is wrong. What it leaves in v then is of no use. It keeps nothing of encoded, except what [View] reads.
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
		c.tag(variant.Tag())
	}
	v.Fields(c)
}
