package node

import (
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

var link = regexp.MustCompile(`(?:href|action)="(/[^"#]*)`)

// TestLinksOfThePage: every link of the page leads to the page, and not to the API beside it.
func TestLinksOfThePage(t *testing.T) {
	t.Parallel()
	n, _ := start(t, initNode(t, quickParams()))
	must(t, n.Ledger(), mint(n.Params(), 1, "peter"))
	seen := map[string]bool{}
	for pages := []string{"/community"}; len(pages) > 0; pages = pages[1:] {
		path := strings.ReplaceAll(pages[0], "&amp;", "&")
		if seen[path] || len(seen) > 200 {
			continue
		}
		seen[path] = true
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+n.APIAddress()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		if err = errors.Join(err, response.Body.Close()); err != nil {
			t.Fatal(err)
		}
		kind := response.Header.Get("Content-Type")
		if strings.HasPrefix(kind, "application/problem") {
			t.Errorf("%s: %s %s", path, response.Status, text)
		}
		if strings.HasPrefix(kind, "text/html") {
			for _, found := range link.FindAllSubmatch(text, -1) {
				pages = append(pages, string(found[1]))
			}
		}
	}
	if !seen["/receipt"] || !seen["/explorer"] {
		t.Errorf("%d pages were seen, but not those of the explorer", len(seen))
	}
}
