package doctest

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var (
	links = regexp.MustCompile(`\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"`)
	code  = regexp.MustCompile("`[^`]*`")
)

// TestLinks follows every link within the repository, to the heading that it names.
func TestLinks(t *testing.T) {
	t.Parallel()
	for _, document := range markdown(t) {
		d := parse(read(t, document))
		for i, line := range d.lines {
			if d.fenced(i) {
				continue
			}
			for _, link := range links.FindAllStringSubmatch(code.ReplaceAllString(line, ""), -1) {
				target := link[1] + link[2]
				if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
					continue
				}
				if problem := follow(t, document, target); problem != "" {
					t.Errorf("%s:%d: %s: %s", document, i+1, target, problem)
				}
			}
		}
	}
}

func (d *document) fenced(line int) bool {
	for _, b := range d.blocks {
		if line >= b.from && line < b.to {
			return true
		}
	}
	return false
}

func follow(t *testing.T, from, target string) (problem string) {
	t.Helper()
	file, heading, _ := strings.Cut(target, "#")
	if file == "" {
		file = from
	} else {
		file = path.Join(path.Dir(from), file)
	}
	if strings.HasPrefix(file, "..") {
		return "it leads out of the repository"
	}
	if _, err := os.Stat(filepath.Join(root, file)); err != nil {
		return "there is no such file"
	}
	if heading == "" || !strings.HasSuffix(file, ".md") {
		return ""
	}
	d := parse(read(t, file))
	for i, line := range d.lines {
		title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		if ok && strings.HasPrefix(line, "#") && !d.fenced(i) && anchor(title) == heading {
			return ""
		}
	}
	return "there is no such heading"
}

// anchor is GitHub's anchor of a heading.
func anchor(title string) string {
	var out strings.Builder
	for _, r := range strings.ToLower(strings.TrimSpace(title)) {
		switch {
		case r == ' ':
			out.WriteByte('-')
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
			out.WriteRune(r)
		}
	}
	return out.String()
}
