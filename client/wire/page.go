package wire

// Page selects a part of a list: at most Limit items after the place After, which is the next of an earlier page. An empty After is the
// beginning. The cost of a page does not grow with the list.
type Page struct {
	After string
	Limit int
}
