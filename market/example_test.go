package market_test

import (
	"fmt"

	"lockstep/market"
	"lockstep/types"
)

func ExampleClear() {
	cleared, err := market.Clear([]market.Order{
		{ID: "anna", Side: market.Bid, Quantity: 600, Price: types.Rate{Mantissa: 40}},
		{ID: "ben", Side: market.Bid, Quantity: 500, Price: types.Rate{Mantissa: 10}},
		{ID: "solar roof", Side: market.Offer, Quantity: 1000, Price: types.Rate{Mantissa: 20}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(cleared.Volume, "units at", market.Decimal(cleared.Price))
	for _, fill := range cleared.Fills {
		fmt.Println(fill.ID, fill.Quantity)
	}
	// Output:
	// 600 units at 30
	// anna 600
	// solar roof 600
}
