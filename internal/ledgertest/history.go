package ledgertest

import (
	"log/slog"
	"path/filepath"
	"testing"

	"lockstep/internal/index"
	"lockstep/internal/query"
	"lockstep/internal/store"
	"lockstep/types"
)

// History builds the query index of the blocks so far. A block that comes later is not in it.
func (l *Ledger) History(t testing.TB) *query.History {
	t.Helper()
	snapshot, err := l.chain.store.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	source := indexed{snapshot}
	x, err := index.Open(filepath.Join(t.TempDir(), "index.db"), l.chain.params.Hash(), source, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	for blocks := 1; blocks > 0; {
		if blocks, err = x.Advance(t.Context(), source); err != nil {
			t.Fatal(err)
		}
	}
	if err := snapshot.Close(); err != nil {
		t.Fatal(err)
	}
	return query.NewHistory(x)
}

// indexed lets the index read from a snapshot of the store.
type indexed struct{ *store.IndexedSnapshot }

func (s indexed) Block(height uint64) (*index.Block, error) {
	block, err := s.IndexedSnapshot.Block(height)
	if block == nil || err != nil {
		return nil, err
	}
	outcomes, err := s.Outcomes(block)
	if err != nil {
		return nil, err
	}
	return &index.Block{
		Height: block.Height, BlockTime: block.BlockTime, Clock: block.Clock, Commitment: block.Commitment,
		Outcomes: outcomes, Cleared: block.Cleared(), Stories: block.Stored(),
	}, nil
}

func (s indexed) Trade(id types.TradeID) (*types.Trade, error) {
	record, err := s.IndexedSnapshot.Trade(id)
	if record == nil || err != nil {
		return nil, err
	}
	return record.Trade, nil
}
