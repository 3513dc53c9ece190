package main

import (
	"strings"
	"testing"

	"lockstep/market"
)

// FuzzReadOrders: any file is read or refused, and orders that were read clear or are refused.
func FuzzReadOrders(f *testing.F) {
	f.Add("id,side,quantity,price,owner,min_fill\na,bid,5,9.5,x,1\nb,offer,5,8,,\n")
	f.Add("id,side,quantity,price\n\"a")
	f.Fuzz(func(t *testing.T, text string) {
		orders, err := readOrders(strings.NewReader(text))
		if err != nil {
			return
		}
		if result, err := market.Clear(orders); err == nil && result.Volume > 0 && result.Price == nil {
			t.Error("traded without a price")
		}
	})
}
