package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// TestListsAreBounded: a list ends at its bound, however many items others add, and says so.
func TestListsAreBounded(t *testing.T) {
	t.Parallel()
	taken := 0
	endless := func(yield func(int, error) bool) {
		for taken = 0; yield(taken, nil); taken++ {
		}
	}
	for name, c := range map[string]struct {
		wanted func(*int) bool
		found  int
		looked int
		says   string
	}{
		"all":  {all[int], 5, 5, "more than these 5"},
		"none": {func(*int) bool { return false }, 0, mostLooked, "Only the first 20000"},
		"some": {func(n *int) bool { return *n == 7 }, 1, mostLooked, "Only the first 20000"},
	} {
		var said bytes.Buffer
		found, err := list(&app{err: &said}, endless, mostFlag{5}, c.wanted)
		if err != nil || len(found) != c.found || taken != c.looked || !strings.Contains(said.String(), c.says) {
			t.Errorf("%s: %d of %d, %q, %v", name, len(found), taken, said.String(), err)
		}
	}
	var said bytes.Buffer
	five := func(yield func(int, error) bool) {
		for n := range 5 {
			if !yield(n, nil) {
				return
			}
		}
	}
	if found, err := list(&app{err: &said}, five, mostFlag{5}, all); err != nil || len(found) != 5 || said.Len() > 0 {
		t.Errorf("%d, %q, %v", len(found), said.String(), err)
	}
	if _, err := list(&app{err: &said}, five, mostFlag{0}, all); err == nil {
		t.Error("a list of none was made")
	}
	gone := errors.New("gone")
	if _, err := list(&app{err: &said}, func(yield func(int, error) bool) { yield(0, gone) }, mostFlag{5}, all); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
}
