package store_test

import (
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// TestAlteredEntry changes an entry behind the ledger's back. No block shows it, and no checkpoint, before one changes the entry: that very block commits to
// another hash than on other nodes. A check finds it at once.
func TestAlteredEntry(t *testing.T) {
	t.Parallel()
	sound, altered := newWorld(t), newWorld(t)
	worlds := []*world{sound, altered}
	for _, w := range worlds {
		w.must(w.mint(1000, "clara"))
	}
	altered.tamper(func(db *pebble.DB) error { return changeOne(db, []byte("sa"), raiseIssued) })
	altered.open()
	if _, err := altered.store.Check(); err == nil {
		t.Error("the check finds nothing")
	}
	for height := uint64(2); height <= 3*quick.Every; height++ {
		if sound.must().Commitment != altered.must().Commitment {
			t.Fatalf("block %d, which does not touch the entry, shows it", height)
		}
	}
	if sound.must(sound.mint(1, "peter")).Commitment == altered.must(altered.mint(1, "peter")).Commitment {
		t.Error("the block that changes the entry does not show it")
	}
}

// raiseIssued changes an asset.
func raiseIssued(batch *pebble.Batch, key, value []byte) error {
	var state types.AssetState
	if err := types.Decode(value, &state); err != nil {
		return err
	}
	state.Issued++
	return batch.Set(key, types.Encode(&state), nil)
}

// TestCrashesAroundCheckpoints cuts the power after each block before, at and behind a checkpoint, with its sum on the disk, not yet there, or torn. The blocks that
// are lost, done again, and those after them commit to the same hashes as without a cut.
func TestCrashesAroundCheckpoints(t *testing.T) {
	t.Parallel()
	const blocks = 11
	var reference []done
	run := func(cut int, flush bool) {
		disk := vfs.NewCrashableMem()
		w := &world{t: t, dir: "store", files: disk, params: types.DefaultParams("test"), time: start}
		w.params.Market.Grids = party.HoldGrids()
		w.open()
		first := len(reference) == 0
		for i := range blocks {
			w.time = start.Add(types.Duration(i+1) * second)
			if first {
				reference = append(reference, done{time: w.time, txs: []*types.Tx{w.mint(types.Amount(i+1), "clara")}})
			}
			for height := w.store.Height(); height <= uint64(i); height++ {
				w.again(&reference[height], first)
			}
			if i+1 != cut {
				continue
			}
			if flush {
				if err := w.store.Flush(); err != nil {
					t.Fatal(err)
				}
			}
			disk = disk.CrashClone(vfs.CrashCloneCfg{})
			w.close()
			w.files = disk
			w.open()
		}
		w.check()
		w.close()
	}
	run(0, false)
	for cut := 1; cut <= blocks; cut++ {
		run(cut, false)
		run(cut, true)
	}
}
