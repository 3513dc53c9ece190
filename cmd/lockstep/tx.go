package main

import (
	"context"
	"fmt"

	"lockstep/client/wire"
	"lockstep/types"
)

type txCmd struct {
	Tx types.TxID `arg:"" name:"transaction" help:"The transaction's id, or its beginning."`
}

// lookedUp is a transaction with its receipt.
type lookedUp struct {
	Receipt wire.Receipt `json:"receipt"`
	At      *types.Time  `json:"at,omitempty"` // block time
	Tx      *types.Tx    `json:"tx,omitempty"` // absent where the node has not kept it
}

func (c *txCmd) Run(ctx context.Context, a *app) error {
	s, err := a.visitor(ctx)
	if err != nil {
		return err
	}
	var found lookedUp
	if found.Receipt, err = s.node.Tx(ctx, c.Tx); err != nil {
		return err
	}
	if found.Receipt.Height > 0 {
		block, err := s.node.Block(ctx, found.Receipt.Height)
		if err != nil {
			return err
		}
		found.At = &block.BlockTime
		for tx, err := range s.node.AllBlockTxs(ctx, found.Receipt.Height) {
			if err != nil {
				return err
			}
			if tx.ID == c.Tx {
				found.Tx = tx.Tx
				break
			}
		}
	}
	return a.show(found, func(p *page) { found.print(p) })
}

func (l *lookedUp) print(p *page) {
	p.row("transaction", l.Receipt.Tx.String())
	p.row("status", l.Receipt.Status)
	if l.Receipt.Code != types.CodeOK {
		p.row("why", l.Receipt.Code.String()+": "+l.Receipt.Detail)
	}
	if l.At != nil {
		p.row("in block", fmt.Sprint(l.Receipt.Height))
		p.row("at", stamp(*l.At))
	}
	if l.Tx == nil {
		return
	}
	for _, signature := range l.Tx.Signatures {
		p.row("signed by", signature.Key.String())
	}
	for _, action := range l.Tx.Body.Actions {
		p.row("does", types.ActionKind(action))
	}
	if l.Tx.Body.Memo != "" {
		p.row("memo", name(l.Tx.Body.Memo))
	}
	p.row("inputs", fmt.Sprint(len(l.Tx.Body.Inputs)))
	p.row("outputs", fmt.Sprint(len(l.Tx.Body.Outputs)))
}
