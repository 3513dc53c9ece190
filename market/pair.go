package market

// pairs matches buyers with sellers: the fills of each side, largest first, are laid side by side. That takes at most one
// pair less than there are fills, and splits the large ones rather than the small. An offer has at most so many pairs
// (0: any number); its unplaced quantity remains, and as much of the bids.
func pairs(bids, offers book, most func(offer int) int) []Match {
	bought, sold := bids.fills(), offers.fills()
	all := make([]Match, 0, len(bought)+len(sold))
	count := 0 // of the current offer
	for len(bought) > 0 && len(sold) > 0 {
		bid, offer := &bought[0], &sold[0]
		match := Match{Bid: int(bid.place), Offer: int(offer.place), Quantity: min(bid.amount, offer.amount)}
		all = append(all, match)
		bid.amount -= match.Quantity
		offer.amount -= match.Quantity
		count++
		if limit := most(match.Offer); offer.amount == 0 || limit > 0 && count == limit {
			sold = sold[1:]
			count = 0
		}
		if bid.amount == 0 {
			bought = bought[1:]
		}
	}
	return all
}

// fills lists the quantities of the orders, largest first, with their places in the input.
func (b book) fills() []share {
	filled := make([]share, 0, len(b))
	for i := range b {
		if e := &b[i]; e.fill > 0 {
			filled = append(filled, share{e.fill, e.id, e.place})
		}
	}
	largestFirst(filled)
	return filled
}
