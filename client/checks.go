package client

import (
	"lockstep/api/wire"
	"lockstep/types"
)

// What names itself by a hash is checked here. The state of the ledger can't be: that takes a light client.

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

func (c *Client) checkBlock(block *wire.Block, height uint64) error {
	if height > 0 && block.Height != height {
		return c.lied("its answer for block %d is block %d", height, block.Height)
	}
	for i := range block.Txs {
		if tx := &block.Txs[i]; tx.Tx != nil && tx.Tx.ID() != tx.ID {
			return c.lied("transaction %s of block %d has another hash", tx.ID, block.Height)
		}
	}
	return nil
}
