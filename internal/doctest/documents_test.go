//go:build unix

package doctest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lockstep/internal/component"
)

// TestDocuments types every document that shows commands, each in a home folder of its own.
func TestDocuments(t *testing.T) {
	t.Parallel()
	ran := 0
	for _, path := range markdown(t) {
		d := parse(read(t, path))
		if !slices.ContainsFunc(d.blocks, func(b block) bool { return b.kind == "console" }) {
			continue
		}
		ran++
		number := ran
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			d.needs(t)
			outputs := d.play(newSession(t, number))
			if text := d.replace(outputs); *update && len(outputs) > 0 {
				write(t, path, text)
			}
		})
	}
	if ran == 0 {
		t.Error("no document shows a command")
	}
}

// needs looks for the programs that the document's commands call.
func (d *document) needs(t *testing.T) {
	t.Helper()
	text := strings.Join(d.lines, "\n")
	for _, tool := range []string{"curl", "awk", "sed", "sha256sum"} {
		if strings.Contains(text, tool+" ") {
			component.Find(t, tool)
		}
	}
}

// play runs the document and returns the outputs that are not as it shows them.
func (d *document) play(s *session) []output {
	var outputs []output
	for _, b := range d.blocks {
		if b.kind != "console" && b.name != "" {
			content := strings.Join(d.lines[b.from:b.to], "\n") + "\n"
			if err := os.WriteFile(filepath.Join(s.home, b.name), []byte(content), 0o600); err != nil {
				s.t.Fatal(err)
			}
		}
		if b.kind != "console" {
			continue
		}
		for _, step := range d.steps(b) {
			if changed := d.check(s, b, step); changed != nil {
				outputs = append(outputs, *changed)
			}
		}
	}
	return outputs
}

// check runs one step and returns its output if the document is to be changed. A command must fail exactly when the
// document shows an error of the program.
func (d *document) check(s *session, b block, step step) *output {
	s.t.Helper()
	command, limit := step.command, 10*time.Minute
	if !*slow {
		command, limit = hurry(command, b.scale), patience
	}
	shown := d.lines[step.from:step.to]
	printed, ok := s.run(command)
	for end := time.Now().Add(limit); b.name == "retry" && !ok && time.Now().Before(end); {
		time.Sleep(300 * time.Millisecond)
		printed, ok = s.run(command)
	}
	fails := slices.ContainsFunc(shown, func(line string) bool { return strings.HasPrefix(line, "lockstep: ") })
	switch again, same := matches(shown, printed); {
	case ok == fails: // is never right, not even to be written
	case same && *update && *slow:
		return &output{from: step.from, to: step.to, lines: padded(shown, again)}
	case same:
		return nil
	case *update:
		s.t.Logf("line %d: %s", step.from, step.command)
		return &output{from: step.from, to: step.to, lines: padded(shown, printed)}
	}
	s.t.Fatalf("line %d: %s\nsucceeds: %t\nthe document shows:\n%s\n\nit prints:\n%s", step.from, step.command, ok,
		strings.Join(shown, "\n"), strings.Join(printed, "\n"))
	return nil
}

// padded keeps the empty line that a document may have after an output.
func padded(shown, lines []string) []string {
	if n := len(shown); n > 0 && shown[n-1] == "" {
		return append(lines, "")
	}
	return lines
}

// hurry puts shorter times into a command.
func hurry(command string, scale map[string]string) string {
	words := strings.SplitAfter(command, " ")
	for i, word := range words {
		bare := strings.TrimRight(word, " \\\n")
		if fast, ok := scale[bare]; ok {
			words[i] = fast + word[len(bare):]
		}
	}
	return strings.Join(words, "")
}
