package client

import (
	"lockstep/client/wire"
	"lockstep/types"
)

// Objects that are named by their hash are checked here. Checking the state of the ledger would take a light client.

func (c *Client) checkTrade(trade *wire.Trade, id types.TradeID) error {
	if trade.ID != id || trade.Trade.ID() != id {
		return c.lied("its answer for trade %s has another hash", id)
	}
	return nil
}

func (c *Client) checkOffer(offer *wire.Offer, id types.OfferID) error {
	if offer.ID != id || offer.Offer.ID() != id {
		return c.lied("its answer for offer %s has another hash", id)
	}
	return c.checkStake(offer)
}

// checkStake wants the stake of an offer to be the bond of its remaining quantity, or nothing.
func (c *Client) checkStake(offer *wire.Offer) error {
	if offer.Stake == 0 {
		return nil
	}
	if bond, ok := offer.Offer.Bond.Cost(offer.Remaining); !ok || bond != offer.Stake {
		return c.lied("the stake of offer %s is not the bond of what is left of it", offer.ID)
	}
	return nil
}

func (c *Client) checkReceipt(receipt *wire.Receipt, id types.TxID) error {
	if receipt.Tx != id {
		return c.lied("its receipt for transaction %s is for %s", id, receipt.Tx)
	}
	switch receipt.Status {
	case wire.StatusPending, wire.StatusCommitted, wire.StatusRefused:
		return nil
	}
	return c.strange("%q is not a status of a transaction", receipt.Status)
}

func (c *Client) checkAsset(asset *wire.Asset, id types.AssetID) error {
	if asset.ID != id || asset.Asset.ID() != id {
		return c.lied("asset %s has another hash", id)
	}
	return nil
}

func (c *Client) checkBlockTxs(page *wire.BlockTxs, height uint64) error {
	if page.Height != height {
		return c.lied("its answer for block %d is block %d", height, page.Height)
	}
	for i := range page.Txs {
		if tx := &page.Txs[i]; tx.Tx != nil && tx.Tx.ID() != tx.ID {
			return c.lied("transaction %s of block %d has another hash", tx.ID, height)
		}
	}
	return nil
}

func (c *Client) checkProduct(product *wire.Product, id types.ProductID) error {
	if product.ID != id || product.Product.ID() != id {
		return c.lied("its answer for product %s has another hash", id)
	}
	switch product.State {
	case wire.ProductOpen, wire.ProductCleared:
		return nil
	}
	return c.strange("%q is not a state of a product", product.State)
}

func (c *Client) checkOrder(order *wire.BookOrder) error {
	if order.Order.ID() != order.ID {
		return c.lied("order %s has another hash", order.ID)
	}
	if stake, ok := order.Order.Stake(); !ok || stake != order.Stake {
		return c.lied("the stake of order %s is not what the order locks", order.ID)
	}
	if order.Percent != order.Record.Percent() {
		return c.lied("the percentage of the owner of order %s does not fit the record", order.ID)
	}
	return nil
}

// checkAuction wants an auction of the product whose references lie within its lists.
func (c *Client) checkAuction(auction *Auction, id types.ProductID) error {
	if auction.ID != id || auction.Product.ID() != id {
		return c.lied("its answer for the auction of product %s has another hash", id)
	}
	for i := range auction.Trades {
		trade := &auction.Trades[i]
		if int(trade.Round) >= len(auction.Rounds) || uint64(max(trade.Bid, trade.Offer)) >= uint64(len(auction.Results)) {
			return c.lied("trade %s refers to a round or an order that the auction does not have", trade.Trade)
		}
	}
	return nil
}
