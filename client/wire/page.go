package wire

import (
	"strconv"

	"lockstep/types"
)

// Page is the part of a list that is asked for: at most Limit items after the place that an earlier page named as its next, or
// from the beginning where After is empty. Its cost does not grow with the list.
type Page struct {
	After string
	Limit int
}

// Index reads the place in a list whose places are numbers.
func (p Page) Index() (int, error) {
	if p.After == "" {
		return 0, nil
	}
	index, err := strconv.ParseUint(p.After, 10, 31)
	if err != nil {
		return 0, types.Refuse(types.CodeMalformed, "%.100q is not a place in this list: pass on the next of the last page", p.After)
	}
	return int(index), nil
}
