// Trade makes two accounts trade a bag of coffee: payment and goods unlock each other. Usage: trade URL TOKEN-FILE
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"lockstep/client"
	"lockstep/types"
	"lockstep/wallet"
)

func main() {
	ctx := context.Background()
	node := must(client.New(os.Args[1], client.WithToken(string(must(os.ReadFile(os.Args[2]))))))
	seller := must(node.Account(ctx, must(wallet.Ephemeral()))) // a program that keeps its money keeps a wallet.Wallet
	buyer := must(node.Account(ctx, must(wallet.Ephemeral())))
	// The buyer issues money, here vouchers of its own, and gives the seller some for the bond and the return.
	euro := types.Asset{Issuer: buyer.Key(), Code: "EUR", Decimals: 2}
	must(buyer.Do(ctx, func(d *wallet.Draft) error { return d.Issue(euro, 1_000_00) },
		func(d *wallet.Draft) error { return d.Send(seller.Key(), euro.ID(), 100_00) }))

	offer := must(seller.Post(ctx, coffee(euro.ID())))
	trade := must(buyer.Take(ctx, offer, 1)) // one bag: locks the payment and the deposit
	must(seller.Deliver(ctx, trade))         // locks the return and the bond
	must(buyer.Release(ctx, trade, 1))       // the coffee has arrived: the secret unlocks both
	for name, key := range map[string]types.PublicKey{"seller": seller.Key(), "buyer": buyer.Key()} {
		fmt.Printf("The %s has %s %s.\n", name, must(node.Balance(ctx, key, euro.ID())).Spendable.Format(euro.Decimals), euro.Code)
	}
}

// coffee is an offer of three bags at 25.00 each, with a deposit and a bond of a tenth.
func coffee(asset types.AssetID) types.Offer {
	in := func(minutes time.Duration) types.Time { return types.TimeOf(time.Now().Add(minutes * time.Minute)) }
	return types.Offer{
		Asset: asset, Goods: types.Goods{Commodity: "coffee", Unit: "bag", Quantity: 3}, MinFill: 1, Instalments: 1,
		Price: types.Rate{Mantissa: 25_00}, Deposit: types.Rate{Mantissa: 2_50}, Bond: types.Rate{Mantissa: 2_50}, Fallback: &types.Hold{},
		Deadlines: types.Deadlines{PayBy: in(10), DeliverBy: in(20), ReadingBy: in(30), ConfirmBy: in(40)},
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
