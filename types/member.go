package types

import (
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Member is a key for which an operator vouches by name.
type Member struct {
	_    struct{}  `cbor:",toarray"`
	Key  PublicKey `json:"key"`
	Name string    `json:"name"`
}

// Check reports a key that nobody can own or a name that can't be shown.
func (m *Member) Check() error {
	if err := m.Key.Check("member"); err != nil {
		return err
	}
	if err := CheckText("name", m.Name, MaxName); err != nil {
		return err
	}
	if FoldName(m.Name) == "" {
		return Refuse(CodeMemberName, "the name %q has no letters: give the member a name that others can tell it by", m.Name)
	}
	return nil
}

// FoldName maps names that look alike to a reader to one text: letters of either case, wide or narrow forms, composed or
// decomposed, with one space or several (Unicode NFKC and case folding). A test pins the Unicode version of the tables.
func FoldName(name string) string {
	folded := norm.NFKC.String(cases.Fold().String(norm.NFKC.String(name)))
	return strings.Join(strings.Fields(folded), " ")
}
