package advice

import "unicode"

// MixedName reports whether a name has letters of several alphabets that look alike, such as a Cyrillic \u0421 before Latin letters. The ledger
// takes such a name for another than the one that it imitates.
func MixedName(name string) bool {
	alike := []*unicode.RangeTable{unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee, unicode.Coptic, unicode.Lisu}
	first := -1
	for _, r := range name {
		for i, alphabet := range alike {
			if !unicode.Is(alphabet, r) {
				continue
			}
			if first >= 0 && first != i {
				return true
			}
			first = i
		}
	}
	return false
}
