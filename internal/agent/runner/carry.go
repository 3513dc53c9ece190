package runner

import (
	"context"
	"time"

	"lockstep/internal/agent"
	"lockstep/types"
	"lockstep/wallet"
)

// carryOut makes, signs and submits a transaction, and returns its end. It submits the same transaction again while the node does not
// answer, until the transaction can't get on the ledger any more.
func (r *Runner) carryOut(ctx context.Context, t agent.Transact) agent.Outcome {
	known, err := r.context(ctx)
	if err != nil {
		return agent.Outcome{Code: types.CodeUnavailable, Detail: err.Error()}
	}
	tx, err := r.sign(ctx, known, t)
	if err != nil {
		return refused(types.TxID{}, err)
	}
	for wait := 200 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		receipt, err := r.Node.Submit(ctx, tx)
		switch code := types.CodeOf(err); {
		case err == nil:
			return agent.Outcome{Tx: tx.ID(), Height: receipt.Height, Code: types.CodeOK}
		case code == types.CodeUnavailable || code == types.CodePoolFull || code == types.CodePending:
			if r.expired(ctx, tx) {
				return agent.Outcome{Tx: tx.ID(), Code: types.CodeUnavailable, Detail: err.Error()}
			}
			pause(ctx, wait)
		default:
			r.Signer.Wallet().Forget(tx.ID())
			return refused(tx.ID(), err)
		}
		if ctx.Err() != nil {
			return agent.Outcome{Tx: tx.ID(), Code: types.CodeUnavailable, Detail: ctx.Err().Error()}
		}
	}
}

// expired reports whether a transaction can't get on the ledger any more. One without a signature does no harm whenever it does.
func (r *Runner) expired(ctx context.Context, tx *types.Tx) bool {
	if tx.Body.ValidUntil == 0 {
		return true
	}
	status, err := r.Node.Status(ctx)
	return err == nil && status.BlockTime > tx.Body.ValidUntil
}

// refused is the outcome of a refusal. Money that is in use by another transaction of the wallet is free again soon.
func refused(tx types.TxID, err error) agent.Outcome {
	code := types.CodeOf(err)
	if wallet.ReasonOf(err) == wallet.ReasonFunds {
		code = types.CodePending
	}
	if code == types.CodeOK {
		code = types.CodeInternal
	}
	return agent.Outcome{Tx: tx, Code: code, Detail: err.Error()}
}

// sign makes the transaction of some acts.
func (r *Runner) sign(ctx context.Context, known wallet.Context, t agent.Transact) (*types.Tx, error) {
	return Sign(r.Signer.Wallet(), known, t, func(draft *wallet.Draft) (*types.Tx, error) { return r.Signer.Sign(ctx, draft) })
}

// Sign makes the transaction of some acts of an account. The caller funds and signs its draft; a single release or settlement needs
// neither.
func Sign(account *wallet.Account, known wallet.Context, t agent.Transact, sign func(*wallet.Draft) (*types.Tx, error)) (*types.Tx, error) {
	if len(t.Acts) == 1 {
		if release, ok := t.Acts[0].(agent.Release); ok {
			return account.Release(known, release.Trade.ID, &release.Trade.Trade, release.Instalment)
		}
		if settle, ok := t.Acts[0].(agent.Settle); ok {
			return types.NewSettle(known.Params.ChainID, settle.Trade.ID), nil
		}
	}
	draft := account.Draft(known)
	if t.Anchor.Amount > 0 {
		if err := draft.Merge(t.Anchor); err != nil {
			return nil, err
		}
	}
	for _, act := range t.Acts {
		if err := add(account, draft, act); err != nil {
			return nil, err
		}
	}
	return sign(draft)
}

// add adds an act of an agent to a draft of its account.
func add(account *wallet.Account, draft *wallet.Draft, act agent.Act) (err error) {
	nonce := func(n agent.NonceOf) uint64 { return account.Nonce(n.Purpose, n.Of, n.Number) }
	switch a := act.(type) {
	case agent.Place:
		_, err = draft.Place(a.Order, a.Replaces)
	case agent.Withdraw:
		err = draft.Withdraw(&a.Order)
	case agent.Post:
		a.Offer.Nonce = nonce(a.Nonce)
		_, err = draft.Post(a.Offer, false)
	case agent.Cancel:
		err = draft.Cancel(a.ID, &a.Offer)
	case agent.Take:
		_, err = draft.TakeAs(a.ID, &a.Offer, a.Quantity, nonce(a.Nonce))
	case agent.Pay:
		err = draft.Pay(a.Trade.ID, &a.Trade.Trade)
	case agent.Deliver:
		err = draft.Deliver(a.Trade.ID, &a.Trade.Trade)
	case agent.Read:
		draft.Read(a.Flow, a.From, a.Records...)
	case agent.Release:
		err = draft.Release(a.Trade.ID, &a.Trade.Trade, a.Instalment)
	case agent.Settle:
		err = draft.Settle(a.Trade.ID, &a.Trade.Trade)
	case agent.Collect:
		err = draft.Collect(a.Trade.ID, &a.Trade.Trade)
	case agent.Divide:
		var proposal *wallet.Proposal
		if proposal, err = wallet.ParseProposal([]byte(a.Split.Bytes)); err == nil {
			err = draft.Record(proposal, &a.Trade.Trade)
		}
	case agent.Gather:
		err = draft.Merge(a.Coins...)
	}
	return err
}
