package words

import (
	"strings"

	"lockstep/trade"
)

// LookUp returns the text of a key.
func LookUp(language Language, key trade.Key) (string, bool) { return lookUp(language, key) }

// AllKeys lists the keys of the catalogue.
func AllKeys() (keys []trade.Key) {
	for _, entry := range append(catalogue[:len(catalogue):len(catalogue)], moves...) {
		keys = append(keys, entry.key)
	}
	return keys
}

// IsOwn reports whether a key belongs to this package, for the pages around the messages.
func IsOwn(key trade.Key) bool {
	for _, prefix := range []string{"label.", "field.", "column.", "text.", string(named), string(owned), string(you), string(separator), string(Colon), string(Aside), string(mine), string(theirs)} {
		if strings.HasPrefix(string(key), prefix) {
			return true
		}
	}
	return false
}
