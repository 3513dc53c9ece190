package index

import (
	"log/slog"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"lockstep/types"
)

// TestQueryPlans: no query and no step of following reads a table from end to end, nor sorts more
// than a page.
func TestQueryPlans(t *testing.T) {
	t.Parallel()
	x, err := Open(filepath.Join(t.TempDir(), "index.db"), types.Hash{}, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	}()
	var texts []string
	for _, text := range new(queries).texts() {
		texts = append(texts, text)
	}
	for _, text := range new(writeStatements).texts() {
		texts = append(texts, text)
	}
	for _, shape := range tradeShapes() {
		texts = append(texts, shape.text())
	}
	for _, shape := range auctionShapes() {
		texts = append(texts, shape.text())
	}
	texts = append(texts, volumesText(false), volumesText(true))
	for _, text := range texts {
		for _, step := range plan(t, x, text) {
			scan := strings.HasPrefix(step, "SCAN ") && step != "SCAN found" && step != "SCAN position"
			sort := strings.Contains(step, "TEMP B-TREE") && !strings.HasPrefix(text, "WITH found") // which sorts the page that it found
			if scan || sort {
				t.Errorf("%s: %s", strings.Join(strings.Fields(text), " "), step)
			}
		}
	}
}

func plan(t *testing.T, x *Index, text string) (steps []string) {
	t.Helper()
	if strings.HasPrefix(text, "INSERT") {
		return nil
	}
	arguments := make([]any, strings.Count(text, "?"))
	for i := range arguments {
		arguments[i] = 1
	}
	text = regexp.MustCompile(`:[a-z]+`).ReplaceAllString(text, "1")
	rows, err := x.db.write.Query("EXPLAIN QUERY PLAN "+text, arguments...)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer rows.Close()
	for rows.Next() {
		var node, parent, unused int
		var detail string
		if err := rows.Scan(&node, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return steps
}
