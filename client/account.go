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
	client *Client
	ledger *Ledger
	wallet *wallet.Account
}

// Account returns an account that acts through the node, on the node's present ledger: [Client.Ledger] and [Ledger.Account] in one call.
func (c *Client) Account(ctx context.Context, account *wallet.Account) (*Account, error) {
	ledger, err := c.Ledger(ctx)
	if err != nil {
		return nil, err
	}
	return ledger.Account(account)
}

// Key is the account's public key: its name and address on the ledger.
func (a *Account) Key() types.PublicKey { return a.wallet.Key() }

// Wallet is the account without its node, for proposals and secrets.
func (a *Account) Wallet() *wallet.Account { return a.wallet }

// Ledger identifies the ledger on which the account acts; see [wallet.Wallet.CheckLedger].
func (a *Account) Ledger() wallet.PinnedLedger { return a.ledger.ID() }

// View is the state of the ledger at one moment, for a signer.
type View struct {
	Context wallet.Context // without coins: [Account.Fund] fetches those that a draft spends
	Status  wire.Status
	Warning string // the last block is old; empty otherwise
}

// View asks the node for the present state, and checks it as [Account.Check] does.
func (a *Account) View(ctx context.Context) (View, error) {
	status, err := a.client.Status(ctx)
	if err != nil {
		return View{}, err
	}
	warning, err := a.Check(&status)
	if err != nil {
		return View{}, err
	}
	known := wallet.Context{
		Params: a.ledger.Params, BlockTime: status.BlockTime, Height: status.Height, Clock: status.Clock,
		Asset: func(id types.AssetID) (types.Asset, bool) {
			asset, err := a.client.Asset(ctx, id)
			return asset.Asset, err == nil
		},
	}
	return View{known, status, warning}, nil
}

// Check refuses a status of another ledger, or with a clock from which no deadline may be computed. It warns of an old block.
func (a *Account) Check(status *wire.Status) (warning string, err error) {
	known := &a.ledger.Status
	if status.ChainID != known.ChainID || status.Genesis != known.Genesis {
		return "", types.Refuse(types.CodeChain, "the node at %s shows ledger %q with genesis %s; the account is on %q with genesis %s: don't trust the node, use another",
			a.client.base, status.ChainID, status.Genesis, known.ChainID, known.Genesis)
	}
	return wallet.CheckClock(status.BlockTime, status.Clock, status.Skew, a.client.now())
}

// Context is the context of [Account.View], for proposals and secrets.
func (a *Account) Context(ctx context.Context) (wallet.Context, error) {
	view, err := a.View(ctx)
	return view.Context, err
}

// Draft begins a transaction. Add the steps, then pass it to [Account.Submit].
func (a *Account) Draft(ctx context.Context) (*wallet.Draft, error) {
	known, err := a.Context(ctx)
	if err != nil {
		return nil, err
	}
	return a.wallet.Draft(known), nil
}

// Fund fetches the coins that a draft spends.
func (a *Account) Fund(ctx context.Context, draft *wallet.Draft) error {
	return draft.Fund(func(asset types.AssetID, sum types.Amount) iter.Seq2[types.Coin, error] {
		return a.client.CoinsFor(ctx, a.Key(), asset, sum)
	})
}

// Sign fetches the coins that a draft spends and signs it. The coins are reserved until the transaction is on the ledger or can no longer
// get there; [wallet.Account.Forget] frees them earlier.
func (a *Account) Sign(ctx context.Context, draft *wallet.Draft) (*types.Tx, error) {
	if err := a.Fund(ctx, draft); err != nil {
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
