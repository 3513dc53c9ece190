package main

import (
	"time"

	"lockstep/types"
	"lockstep/wallet"
)

// marketFlags are the auction parameters of a new ledger.
type marketFlags struct {
	Opens     time.Duration `help:"Time before its slot at which a product opens for orders; 0 for a ledger without auctions." default:"48h" zero:""`
	Gate      time.Duration `help:"Time before its slot at which a product closes for orders." default:"5m"`
	Pay       time.Duration `help:"Time from the gate until pay-by of a match." default:"2m"`
	Reading   time.Duration `help:"Time from the end of the slot until reading-by of a match." default:"1h"`
	Confirm   time.Duration `help:"Time from reading-by until confirm-by of a match." default:"1h"`
	Deposit   string        `help:"Deposit of a match, as a share of the price." default:"5%"`
	Bond      string        `help:"Bond of a match, as a share of the price." default:"5%"`
	MaxOrders uint32        `help:"The most orders of one product." default:"100000" placeholder:"N"`
	KeyOrders uint8         `help:"The most orders of one key for a product." default:"8" placeholder:"N"`
	Entry     string        `help:"Keys that may place orders: anyone, or members that an operator has admitted." enum:"anyone,members" default:"anyone"`
}

func (f *marketFlags) params() (m types.MarketParams, err error) {
	if f.Opens == 0 {
		return m, nil
	}
	m = types.DefaultMarketParams()
	m.Opens, m.Gate, m.Pay = types.DurationOf(f.Opens), types.DurationOf(f.Gate), types.DurationOf(f.Pay)
	m.Reading, m.Confirm = types.DurationOf(f.Reading), types.DurationOf(f.Confirm)
	m.MaxOrders, m.KeyOrders = f.MaxOrders, f.KeyOrders
	if m.Deposit, err = partOfPrice(f.Deposit); err != nil {
		return m, err
	}
	if m.Bond, err = partOfPrice(f.Bond); err != nil {
		return m, err
	}
	return m, m.Entry.UnmarshalText([]byte(f.Entry))
}

// partOfPrice parses a percentage into ten-thousandths.
func partOfPrice(text string) (uint16, error) {
	share, err := wallet.ParseShare(text)
	if err != nil || share > types.WholePrice {
		return 0, misuse("%q is not a part of the price: write a percentage from 0%% to 100%%", text)
	}
	return uint16(share), nil
}
