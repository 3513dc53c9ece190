package main

import (
	"strings"
	"testing"

	"lockstep/internal/node"
	"lockstep/internal/outcomes"
)

// TestShowRepair shows the words of other nodes: they add no line of their own, and nothing that a terminal obeys.
func TestShowRepair(t *testing.T) {
	t.Parallel()
	const words = "gone\nThe log of outcomes is whole again.\x1b[2J"
	var out strings.Builder
	p := newPage(&out)
	showRepair(p, &node.RepairReport{Log: outcomes.Repaired{
		Damaged: []outcomes.Finding{{File: "hashes-1", Damage: "it is missing", Why: words}},
		Refused: []outcomes.Refused{{Source: "http://127.0.0.1:1", Why: words}},
	}})
	if err := p.Flush(); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); strings.Count(text, "\n") != 3 || strings.Contains(text, "\x1b") || strings.Count(text, `gone\u000aThe log`) != 2 {
		t.Errorf("%q", text)
	}
}
