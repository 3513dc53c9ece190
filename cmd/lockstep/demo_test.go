package main

import (
	"errors"
	"io"
	"testing"
)

// TestDemoMode: the page is for a person at a terminal, the text for programs and files; --no-browser serves the page in every case.
func TestDemoMode(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		demo     demoCmd
		json     bool
		terminal bool
		page     bool
		misuse   bool
	}{
		{name: "a terminal", terminal: true, page: true},
		{name: "no terminal"},
		{name: "no terminal and no browser", demo: demoCmd{NoBrowser: true}, page: true},
		{name: "a terminal and no browser", demo: demoCmd{NoBrowser: true}, terminal: true, page: true},
		{name: "text at a terminal", demo: demoCmd{Text: true}, terminal: true},
		{name: "JSON at a terminal", json: true, terminal: true},
		{name: "a report at a terminal", demo: demoCmd{Report: "day.html"}, terminal: true},
		{name: "a slot at a terminal", demo: demoCmd{Slot: "12:15"}, terminal: true},
		{name: "a comparison at a terminal", demo: demoCmd{Compare: true}, terminal: true},
		{name: "a folder at a terminal", demo: demoCmd{Keep: "day"}, terminal: true, page: true},
		{name: "a folder and text", demo: demoCmd{Keep: "day", Text: true}, terminal: true, misuse: true},
		{name: "a folder and no terminal", demo: demoCmd{Keep: "day"}, misuse: true},
		{name: "text and no browser", demo: demoCmd{Text: true, NoBrowser: true}, misuse: true},
		{name: "JSON and no browser", demo: demoCmd{NoBrowser: true}, json: true, misuse: true},
		{name: "a report and no browser", demo: demoCmd{Report: "day.html", NoBrowser: true}, terminal: true, misuse: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.demo.terminal = func(any) bool { return test.terminal }
			onPage, err := test.demo.onPage(&app{globals: &globals{JSON: test.json}, out: io.Discard})
			var usage *usageError
			if onPage != test.page || errors.As(err, &usage) != test.misuse || (err != nil) != test.misuse {
				t.Errorf("page %v, %v", onPage, err)
			}
		})
	}
}
