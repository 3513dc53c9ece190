package types

import "fmt"

// Format is the number of the rules and encodings of a ledger. It stands in its genesis, its store and its index. A change that makes this
// program read, encode or execute something otherwise than an earlier one raises it; a change that waits for a version of the rules
// ([Params.Rules]) does not. A genesis or store of another format is refused untouched, an index of another one is built anew.
const Format = 15

// OtherFormat says what to do with something of another format; zero stands for none.
func OtherFormat(format uint32) string {
	has := "no format number"
	if format != 0 {
		has = fmt.Sprintf("format %d", format)
	}
	return fmt.Sprintf("%s, and this program reads format %d: use the program that made it (lockstep version prints the format of a program)", has, Format)
}
