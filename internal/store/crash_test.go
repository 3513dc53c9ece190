package store_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lockstep/internal/ledgertest/party"
	"lockstep/internal/store"
	"lockstep/types"
)

// TestPowerCuts cuts the power at random moments, hundreds of times: of all writes since the last sync the disk keeps some and loses some. Each time
// database and log of outcomes are at one block, the check passes, the blocks that are kept have their events, and those that were lost, committed again, have the same commitments. Some
// are pruned, also in the middle of those that one flush wrote.
func TestPowerCuts(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long: make test runs it without the race detector, make race with it")
	}
	cuts, behind := 0, 0
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 18))
		disk := vfs.NewCrashableMem()
		w := &world{t: t, dir: "store", files: disk, params: types.DefaultParams("test"), time: start}
		w.params.Market.Grids = party.HoldGrids()
		w.open()
		var blocks []done
		for range 5 {
			for range 1 + random.IntN(6) {
				w.time = w.time.Add(second)
				block := done{time: w.time, txs: []*types.Tx{w.mint(110, "clara", "peter")}}
				agreement := w.agreement(uint64(len(blocks)))
				block.txs = append(block.txs, w.agree(agreement))
				if random.IntN(2) == 0 { // the agreements before lapse: their stories are written
					w.time = w.time.Add(100 * second)
				}
				w.again(&block, true)
				if blocks = append(blocks, block); random.IntN(3) == 0 {
					if err := w.store.Flush(); err != nil {
						t.Fatal(err)
					}
				}
				if random.IntN(8) == 0 {
					if _, err := w.store.Prune(1 + random.Uint64N(uint64(len(blocks)))); err != nil {
						t.Fatal(err)
					}
				}
			}
			disk = disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: random.IntN(101), RNG: random})
			w.close()
			w.files = disk
			w.open()
			cuts++
			if w.store.Height() < uint64(len(blocks)) {
				behind++
			}
			if _, err := w.store.Check(); err != nil {
				t.Fatalf("seed %d, after a cut at block %d: %v", seed, len(blocks), err)
			}
			for height := w.store.Height(); height < uint64(len(blocks)); height++ {
				w.again(&blocks[height], false)
			}
			w.check()
			for height := w.store.Base() + 1; height <= uint64(len(blocks)); height++ {
				block, err := w.store.Block(height)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(blocks[height-1].events, block.Events, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(types.Event{})); diff != "" {
					t.Fatalf("seed %d, after a cut at block %d, block %d has other events: %s", seed, len(blocks), height, diff)
				}
			}
		}
		w.close()
	}
	t.Logf("the power was cut %d times; in %d of them blocks were lost", cuts, behind)
	if behind < cuts/4 {
		t.Error("too few blocks were lost: this test tests little")
	}
}

// again executes a block and commits it; it notes the commitment of a new one and compares that of others.
func (w *world) again(block *done, first bool) {
	w.t.Helper()
	staged, err := w.store.Stage(execute(w.store.StateReader(), w.params, w.store.Height()+1, block))
	if err != nil {
		w.t.Fatal(err)
	}
	if first {
		block.commitment, block.events = staged.Block().Commitment, staged.Block().Events
	}
	if staged.Block().Commitment != block.commitment {
		w.t.Fatalf("block %d has another commitment than before the cut", staged.Block().Height)
	}
	if err := staged.Commit(); err != nil {
		w.t.Fatal(err)
	}
}

// TestDamagedLog changes files of the log behind the store's back: the start or the check names the file.
func TestDamagedLog(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]struct {
		change  func([]byte) []byte
		finding string
	}{
		"cut short": {func(b []byte) []byte { return b[:len(b)-1] }, "segment-000000000: it has"},
		"altered":   {func(b []byte) []byte { b[len(b)-1] ^= 1; return b }, "segment-000000000: its leaves"},
		"emptied":   {func([]byte) []byte { return nil }, "segment-000000000: it has 0 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.must(w.mint(110, "clara"))
			w.close()
			file := filepath.Join(w.dir, "outcomes", "segment-000000000")
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, damage.change(content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err = store.OpenIn(vfs.Default, w.dir, w.params)
			mustFail(t, err, store.ErrDamaged)
			if err != nil && !strings.Contains(err.Error(), damage.finding) {
				t.Errorf("found %v, want %q", err, damage.finding)
			}
		})
	}
}

// TestStagedBlocksLeaveNoLeaf stages blocks that are never committed: the log and the commitment of the next block are as if they had not been.
func TestStagedBlocksLeaveNoLeaf(t *testing.T) {
	t.Parallel()
	var commitments []types.Hash
	for _, undecided := range []int{0, 5} {
		w := newWorld(t)
		w.must(w.mint(110, "clara"))
		for range undecided {
			w.stage(w.mint(7, "mallory"))
		}
		w.time = start.Add(60 * second)
		commitments = append(commitments, w.must(w.mint(5, "peter")).Commitment)
		if leaves := w.check().Leaves; leaves != 3 { // the parameters, and two issues
			t.Errorf("%d leaves after %d undecided blocks", leaves, undecided)
		}
	}
	if commitments[0] != commitments[1] {
		t.Error("undecided blocks change the commitment")
	}
}
