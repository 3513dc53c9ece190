package doctest

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
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
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			d.needs(t)
			outputs := d.play(newSession(t))
			if text := d.replace(outputs); *update && len(outputs) > 0 {
				write(t, path, text)
			}
		})
	}
	if ran == 0 {
		t.Error("no document shows a command")
	}
}

// needs skips a document whose commands this machine lacks.
func (d *document) needs(t *testing.T) {
	t.Helper()
	text := strings.Join(d.lines, "\n")
	for _, tool := range []string{"sh", "curl", "awk", "sed"} {
		if _, err := exec.LookPath(tool); err != nil && strings.Contains(text, tool+" ") {
			t.Skipf("the document uses %s, which is not here", tool)
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

// check runs one step. A command fails exactly when the document shows that the program says so, or that it is false.
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
	if matches(shown, printed) && ok != fails && !*slow {
		return nil
	}
	if *update && ok != fails {
		s.t.Logf("line %d: %s", step.from, step.command)
		return &output{from: step.from, to: step.to, lines: printed}
	}
	s.t.Fatalf("line %d: %s\nsucceeds: %t\nthe document shows:\n%s\n\nit prints:\n%s", step.from, step.command, ok,
		strings.Join(shown, "\n"), strings.Join(printed, "\n"))
	return nil
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

// markdown lists the project's documents.
func markdown(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			relative, err := filepath.Rel(root, path)
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, filepath.ToSlash(relative))
		}
	}
	return found
}
