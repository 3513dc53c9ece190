package client

import (
	"iter"
	"net/url"
	"strconv"

	"lockstep/client/wire"
	"lockstep/types"
)

// Page selects a part of a list: at most Limit items that follow the place After, which is the Next of an earlier page. An empty After
// is the beginning of the list, a Limit of zero is the node's default. Each method that returns a page has a counterpart whose name
// begins with All and that iterates over all pages.
type Page = wire.Page

func pageQuery(page Page) url.Values {
	query := url.Values{}
	if page.After != "" {
		query.Set("after", page.After)
	}
	if page.Limit != 0 {
		query.Set("limit", strconv.Itoa(page.Limit))
	}
	return query
}

// Pages iterates over the items of all pages of a list, which fetch returns one by one. The first page sets the limit of all. It ends after an
// error.
func Pages[T any](first Page, fetch func(Page) (items []T, next string, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for page := first; ; {
			items, next, err := fetch(page)
			if err == nil && next != "" && (next == page.After || len(items) == 0) {
				err = types.Refuse(types.CodeInternal, "the node's pages have no end")
			}
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			page.After = next
		}
	}
}
