package doctest

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

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

// document is a Markdown file in lines, with its fenced blocks.
type document struct {
	lines  []string
	blocks []block
}

// block is the text between two fences. Its info string tells its kind: "console" is run, "console retry" until it
// succeeds, "go pay.go" is saved under that name before.
type block struct {
	kind, name string
	from, to   int // lines of the document, without the fences
	scale      map[string]string
}

// scaled is a comment in a document that lets its test hurry: "doctest: 1m=2s" makes 1m in commands from here on 2s.
var scaled = regexp.MustCompile(`^<!-- doctest: (.*) -->$`)

func parse(text string) document {
	d := document{lines: strings.Split(text, "\n")}
	scale := map[string]string{}
	open := false
	for i, line := range d.lines {
		if comment := scaled.FindStringSubmatch(line); comment != nil {
			for pair := range strings.FieldsSeq(comment[1]) {
				slow, fast, _ := strings.Cut(pair, "=")
				scale[slow] = fast
			}
		}
		info, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && open:
			d.blocks[len(d.blocks)-1].to, open = i, false
		case fence:
			kind, name, _ := strings.Cut(info, " ")
			d.blocks, open = append(d.blocks, block{kind: kind, name: name, from: i + 1, scale: scale}), true
		}
	}
	return d
}

// step is a command with the output that the document shows.
type step struct {
	command  string
	from, to int // lines of the output in the document
}

// steps of a console block: a line that begins with "$ ", its continuations, and its output.
func (d *document) steps(b block) []step {
	var steps []step
	for i := b.from; i < b.to; i++ {
		command, ok := strings.CutPrefix(d.lines[i], "$ ")
		if !ok {
			if len(steps) > 0 {
				steps[len(steps)-1].to = i + 1
			}
			continue
		}
		for strings.HasSuffix(command, "\\") && i+1 < b.to {
			i++
			command += "\n" + d.lines[i]
		}
		steps = append(steps, step{command: command, from: i + 1, to: i + 1})
	}
	return steps
}

// replace puts new outputs into the document; they are given in order of their place.
func (d *document) replace(outputs []output) string {
	lines := d.lines[:0:0]
	at := 0
	for _, o := range outputs {
		lines = append(append(lines, d.lines[at:o.from]...), o.lines...)
		at = o.to
	}
	return strings.Join(append(lines, d.lines[at:]...), "\n")
}

// output is the printed text of a command, for the lines of the document from and up to to.
type output struct {
	from, to int
	lines    []string
}
