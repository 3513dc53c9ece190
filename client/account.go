package client

import (
	"context"
	"iter"

	"lockstep/client/wire"
	"lockstep/types"
	"lockstep/wallet"
)

// Account is an account of a wallet on the ledger of a node: it makes, funds, signs and submits transactions. [Client.Account] returns
// one. It is safe for concurrent use.
type Account struct {
	client  *Client
	wallet  *wallet.Account
	params  types.Params
	genesis types.Hash
}

// Account returns an account that acts through the node. The account is bound to the node's present ledger: it refuses to sign once the node
// shows another one. To check the node against a ledger that you know already, compare [Account.Ledger].
func (c *Client) Account(ctx context.Context, account *wallet.Account) (*Account, error) {
	params, err := c.Params(ctx)
	if err != nil {
		return nil, err
	}
	status, err := c.Status(ctx)
	if err != nil {
		return nil, err
	}
	a := &Account{client: c, wallet: account, params: params, genesis: status.Genesis}
	return a, a.check(&status)
}

// Key is the account's public key: its name and address on the ledger.
func (a *Account) Key() types.PublicKey { return a.wallet.Key() }

// Wallet is the account without its node, for proposals and secrets.
func (a *Account) Wallet() *wallet.Account { return a.wallet }

// Ledger identifies the ledger on which the account acts; see [wallet.Wallet.CheckLedger].
func (a *Account) Ledger() wallet.PinnedLedger { return wallet.PinLedger(&a.params, a.genesis) }

// Context returns the state of the ledger that a signer needs to know. The coins are left out: [Account.Sign] fetches those that a
// draft spends.
func (a *Account) Context(ctx context.Context) (wallet.Context, error) {
	status, err := a.client.Status(ctx)
	if err != nil {
		return wallet.Context{}, err
	}
	if err := a.check(&status); err != nil {
		return wallet.Context{}, err
	}
	return wallet.Context{
		Params: a.params, BlockTime: status.BlockTime, Clock: status.Clock,
		Asset: func(id types.AssetID) (types.Asset, bool) {
			asset, err := a.client.Asset(ctx, id)
			return asset.Asset, err == nil
		},
	}, nil
}

// check refuses a node that shows another ledger, or a clock from which no deadline may be computed.
func (a *Account) check(status *wire.Status) error {
	if status.ChainID != a.params.ChainID || status.Genesis != a.genesis {
		return types.Refuse(types.CodeChain, "the node at %s shows ledger %q with genesis %s; the account is on %q with genesis %s: don't trust the node, use another",
			a.client.base, status.ChainID, status.Genesis, a.params.ChainID, a.genesis)
	}
	_, err := wallet.CheckClock(status.BlockTime, status.Clock, status.Skew, a.client.now())
	return err
}

// Draft begins a transaction. Add the steps, then pass it to [Account.Submit].
func (a *Account) Draft(ctx context.Context) (*wallet.Draft, error) {
	known, err := a.Context(ctx)
	if err != nil {
		return nil, err
	}
	return a.wallet.Draft(known), nil
}

// Sign fetches the coins that a draft spends and signs it. The coins are reserved until the transaction is on the ledger or can no longer
// get there; [wallet.Account.Forget] frees them earlier.
func (a *Account) Sign(ctx context.Context, draft *wallet.Draft) (*types.Tx, error) {
	err := draft.Fund(func(asset types.AssetID, sum types.Amount) iter.Seq2[types.Coin, error] {
		return a.client.CoinsFor(ctx, a.Key(), asset, sum)
	})
	if err != nil {
		return nil, err
	}
	return draft.Sign()
}

// Submit signs a draft, submits it and waits until it is final; see [Client.Submit]. The coins of a refused transaction are free again.
// After an error of another kind the transaction may still get on the ledger, so its coins stay reserved until its valid-until.
func (a *Account) Submit(ctx context.Context, draft *wallet.Draft) (wire.Receipt, error) {
	tx, err := a.Sign(ctx, draft)
	if err != nil {
		return wire.Receipt{}, err
	}
	receipt, err := a.client.Submit(ctx, tx)
	if final(types.CodeOf(err)) {
		a.wallet.Forget(tx.ID())
	}
	return receipt, err
}

// final reports whether a code excludes that the transaction still gets on the ledger.
func final(code types.Code) bool {
	switch code {
	case types.CodeOK, types.CodeUnavailable, types.CodeInternal, types.CodePending, types.CodeReplay:
		return false
	}
	return true
}

// Do makes one transaction of some steps, submits it and waits until it is final.
func (a *Account) Do(ctx context.Context, steps ...func(*wallet.Draft) error) (wire.Receipt, error) {
	draft, err := a.Draft(ctx)
	if err != nil {
		return wire.Receipt{}, err
	}
	for _, step := range steps {
		if err := step(draft); err != nil {
			return wire.Receipt{}, err
		}
	}
	return a.Submit(ctx, draft)
}

// Release reveals the secret of an instalment as the consumer of the trade, and waits until the release is final. The payment then belongs
// to the producer.
func (a *Account) Release(ctx context.Context, id types.TradeID, instalment uint16) (wire.Receipt, error) {
	trade, err := a.client.Trade(ctx, id)
	if err != nil {
		return wire.Receipt{}, err
	}
	known, err := a.Context(ctx)
	if err != nil {
		return wire.Receipt{}, err
	}
	tx, err := a.wallet.Release(known, id, &trade.Trade, instalment)
	if err != nil {
		return wire.Receipt{}, err
	}
	return a.client.Submit(ctx, tx)
}
