package chain

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
)

// TestMeasureEngine has the bare engine decide transactions of two blocks, and gives up when it is told to.
func TestMeasureEngine(t *testing.T) {
	t.Parallel()
	txs := make([][]byte, blockBytes/1000*3/2)
	for i := range txs {
		txs[i] = fmt.Appendf(nil, "%01000d", i)
	}
	dir := filepath.Join(t.TempDir(), "engine")
	took, err := MeasureEngine(t.Context(), dir, txs)
	if err != nil || took <= 0 {
		t.Errorf("it took %s, %v", took, err)
	}
	if _, err := MeasureEngine(t.Context(), dir, txs); err == nil {
		t.Error("a folder is used twice")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := MeasureEngine(ctx, filepath.Join(t.TempDir(), "engine"), txs); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
