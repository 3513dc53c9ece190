package wire

// Page is the part of a list that is asked for: at most Limit items after the place that an earlier page named as its next, or
// from the beginning where After is empty. Its cost does not grow with the list.
type Page struct {
	After string
	Limit int
}
