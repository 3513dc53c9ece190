package main

import (
	"strings"
	"testing"

	"lockstep/types"
)

// TestInputBeyondItsBound: an input that is too large is an error, never cut off.
func TestInputBeyondItsBound(t *testing.T) {
	t.Parallel()
	a := &app{globals: &globals{}, in: strings.NewReader(strings.Repeat("a", maxRecordsFile+1))}
	if _, err := a.records("-"); types.CodeOf(err) != types.CodeTooLarge {
		t.Errorf("records: %v", err)
	}
	a.in = strings.NewReader(strings.Repeat("a ", maxWords))
	if _, err := a.readWords(""); types.CodeOf(err) != types.CodeTooLarge {
		t.Errorf("words: %v", err)
	}
	orders := "id,side,price,quantity\n" + strings.Repeat("\n", maxOrdersFile)
	a.in = strings.NewReader(orders)
	if _, err := a.orders("-"); types.CodeOf(err) != types.CodeTooLarge {
		t.Errorf("orders: %v", err)
	}
}
