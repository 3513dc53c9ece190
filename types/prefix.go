package types

import (
	"encoding/hex"
	"strings"
)

// MinPrefix is the fewest digits of an ID, or characters of a key behind "lk1", that may stand for all of it.
const MinPrefix = 4

// bech32Digits are the characters of a key's text form, by their values.
const bech32Digits = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

// PrefixRange returns the lowest and the highest 32 bytes whose text begins with a prefix: of an ID in hexadecimal digits, or
// of a key from "lk1" on. A whole ID or key is a prefix of itself.
func PrefixRange(prefix string) (low, high [32]byte, err error) {
	digits, key := strings.CutPrefix(strings.ToLower(prefix), keyPrefix+"1")
	most, alphabet, bits := hex.EncodedLen(len(low)), "0123456789abcdef", 4
	if key {
		most, alphabet, bits = keyTextLength-len(keyPrefix)-1, bech32Digits, 5
	}
	if len(digits) < MinPrefix || len(digits) > most {
		return low, high, Refuse(CodeMalformed, "%q is not the beginning of an id: give %d to %d digits of it", clip(prefix), MinPrefix, most)
	}
	for i := range high {
		high[i] = 0xff
	}
	for i := range len(digits) {
		value := strings.IndexByte(alphabet, digits[i])
		if value < 0 {
			return low, high, Refuse(CodeMalformed, "%q is not the beginning of an id: %q may not stand in it", clip(prefix), digits[i])
		}
		for bit := range bits {
			place := i*bits + bit
			if place >= 8*len(low) { // the checksum of a key, and what fills up the digit before it
				break
			}
			mask := byte(0x80) >> (place % 8)
			if value>>(bits-1-bit)&1 == 1 {
				low[place/8] |= mask
			} else {
				high[place/8] &^= mask
			}
		}
	}
	return low, high, nil
}
