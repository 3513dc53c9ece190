// Trade makes two accounts trade a bag of coffee: payment and goods unlock each other. Usage: trade URL TOKEN-FILE
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"lockstep/client"
	"lockstep/types"
	"lockstep/wallet"
)

func main() {
	log.SetFlags(0)
	token, err := os.ReadFile(os.Args[2])
	check(err)
	node, err := client.New(os.Args[1], client.WithToken(strings.TrimSpace(string(token))))
	check(err)
	ctx := context.Background()
	seller, buyer := account(ctx, node), account(ctx, node)

	// The buyer issues money, here vouchers of its own, and gives the seller some for the bond and the return.
	euro := types.Asset{Issuer: buyer.Key(), Code: "EUR", Decimals: 2}
	_, err = buyer.Do(ctx, func(d *wallet.Draft) error { return d.Issue(euro, 1_000_00) },
		func(d *wallet.Draft) error { return d.Send(seller.Key(), euro.ID(), 100_00) })
	check(err)

	offer := coffee(seller.Key(), euro.ID())
	var id types.OfferID
	_, err = seller.Do(ctx, func(d *wallet.Draft) (err error) { id, err = d.Post(offer); return err })
	check(err)
	shown, err := node.Offer(ctx, id)
	check(err)
	var agreement *types.Agreement // the buyer takes one bag, which locks the payment
	_, err = buyer.Do(ctx, func(d *wallet.Draft) (err error) { agreement, err = d.Take(id, &shown.Offer, 1); return err })
	check(err)
	trade, err := node.Trade(ctx, agreement.ID())
	check(err)
	_, err = seller.Do(ctx, func(d *wallet.Draft) error { return d.Deliver(trade.ID, &trade.Trade) }) // locks the return
	check(err)
	_, err = buyer.Release(ctx, trade.ID, 1) // the coffee has arrived: the secret unlocks both
	check(err)
	for name, party := range map[string]*client.Account{"seller": seller, "buyer": buyer} {
		has, err := node.BalancesOf(ctx, party.Key(), euro.ID())
		check(err)
		fmt.Printf("The %s has %s %s.\n", name, has.Balances[0].Spendable.Format(euro.Decimals), euro.Code)
	}
}

// coffee is an offer of three bags at 25.00 each, with a deposit and a bond of a tenth.
func coffee(seller types.PublicKey, asset types.AssetID) types.Offer {
	in := func(minutes time.Duration) types.Time { return types.TimeOf(time.Now().Add(minutes * time.Minute)) }
	return types.Offer{
		Producer: seller, Asset: asset, Goods: types.Goods{Commodity: "coffee", Unit: "bag", Quantity: 3},
		Price: types.Rate{Mantissa: 25_00}, Deposit: types.Rate{Mantissa: 2_50}, Bond: types.Rate{Mantissa: 2_50},
		MinFill: 1, Instalments: 1, Fallback: &types.Hold{},
		Deadlines: types.Deadlines{PayBy: in(10), DeliverBy: in(20), ReadingBy: in(30), ConfirmBy: in(40)},
	}
}

func account(ctx context.Context, node *client.Client) *client.Account {
	seed, err := wallet.NewSeed(rand.Reader, "") // a long-running program keeps a wallet.Wallet
	check(err)
	key, err := seed.Account(0, wallet.DefaultLimits())
	check(err)
	signer, err := node.Account(ctx, key)
	check(err)
	return signer
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
