package ledger_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"lukechampine.com/blake3"
	"pgregory.net/rapid"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// TestChangesHash compares the hash with its definition, for blocks of all sizes.
func TestChangesHash(t *testing.T) {
	t.Parallel()
	value := rapid.OneOf(rapid.Just[[]byte](nil), rapid.SliceOfN(rapid.Byte(), 0, 20_000))
	rapid.Check(t, func(rt *rapid.T) {
		changes := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) ledger.Change {
			return ledger.Change{Key: rapid.StringN(0, 40, 200).Draw(rt, "key"), Old: value.Draw(rt, "old"), New: value.Draw(rt, "new")}
		}), 0, 12).Draw(rt, "changes")
		message := []byte("lockstep/changes/v2\x00")
		for _, change := range changes {
			message = append(binary.BigEndian.AppendUint32(message, uint32(len(change.Key))), change.Key...)
			for _, value := range [][]byte{change.Old, change.New} {
				length := uint32(0)
				if value != nil {
					length = uint32(len(value)) + 1
				}
				message = append(binary.BigEndian.AppendUint32(message, length), value...)
			}
		}
		if got := ledger.HashChanges(changes); got != types.Hash(blake3.Sum256(message)) {
			rt.Fatal("the hash is another than its definition says")
		}
	})
}

// TestLink freezes the hashes that nodes must agree on, and that each part of a link counts.
func TestLink(t *testing.T) {
	t.Parallel()
	params := types.DefaultParams("town")
	begin := ledger.BeginHash(&params)
	params.ChainID = "city"
	if begin == ledger.BeginHash(&params) {
		t.Error("two ledgers begin with one hash")
	}
	link := ledger.Link{Height: 7, Before: types.Hash{1}, Changes: types.Hash{2}, Checkpoint: types.Hash{3}}
	seen := map[types.Hash]string{link.Hash(): "the link"}
	for _, other := range []ledger.Link{
		{Height: 8, Before: types.Hash{1}, Changes: types.Hash{2}, Checkpoint: types.Hash{3}},
		{Height: 7, Before: types.Hash{2}, Changes: types.Hash{1}, Checkpoint: types.Hash{3}},
		{Height: 7, Before: types.Hash{1}, Changes: types.Hash{3}, Checkpoint: types.Hash{2}},
		{Height: 7, Before: types.Hash{1}, Changes: types.Hash{2}},
	} {
		if same, known := seen[other.Hash()]; known {
			t.Errorf("%+v has the hash of %s", other, same)
		}
		seen[other.Hash()] = fmt.Sprintf("%+v", other)
	}
	if got := link.Hash().String(); got != frozenLink {
		t.Errorf("the hash of a link is %s, frozen is %s", got, frozenLink)
	}
}

const frozenLink = "e6e0b64fffa74a7a86e4013bb13d2227f89622d5c65f28c667d06b6453caf59a"

// TestOrderOfChanges checks that a refused transaction leaves no trace in the order of changes: a proposer tries transactions that its block does not hold.
func TestOrderOfChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := party.Euro(), party.Euro()
	two.Code = "ELF"
	issue := func(asset types.Asset, more ...types.Action) *types.Tx {
		body := w.body(append([]types.Action{&types.Issue{Asset: asset, Amount: 1}}, more...)...)
		body.Outputs = []types.Output{{Asset: asset.ID(), Amount: 1, Lock: types.ToKey(party.Key("clara"))}}
		return party.Sign(body, "issuer")
	}
	results := w.try(second, issue(one, &types.Deliver{Trade: types.TradeID{1}}), issue(two), issue(one))
	for i, want := range []bool{false, true, true} {
		if results[i].Code == types.CodeOK != want {
			t.Errorf("transaction %d: %s", i, results[i].Detail)
		}
	}
}

// TestCheckpoints checks which sum enters which block.
func TestCheckpoints(t *testing.T) {
	t.Parallel()
	c := ledger.StandardCheckpoints()
	if c.Every <= c.Delay {
		t.Error("two sums could be on their way at once")
	}
	for height := range 3*c.Every + c.Delay + 2 {
		at, entering := height > 0 && height%c.Every == 0, uint64(0)
		if height > c.Every && height%c.Every == c.Delay {
			entering = height - c.Delay
		}
		if c.At(height) != at || c.Entering(height) != entering {
			t.Errorf("block %d is a checkpoint: %t; checkpoint %d enters there; want %t, %d", height, c.At(height), c.Entering(height), at, entering)
		}
	}
}
