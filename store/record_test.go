package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/types"
)

func TestABlockLargerThanADecoderOfTransactionsTakes(t *testing.T) {
	t.Parallel()
	codec, err := newBlockCodec()
	if err != nil {
		t.Fatal(err)
	}
	block := &Block{Height: 7, Txs: make([]TxResult, 20_000), Events: []types.Event{}}
	encoded, err := codec.encode(block)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := codec.decode(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(block, decoded, cmp.AllowUnexported(Block{}, TxResult{}, types.Event{})); diff != "" {
		t.Error(diff)
	}
}

func FuzzBlockRecord(f *testing.F) {
	codec, err := newBlockCodec()
	if err != nil {
		f.Fatal(err)
	}
	sample, err := codec.encode(&Block{
		Height: 1, Txs: []TxResult{{Code: types.CodePhase, Detail: "why"}}, Events: []types.Event{{Kind: types.EventPaid}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sample)
	f.Add([]byte{0x87})
	f.Fuzz(func(t *testing.T, encoded []byte) {
		block, err := codec.decode(encoded)
		if err != nil {
			return
		}
		again, err := codec.encode(block)
		if err != nil {
			t.Fatal(err)
		}
		if decoded, err := codec.decode(again); err != nil || decoded.Height != block.Height || len(decoded.Txs) != len(block.Txs) {
			t.Errorf("what was read is not what is written: %v", err)
		}
	})
}
