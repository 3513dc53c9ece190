// Watch prints the events of a ledger from its first block on, and then as they happen. Usage: watch URL [COUNT]
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strconv"

	"lockstep/client"
	"lockstep/types"
)

func main() {
	log.SetFlags(0)
	node, err := client.New(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	count := -1 // until the user interrupts
	if len(os.Args) > 2 {
		if count, err = strconv.Atoi(os.Args[2]); err != nil {
			log.Fatal(err)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	for event, err := range node.Events(ctx, client.EventsOptions{From: 1}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("block %d: %s", event.Height, event.Kind)
		if event.Trade != (types.TradeID{}) {
			fmt.Printf(" in trade %.8s", event.Trade)
		}
		fmt.Println()
		if count--; count == 0 {
			return
		}
	}
}
