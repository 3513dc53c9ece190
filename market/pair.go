package market

import (
	"cmp"
	"slices"
	"strings"
)

// pair is a quantity that a bid has from an offer.
type pair struct {
	bid, offer *entry
	quantity   uint64
}

// pairs tells who trades with whom: the fills of each side, largest first, are laid side by side. That takes at most one
// pair less than there are fills, and splits the large ones rather than the small. An offer has at most so many pairs
// (0: any number); what it could not place is left over, and as much of the bids.
func pairs(bids, offers book, most func(offer *entry) int) []pair {
	bids, offers = bids.largestFirst(), offers.largestFirst()
	all := make([]pair, 0, len(bids)+len(offers))
	count := 0 // of the current offer
	var bought, sold uint64
	for i, j := 0, 0; i < len(bids) && j < len(offers); {
		bid, offer := bids[i], offers[j]
		quantity := min(bid.fill-bought, offer.fill-sold)
		all = append(all, pair{bid, offer, quantity})
		bought += quantity
		sold += quantity
		count++
		if limit := most(offer); sold == offer.fill || limit > 0 && count == limit {
			j++
			sold, count = 0, 0
		}
		if bought == bid.fill {
			i++
			bought = 0
		}
	}
	return all
}

func (b book) largestFirst() book {
	filled := make(book, 0, len(b))
	for _, e := range b {
		if e.fill > 0 {
			filled = append(filled, e)
		}
	}
	slices.SortFunc(filled, func(a, b *entry) int { return cmp.Or(cmp.Compare(b.fill, a.fill), strings.Compare(a.ID, b.ID)) })
	return filled
}
