package main

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"lockstep/types"
)

// TestInputBeyondItsBound: an input that is too large is an error, never cut off.
func TestInputBeyondItsBound(t *testing.T) {
	t.Parallel()
	for text, good := range map[string]bool{"": true, "1234": true, "12345": true, "123456": false, strings.Repeat("x", 5000): false} {
		for _, source := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text)), iotest.DataErrReader(strings.NewReader(text))} {
			got, err := readUpTo(source, standardInput, 5)
			if good && (err != nil || string(got) != text) || !good && (types.CodeOf(err) != types.CodeTooLarge || !strings.Contains(err.Error(), "standard input")) {
				t.Errorf("%.10q: %.10q, %v", text, got, err)
			}
		}
	}
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
