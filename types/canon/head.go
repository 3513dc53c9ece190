package canon

import (
	"encoding/binary"
	"fmt"
)

// The major types of CBOR (RFC 8949 3.1) that occur. An item begins with its type and an argument: the number itself, a
// length or a tag.
const (
	kindNumber = 0
	kindBytes  = 2
	kindText   = 3
	kindArray  = 4
	kindTag    = 6
	kindSimple = 7
)

// null is a simple value.
const null = 22

// The five low bits of an item's first byte are its argument up to 23, or tell how many bytes of it follow.
const (
	inOneByte    = 24
	inTwoBytes   = 25
	inFourBytes  = 26
	inEightBytes = 27
	indefinite   = 31
)

func kindName(kind byte) string {
	return [...]string{"a number", "a negative number", "a byte string", "a text", "a list", "a map", "a tag", "a simple value or a fraction"}[kind]
}

// putHead writes a type and its argument in the shortest form.
func (c *Coder) putHead(kind byte, argument uint64) {
	kind <<= 5
	switch headSize(argument) {
	case 1:
		c.written = append(c.written, kind|byte(argument))
	case 2:
		c.written = append(c.written, kind|inOneByte, byte(argument))
	case 3:
		c.written = binary.BigEndian.AppendUint16(append(c.written, kind|inTwoBytes), uint16(argument))
	case 5:
		c.written = binary.BigEndian.AppendUint32(append(c.written, kind|inFourBytes), uint32(argument))
	default:
		c.written = binary.BigEndian.AppendUint64(append(c.written, kind|inEightBytes), argument)
	}
}

func headSize(argument uint64) int {
	switch {
	case argument < inOneByte:
		return 1
	case argument < 1<<8:
		return 2
	case argument < 1<<16:
		return 3
	case argument < 1<<32:
		return 5
	}
	return 9
}

// putString writes a string of either kind with its length.
func putString[S ~string | ~[]byte](c *Coder, kind byte, s S) {
	c.putHead(kind, uint64(len(s)))
	c.written = append(c.written, s...)
}

// head reads a type, which must be this one, and its argument. It is 0 when something is wrong.
func (c *Coder) head(name string, kind byte) uint64 {
	if len(c.rest) > 0 {
		if argument := c.rest[0] ^ kind<<5; argument < inOneByte {
			c.rest = c.rest[1:]
			return uint64(argument)
		}
	}
	return c.longHead(name, kind)
}

// longHead reads a head of several bytes, or reports its fault.
func (c *Coder) longHead(name string, kind byte) uint64 {
	if len(c.rest) == 0 {
		c.fail("%s is missing", name)
		return 0
	}
	first, bytes := c.rest[0], c.rest[1:]
	switch form := first & 31; {
	case first>>5 != kind:
		c.fail("%s is %s, not %s", name, kindName(first>>5), kindName(kind))
		return 0
	case form == indefinite:
		c.fail("%s does not say its length", name)
		return 0
	case form > inEightBytes:
		c.fail("%s is not CBOR", name)
		return 0
	}
	size := 1 << (first&31 - inOneByte)
	if len(bytes) < size {
		c.fail("%s is cut short", name)
		return 0
	}
	var argument uint64
	for _, b := range bytes[:size] {
		argument = argument<<8 | uint64(b)
	}
	if headSize(argument) != 1+size {
		c.fail("%s is not in its shortest form", name)
		return 0
	}
	c.rest = bytes[size:]
	return argument
}

// take reads n bytes, and nil when they are not there.
func (c *Coder) take(name string, n uint64) []byte {
	if n > uint64(len(c.rest)) {
		c.fail("%s is cut short", name)
		return nil
	}
	bytes := c.rest[:n:n]
	c.rest = c.rest[n:]
	return bytes
}

// fail notes the first fault; later ones are consequences.
func (c *Coder) fail(format string, args ...any) {
	if c.wrong == "" {
		c.wrong = fmt.Sprintf(format, args...)
	}
	c.rest = nil
}

// fault says in which part it was.
func (c *Coder) fault(part string) { c.wrong = part + ": " + c.wrong }
