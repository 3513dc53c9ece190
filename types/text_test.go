package types_test

import (
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"lockstep/types"
)

// Invisible characters of any text reach no terminal.
func TestCheckText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "plain", "Ærøskøbing, 屋顶, Σ", "two  spaces", "e\u0301", "नमस्ते", "☀", "a\u00a0b", "👨",
	} {
		if err := types.CheckText("text", text, 64); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, r := range []rune{
		0, '\n', '\t', 0x1b, 0x7f, 0x85, 0x9b, // controls
		0xad, 0x61c, 0x180e, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x202a, 0x202e, 0x2060, 0x2064, 0x2066, 0x2069, 0xfeff, 0xfff9, 0xe0001, 0xe0041, // formats
		0x2028, 0x2029, // separators of lines and of paragraphs
		0xe000, 0x378, 0xfffe, 0x10ffff, // private, not assigned, no characters
		0x34f, 0x115f, 0x1160, 0x17b4, 0x3164, 0xffa0, 0x2800, // fillers and blanks
		0x180b, 0xfe00, 0xfe0f, 0xe0100, // selectors
	} {
		err := types.CheckText("text", "a"+string(r)+"b", 64)
		if types.CodeOf(err) != types.CodeText {
			t.Errorf("%U: %v", r, err)
		}
	}
	if err := types.CheckText("text", strings.Repeat("x", 65), 64); types.CodeOf(err) != types.CodeText {
		t.Error(err)
	}
	if err := types.CheckText("text", "\xff", 64); types.CodeOf(err) != types.CodeText {
		t.Error(err)
	}
}

// Names that look the same to a reader are the same, and others are not.
func TestFoldName(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{
		{"Paul", "PAUL", "paul", "Ｐａｕｌ", "𝐏aul", " Paul ", "paul\u00a0"},
		{"Jürgen", "JÜRGEN", "Ju\u0308rgen"},
		{"Straße 5", "STRASSE 5", "strasse  5", "Straße\u30005"},
		{"ﬁeld", "field"},
		{"Σίσυφος", "ΣΊΣΥΦΟΣ", "σίσυφοσ"},
	} {
		for _, name := range same[1:] {
			if types.FoldName(name) != types.FoldName(same[0]) {
				t.Errorf("%q and %q are two names: %q, %q", same[0], name, types.FoldName(same[0]), types.FoldName(name))
			}
		}
	}
	for _, name := range []string{"Paula", "Pau l", "Pàul", "P"} {
		if types.FoldName(name) == types.FoldName("Paul") {
			t.Errorf("%q is taken for Paul", name)
		}
	}
}

// Nodes agree on names and texts only if they have the same tables. A change of the Unicode version is a change of the rules.
func TestUnicodeVersion(t *testing.T) {
	t.Parallel()
	const version = "15.0.0"
	if unicode.Version != version || norm.Version != version {
		t.Errorf("the tables are of Unicode %s and %s: the rules are those of %s", unicode.Version, norm.Version, version)
	}
}

func TestMemberCheck(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		member types.Member
		want   types.Code
	}{
		"good":              {types.Member{Key: keyOf("a"), Name: "Anna's roof"}, types.CodeOK},
		"longest":           {types.Member{Key: keyOf("a"), Name: strings.Repeat("n", types.MaxName)}, types.CodeOK},
		"too long":          {types.Member{Key: keyOf("a"), Name: strings.Repeat("n", types.MaxName+1)}, types.CodeText},
		"not seen":          {types.Member{Key: keyOf("a"), Name: "An\u200bna"}, types.CodeText},
		"no name":           {types.Member{Key: keyOf("a")}, types.CodeMemberName},
		"nothing but space": {types.Member{Key: keyOf("a"), Name: " \u3000"}, types.CodeMemberName},
		"anybody's key":     {types.Member{Name: "Anna"}, types.CodeWeakKey},
	} {
		if err := c.member.Check(); types.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}
