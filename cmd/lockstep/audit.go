package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/advice"
	"lockstep/types"
)

type marketAuditCmd struct {
	Product    types.ProductID `arg:"" help:"The product's id."`
	Signatures bool            `help:"Also look for the transaction that placed each order, and check its signature. It needs the blocks, which a node may not have kept."`
}

// verdict is the result of an audit.
type verdict struct {
	Product     types.ProductID `json:"product"`
	Right       bool            `json:"right"`
	Orders      int             `json:"orders"`
	Excluded    int             `json:"excluded"`
	Rounds      []types.Round   `json:"rounds"`
	Volume      uint64          `json:"volume"`
	Trades      int             `json:"trades"`
	Signed      *int            `json:"signed,omitempty"` // orders whose signature was checked, if that was asked for
	Differences []string        `json:"differences"`
}

func (c *marketAuditCmd) Run(ctx context.Context, a *app) error {
	s, err := a.visitor(ctx)
	if err != nil {
		return err
	}
	held, err := s.node.Auction(ctx, c.Product)
	if err != nil {
		return err
	}
	var orders []wire.BookOrder
	for order, err := range s.node.AllProductOrders(ctx, c.Product) {
		if err != nil {
			return err
		}
		orders = append(orders, order)
	}
	found := verdict{Product: c.Product, Orders: len(orders), Rounds: held.Rounds, Trades: len(held.Trades), Differences: []string{}}
	for i := range held.Rounds {
		found.Volume += held.Rounds[i].Volume
	}
	for i := range held.Results {
		if held.Results[i].Excluded != "" {
			found.Excluded++
		}
	}
	found.Differences = append(found.Differences, advice.Auction(&s.params, &held, orders)...)
	if c.Signatures {
		signed, wrong, err := s.checkSigned(ctx, orders)
		if err != nil {
			return err
		}
		found.Signed, found.Differences = &signed, append(found.Differences, wrong...)
	}
	found.Right = len(found.Differences) == 0
	if err := a.show(found, func(p *page) { s.verdict(p, &found, &held) }); err != nil {
		return err
	}
	if !found.Right {
		return fmt.Errorf("the auction of product %s is wrong: the results of the node do not follow from the orders", c.Product)
	}
	return nil
}

func (s *session) verdict(p *page, v *verdict, held *client.Auction) {
	for _, difference := range v.Differences {
		p.line("✗ %s", difference)
	}
	if v.Right {
		result := "nothing was traded"
		if held.Void != "" {
			result = "none was held, " + held.Void
		}
		if len(v.Rounds) > 0 {
			var prices []string
			for i := range v.Rounds {
				prices = append(prices, s.lotPrice(&held.Product, held.Grid.Lot, v.Rounds[i].Price))
			}
			result = fmt.Sprintf("price %s, volume %s, %d trades", strings.Join(prices, "; "), quantity(v.Volume, held.Product.Unit), v.Trades)
		}
		p.line("The auction of product %s is right: %d orders, %s.", v.Product, v.Orders, result)
	}
	if v.Signed != nil {
		p.line("%d of %d orders were found signed in their blocks.", *v.Signed, v.Orders)
	}
}

// checkSigned finds the transactions that placed the orders and counts the signed ones. The other result lists the orders that
// their transaction does not confirm.
func (s *session) checkSigned(ctx context.Context, orders []wire.BookOrder) (signed int, wrong []string, err error) {
	byHeight := map[uint64][]*wire.BookOrder{}
	for i := range orders {
		byHeight[orders[i].Height] = append(byHeight[orders[i].Height], &orders[i])
	}
	for _, height := range slices.Sorted(maps.Keys(byHeight)) {
		txs, err := s.transactions(ctx, height, byHeight[height])
		if types.CodeOf(err).Absent() {
			continue
		}
		if err != nil {
			return 0, nil, err
		}
		for _, order := range byHeight[height] {
			found, reason := placing(txs, order)
			if reason != "" {
				wrong = append(wrong, fmt.Sprintf("order %s: %s", order.ID, reason))
			} else if found {
				signed++
			}
		}
	}
	return signed, wrong, nil
}

// transactions fetches from a block the transactions that placed orders.
func (s *session) transactions(ctx context.Context, height uint64, orders []*wire.BookOrder) (map[types.TxID]wire.BlockTx, error) {
	wanted, found := map[types.TxID]bool{}, map[types.TxID]wire.BlockTx{}
	for _, order := range orders {
		wanted[order.Tx] = true
	}
	for tx, err := range s.node.AllBlockTxs(ctx, height) {
		if err != nil {
			return nil, err
		}
		if wanted[tx.ID] {
			found[tx.ID] = tx
		}
	}
	return found, nil
}

// placing reports whether the transactions of a block include the one that placed an order, signed by its owner, or returns the
// contradiction.
func placing(txs map[types.TxID]wire.BlockTx, order *wire.BookOrder) (found bool, wrong string) {
	placed, ok := txs[order.Tx]
	switch {
	case !ok:
		return false, fmt.Sprintf("block %d does not hold its transaction", order.Height)
	case placed.Tx == nil: // pruned
		return false, ""
	case placed.Code != types.CodeOK:
		return false, "its transaction was refused"
	case !types.VerifySignatures(placed.Tx)[0] || !signedBy(placed.Tx, order.Order.Owner):
		return false, "its transaction is not signed by its owner"
	case !placesOrder(placed.Tx, order.ID):
		return false, "its transaction does not place it"
	}
	return true, ""
}

func signedBy(tx *types.Tx, key types.PublicKey) bool {
	for _, signature := range tx.Signatures {
		if signature.Key == key {
			return true
		}
	}
	return false
}

func placesOrder(tx *types.Tx, id types.OrderID) bool {
	for _, action := range tx.Body.Actions {
		if place, ok := action.(*types.Place); ok && place.Order.ID() == id {
			return true
		}
	}
	return false
}
