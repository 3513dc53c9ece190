package market_test

import (
	"fmt"

	"lockstep/market"
)

func ExampleClear() {
	cleared, err := market.Clear([]market.Order{
		{ID: "anna", Side: market.Bid, Lots: 600, Limit: 40},
		{ID: "ben", Side: market.Bid, Lots: 500, Limit: 10},
		{ID: "solar roof", Side: market.Offer, Lots: 1000, Limit: 20},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(cleared.Volume, "lots at", cleared.Price)
	for _, fill := range cleared.Fills {
		fmt.Println(fill.ID, fill.Lots)
	}
	// Output:
	// 600 lots at 20
	// anna 600
	// solar roof 600
}
