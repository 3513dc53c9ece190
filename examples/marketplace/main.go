// Marketplace shows the standing offers of a ledger, the cheapest first, and relays signed purchases to it. Buyers need no access to a
// node. It holds neither money nor keys: a buyer's wallet makes and signs the purchase. Usage: marketplace URL TOKEN-FILE LISTEN
package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"slices"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/market"
	"lockstep/types"
)

func main() {
	log.SetFlags(0)
	token, err := os.ReadFile(os.Args[2])
	check(err)
	node, err := client.New(os.Args[1], client.WithToken(string(token)))
	check(err)
	listener, err := net.Listen("tcp", os.Args[3])
	check(err)
	shop := &marketplace{node}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /offers", shop.offers)
	mux.HandleFunc("POST /purchases", shop.purchase)
	fmt.Printf("The marketplace is at http://%s/offers\n", listener.Addr())
	check(http.Serve(listener, mux))
}

type marketplace struct{ node *client.Client }

// offers answers with the standing offers, the cheapest first.
func (m *marketplace) offers(out http.ResponseWriter, r *http.Request) {
	offers := []wire.Offer{}
	for offer, err := range m.node.AllOffers(r.Context()) {
		if err != nil {
			refuse(out, err)
			return
		}
		offers = append(offers, offer)
	}
	slices.SortFunc(offers, func(a, b wire.Offer) int {
		return cmp.Or(market.ComparePrices(a.Offer.Price, b.Offer.Price), cmp.Compare(a.ID.String(), b.ID.String()))
	})
	answer(out, http.StatusOK, offers)
}

// purchase relays one signed transaction that takes an offer and does nothing else.
func (m *marketplace) purchase(out http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(out, r.Body, types.MaxTxBytes))
	if err != nil {
		refuse(out, types.Refuse(types.CodeTooLarge, "a purchase has at most %d bytes", types.MaxTxBytes))
		return
	}
	tx, err := types.DecodeTx(body)
	if err != nil {
		refuse(out, err)
		return
	}
	if actions := tx.Body.Actions; len(actions) != 1 || !is[*types.Take](actions[0]) {
		refuse(out, types.Refuse(types.CodeMalformed, "this marketplace relays transactions that take one offer"))
		return
	}
	receipt, err := m.node.Submit(r.Context(), tx)
	if err != nil {
		refuse(out, err)
		return
	}
	answer(out, http.StatusOK, receipt)
}

func is[T any](value any) bool { _, ok := value.(T); return ok }

func refuse(out http.ResponseWriter, err error) {
	answer(out, http.StatusUnprocessableEntity, map[string]string{"code": types.CodeOf(err).String(), "detail": err.Error()})
}

func answer(out http.ResponseWriter, status int, value any) {
	out.Header().Set("Content-Type", "application/json")
	out.WriteHeader(status)
	if err := json.NewEncoder(out).Encode(value); err != nil {
		log.Print(err)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
