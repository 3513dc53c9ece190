package canon

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Bounds of a list as it is read.
const (
	// MaxEntries is the most that a [List] may have: far above any valid transaction.
	MaxEntries = 8192
	// unseen is how many entries are believed to come before they are there: a length alone must not cost memory.
	unseen = 16
)

// Array opens a value of n fields, which must follow.
func (c *Coder) Array(n int) {
	if !c.reading {
		c.putHead(kindArray, uint64(n))
		return
	}
	if got := c.head("it", kindArray); got != uint64(n) {
		c.fail("it has %d fields, not %d", got, n)
	}
}

// Tagged is a value with its tag, where no other variant is possible.
func (c *Coder) Tagged(v Variant) {
	c.tag(v.Tag())
	v.Fields(c)
}

func (c *Coder) tag(tag uint64) {
	if !c.reading {
		c.putHead(kindTag, tag)
		return
	}
	if got := c.head("it", kindTag); got != tag {
		c.fail("it has the tag %d, not %d", got, tag)
	}
}

// Bytes is a byte string of fixed length, such as a hash: into is all of it.
func (c *Coder) Bytes(name string, into []byte) {
	if !c.reading {
		putString(c, kindBytes, into)
		return
	}
	n := c.head(name, kindBytes)
	if n != uint64(len(into)) {
		c.fail("%s has %d bytes, not %d", name, n, len(into))
		return
	}
	copy(into, c.take(name, n))
}

// View is a byte string of any length. Reading returns a part of the encoding itself, not a copy.
func View[B ~[]byte](c *Coder, name string, bytes *B) {
	if !c.reading {
		putString(c, kindBytes, *bytes)
		return
	}
	*bytes = c.take(name, c.head(name, kindBytes))
}

// Blob is a byte string of any length.
func Blob[B ~[]byte](c *Coder, name string, bytes *B) {
	View(c, name, bytes)
	if c.reading {
		*bytes = append(B{}, *bytes...)
	}
}

// Text is a text in UTF-8.
func Text[S ~string](c *Coder, name string, text *S) {
	if !c.reading {
		putString(c, kindText, *text)
		return
	}
	bytes := c.take(name, c.head(name, kindText))
	if !utf8.Valid(bytes) {
		c.fail("%s is not valid UTF-8", name)
		return
	}
	*text = S(bytes)
}

// Number is an unsigned number, as large as its type can hold.
func Number[N ~uint8 | ~uint16 | ~uint32 | ~uint64](c *Coder, name string, number *N) {
	if !c.reading {
		c.putHead(kindNumber, uint64(*number))
		return
	}
	n := c.head(name, kindNumber)
	if most := uint64(^N(0)); n > most {
		c.fail("%s is %d, at most %d is possible", name, n, most)
		return
	}
	*number = N(n)
}

// Part is a value within a value; fields is its own description.
func Part[T any](c *Coder, name string, part *T, fields func(*T, *Coder)) {
	if c.wrong != "" {
		return
	}
	if fields(part, c); c.wrong != "" {
		c.fault(name)
	}
}

// List is any number of values of a kind, up to [MaxEntries]; its name is a plural, fields describes one of them.
func List[T any](c *Coder, name string, list *[]T, fields func(*T, *Coder)) {
	LongList(c, name, list, MaxEntries, fields)
}

// LongList is a [List] with a bound of its own, for values outside transactions.
func LongList[T any](c *Coder, name string, list *[]T, most uint64, fields func(*T, *Coder)) {
	if !c.reading {
		c.putHead(kindArray, uint64(len(*list)))
		for i := range *list {
			fields(&(*list)[i], c)
		}
		return
	}
	n := c.head(name, kindArray)
	if n > most {
		c.fail("%s has %d entries, at most %d are possible", name, n, most)
		return
	}
	entries := make([]T, 0, min(n, unseen))
	for i := range n {
		entries = append(entries, *new(T))
		if fields(&entries[i], c); c.wrong != "" {
			c.fault(fmt.Sprintf("%s %d", strings.TrimSuffix(name, "s"), i))
			return
		}
	}
	*list = entries
}

// Variant is a member of a closed sum. Each has a permanent tag of its own.
type Variant interface {
	Value
	Tag() uint64
}

// Sum is one value of a closed sum, told apart by tags; empty makes the variant of a tag, or nil when there is none. A
// missing variant is written as null, which can't be read.
func Sum[V Variant](c *Coder, variant *V, empty func(tag uint64) V) {
	if c.reading {
		tag := c.head("it", kindTag)
		if *variant = empty(tag); any(*variant) == nil {
			c.fail("it has the unknown tag %d", tag)
			return
		}
	} else {
		if any(*variant) == nil {
			c.putHead(kindSimple, null)
			return
		}
		c.putHead(kindTag, (*variant).Tag())
	}
	(*variant).Fields(c)
}
