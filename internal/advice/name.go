package advice

import (
	"context"
	"unicode"

	"github.com/mtibben/confusables"

	"lockstep/client"
	"lockstep/types"
)

// alphabets are those with letters that look like letters of another of them.
func alphabets() []*unicode.RangeTable {
	return []*unicode.RangeTable{unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee, unicode.Coptic, unicode.Lisu}
}

// alphabetOf returns the place of a letter's alphabet in a list; -1 for any other character.
func alphabetOf(list []*unicode.RangeTable, r rune) int {
	for i, alphabet := range list {
		if unicode.Is(alphabet, r) {
			return i
		}
	}
	return -1
}

// MixedName reports whether a name has letters of several alphabets that look alike, such as a Cyrillic \u0421 before Latin letters. The ledger
// takes such a name for another than the one that it imitates.
func MixedName(name string) bool {
	list, first := alphabets(), -1
	for _, r := range name {
		at := alphabetOf(list, r)
		if at < 0 {
			continue
		}
		if first >= 0 && first != at {
			return true
		}
		first = at
	}
	return false
}

// ForeignName reports whether a name without a Latin letter can be read as one of Latin letters, such as the Cyrillic \u0421\u0435\u0441\u0430\u0440: each of its letters looks
// like a Latin one (by the skeleton of Unicode Technical Standard 39).
func ForeignName(name string) bool {
	list, found := alphabets(), false
	for _, r := range name {
		switch at := alphabetOf(list, r); {
		case at == 0:
			return false
		case at < 0 && unicode.IsLetter(r): // of an alphabet that looks like no other
			return false
		case at > 0:
			found = true
			for _, like := range confusables.Skeleton(string(r)) {
				if like > unicode.MaxASCII {
					return false
				}
			}
		}
	}
	return found
}

// AlikeNames reports whether a reader can take one name for another: their letters look alike, as they are written or in small letters (the skeletons of Unicode Technical Standard 39).
func AlikeNames(a, b string) bool {
	small := func(name string) string { return types.FoldName(confusables.Skeleton(types.FoldName(name))) }
	return confusables.Confusable(a, b) || small(a) == small(b)
}

// NameDoubts are the reasons to look twice at the name of a newcomer.
type NameDoubts struct {
	Mixed   bool          // see [MixedName]
	Foreign bool          // see [ForeignName]
	Like    *types.Member // a member whose name looks the same; nil without one
}

// MostCompared bounds the members with whose names that of a newcomer is compared.
const MostCompared = 5000

// DoubtsOfName compares the name of a newcomer with those of the members.
func DoubtsOfName(newcomer *types.Member, members []types.Member) NameDoubts {
	d := NameDoubts{Mixed: MixedName(newcomer.Name), Foreign: ForeignName(newcomer.Name)}
	for i := range members {
		if members[i].Key != newcomer.Key && AlikeNames(newcomer.Name, members[i].Name) {
			d.Like = &members[i]
			break
		}
	}
	return d
}

// Members lists the members of a ledger with whose names that of a newcomer is compared.
func Members(ctx context.Context, node *client.Client) (members []types.Member, err error) {
	for member, err := range node.AllMembers(ctx) {
		if err != nil || len(members) >= MostCompared {
			return members, err
		}
		members = append(members, member)
	}
	return members, nil
}
