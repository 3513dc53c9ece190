package client

import (
	"context"

	"lockstep/client/wire"
	"lockstep/types"
	"lockstep/wallet"
)

// Ledger is the ledger that a node shows. [Client.Ledger] returns one. Don't change it.
type Ledger struct {
	Params types.Params
	Status wire.Status // at the time of the question

	client *Client
}

// Ledger returns the present ledger of the node. To check it against a ledger that you know already, compare [Ledger.ID].
func (c *Client) Ledger(ctx context.Context) (*Ledger, error) {
	l := &Ledger{client: c}
	var err error
	if l.Status, err = c.Status(ctx); err != nil {
		return nil, err
	}
	if l.Params, err = c.Params(ctx); err != nil {
		return nil, err
	}
	if l.Status.ChainID != l.Params.ChainID {
		return nil, types.Refuse(types.CodeChain, "the node at %s is on chain %q and shows the parameters of %q: don't trust the node, use another",
			c.base, l.Status.ChainID, l.Params.ChainID)
	}
	if err := l.Params.Check(); err != nil {
		return nil, c.lied("its parameters are those of no ledger: %v", err)
	}
	return l, nil
}

// ID identifies the ledger; see [wallet.Wallet.CheckLedger].
func (l *Ledger) ID() wallet.PinnedLedger { return wallet.PinLedger(&l.Params, l.Status.Genesis) }

// Account returns an account that acts through the node. The account is bound to the ledger: it refuses to sign once the node shows another
// one.
func (l *Ledger) Account(account *wallet.Account) (*Account, error) {
	a := &Account{client: l.client, ledger: l, wallet: account}
	_, err := a.Check(&l.Status)
	return a, err
}
