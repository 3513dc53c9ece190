package chain

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	dbm "github.com/cometbft/cometbft-db"
)

// TestCompressedParts stores the parts of blocks compressed, also in a backup, and reads those of an older program, which are not.
func TestCompressedParts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run()
	w.must(w.mint(1, slices.Repeat([]string{"peter"}, 100)...))
	var dumped []byte
	if _, err := w.Dump(t.Context(), func(name string, content []byte) error {
		if name == partName(blockDatabase, 0) {
			dumped = bytes.Clone(content)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	height, whole := int64(0), 0
	for at := w.engine.BlockStore().Height(); at > 0; at-- { // the block with the outputs
		if part := w.engine.BlockStore().LoadBlockPart(at, 0); len(part.Bytes) > whole {
			height, whole = at, len(part.Bytes)
		}
	}
	w.close()
	_, err := checked(t, func(other *world) {
		key := []byte("P:2:0")
		other.edit(blockDatabase, func(db dbm.DB) error {
			parts, err := newBlockParts(db)
			if err != nil {
				return err
			}
			value, err := parts.Get(key)
			stored, again := db.Get(key)
			if err != nil || again != nil || !bytes.HasPrefix(stored, []byte(frameMagic)) || len(stored) >= len(value) {
				t.Errorf("a part of %d bytes is stored in %d: %x (%v, %v)", len(value), len(stored), stored, err, again)
			}
			return db.SetSync(key, value) // as an older program
		})
	})
	if err != nil {
		t.Error(err)
	}
	w.edit(blockDatabase, func(db dbm.DB) error {
		stored, err := db.Get(fmt.Appendf(nil, "P:%d:0", height))
		if whole < 4000 || 2*len(stored) > whole {
			t.Errorf("a part of %d bytes, 100 outputs of one key, is stored in %d", whole, len(stored))
		}
		if !bytes.Contains(dumped, stored) {
			t.Error("a backup has the part in another form")
		}
		return err
	})
}

// FuzzStoredPart: a stored part is read, or refused, and what is written is read again.
func FuzzStoredPart(f *testing.F) {
	parts, err := newBlockParts(dbm.NewMemDB())
	if err != nil {
		f.Fatal(err)
	}
	key := []byte("P:1:0")
	f.Add([]byte{})
	f.Add([]byte(frameMagic))
	f.Add(parts.stored(key, bytes.Repeat([]byte("lockstep"), 100)))
	f.Fuzz(func(t *testing.T, value []byte) {
		if read, err := parts.value(key, value); err == nil && len(read) > mostPart {
			t.Errorf("%d bytes are read", len(read))
		}
		if bytes.HasPrefix(value, []byte(frameMagic)) || len(value) > mostPart {
			return // no part begins so
		}
		if read, err := parts.value(key, parts.stored(key, value)); err != nil || !bytes.Equal(read, value) {
			t.Errorf("%x is read as %x (%v)", value, read, err)
		}
	})
}
