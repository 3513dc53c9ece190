package config

import (
	"os"
	"regexp"
	"testing"
)

// The configurations that the documentation shows can be read.
func TestDocumentedConfigurations(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/how-to/run-an-agent.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```text\n(role: .*?)```").FindAllSubmatch(page, -1)
	if len(found) == 0 {
		t.Fatal("the page shows no configuration")
	}
	for _, block := range found {
		if _, err := Load(block[1]); err != nil {
			t.Errorf("%v\n%s", err, block[1])
		}
	}
}
