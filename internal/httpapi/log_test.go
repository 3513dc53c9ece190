package httpapi

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"lockstep/client/wire"
	"lockstep/internal/outcomes"
	"lockstep/types"
)

// TestLogFiles: the log is served as files, whose leaves are those of the ledger; files that are not there are problems.
func TestLogFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	story, id := w.ledger.Story(t)
	response, part := w.ask("GET", "/v1/log/tile/entries/000.p/2", nil)
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "application/octet-stream" {
		t.Fatalf("%s: %s", response.Status, part)
	}
	leaves, err := outcomes.ReadBundle(part)
	if err != nil || len(leaves) != 2 {
		t.Fatalf("%d leaves, %v", len(leaves), err)
	}
	var first types.Outcome
	if err := types.Decode(leaves[0], &first); err != nil {
		t.Fatal(err)
	}
	params := w.ledger.Params()
	if begun, ok := first.Effects[0].(*types.Begun); !ok || begun.Params != params.Hash() {
		t.Errorf("the first leaf says %+v", first)
	}
	if _, hashes := w.ask("GET", "/v1/log/tile/0/000.p/2", nil); len(hashes) != 64 {
		t.Errorf("a tile of two hashes has %d bytes", len(hashes))
	}
	for path, status := range map[string]int{
		"tile/0/000": http.StatusNotFound, "tile/0/001": http.StatusNotFound, "tile/x": http.StatusNotFound, "tile/": http.StatusNotFound,
		"tile/entries/000.p/255": http.StatusNotFound, "checkpoint": http.StatusNotFound, "key": http.StatusNotFound, // a ledger without validators has none
		"nothing": http.StatusNotFound, "leaves/0": http.StatusNotFound, "leaves/x": http.StatusBadRequest, "trades/" + id.String(): http.StatusNotFound,
		"transactions/" + (types.TxID{7}).String(): http.StatusNotFound,
	} {
		response, text := w.ask("GET", "/v1/log/"+path, nil)
		if response.StatusCode != status || !strings.HasPrefix(response.Header.Get("Content-Type"), wire.ProblemType) || !bytes.Contains(text, []byte(`"code":`)) {
			t.Errorf("%s: %s: %s", path, response.Status, text)
		}
	}
	_ = story
}
