package ledger

import (
	"slices"

	"lockstep/types"
)

// execution is the execution of one transaction.
type execution struct {
	*State
	tx       *types.Tx
	needed   []types.PublicKey // whose signatures it needs, in order of first need
	balances []balance
	coins    []coinCount

	spentFrom *types.Trade // as the last input from a trade has left it
	deciding  bool         // operators do the current act together
}

// balance is the sum of one asset coming in and going out: inputs + issued = outputs + locked + redeemed + fee.
type balance struct {
	asset   types.AssetID
	in, out types.Amount
}

func (s *State) execute(tx *types.Tx, signaturesValid bool) error {
	x := &s.current
	*x = execution{State: s, tx: tx, needed: x.needed[:0], balances: x.balances[:0], coins: x.coins[:0]}
	if err := x.checkForm(); err != nil {
		return err
	}
	if x.allow != nil {
		if err := x.allow(tx); err != nil {
			return err
		}
	}
	if !signaturesValid {
		return types.Refuse(types.CodeSignature, "a signature of the transaction, or of a mandate in it, does not fit its key")
	}
	if err := x.checkTime(); err != nil {
		return err
	}
	if err := x.spendInputs(); err != nil {
		return err
	}
	if err := x.makeOutputs(); err != nil {
		return err
	}
	for _, action := range tx.Body.Actions {
		if err := x.act(action); err != nil {
			return err
		}
	}
	if err := x.payFee(); err != nil {
		return err
	}
	if err := x.checkBalance(); err != nil {
		return err
	}
	x.countCoins()
	return x.checkSigners()
}

// act does one action. Each action sees the effects of the last one.
func (x *execution) act(action types.Action) error {
	switch a := action.(type) {
	case *types.Issue:
		return x.issue(a)
	case *types.Redeem:
		return x.redeem(a)
	case *types.Post:
		return x.post(a)
	case *types.Cancel:
		return x.cancel(a)
	case *types.Take:
		return x.take(a)
	case *types.Place:
		return x.place(a)
	case *types.Withdraw:
		return x.withdraw(a)
	case *types.Agree:
		return x.agree(a)
	case *types.Pay:
		return x.step(a.Trade, a)
	case *types.Deliver:
		return x.step(a.Trade, a)
	case *types.Release:
		return x.step(a.Trade, a)
	case *types.Split:
		return x.step(a.Trade, a)
	case *types.Settle:
		return x.step(a.Trade, a)
	case *types.Award:
		return x.step(a.Trade, a)
	case *types.Reading:
		return x.read(a)
	case *types.Accept:
		return x.accept(a)
	case *types.Decline:
		return x.decline(a)
	case *types.Draw:
		return x.draw(a)
	case *types.Recognise:
		return x.alone(a.Operator, a, x.recognise(a))
	case *types.Unrecognise:
		return x.alone(a.Operator, a, x.unrecognise(a))
	case *types.Admit:
		return x.alone(a.Operator, a, x.admit(a))
	case *types.Enrol:
		return x.alone(a.Operator, a, x.enrol(a))
	case *types.Exchange:
		return x.alone(a.Operator, a, x.exchange(a))
	case *types.Retire:
		return x.alone(a.Operator, a, x.retire(a))
	case *types.Govern:
		return x.govern(a)
	case *types.SetValidator, *types.SetParams, *types.SetMarket, *types.Dismiss:
		return types.Refuse(types.CodeDecision, "%s stands in a decision of operators only", types.ActionKind(a))
	}
	return types.Refuse(types.CodeMalformed, "an action is missing")
}

// checkForm makes the checks that need no state.
func (x *execution) checkForm() error {
	body := &x.tx.Body
	switch {
	case body.ChainID != x.params.ChainID:
		return types.Refuse(types.CodeChain, "the transaction is for another chain, this is %q", x.params.ChainID)
	case len(body.Inputs) == 0 && len(body.Actions) == 0:
		return types.Refuse(types.CodeEmpty, "the transaction has neither inputs nor actions")
	case len(x.tx.Signatures) == 0 && !isUnsignedForm(body):
		return types.Refuse(types.CodeUnsignedForm, "without a signature a transaction may hold one release or one settlement and nothing else")
	}
	if err := CheckWork(x.tx); err != nil {
		return err
	}
	if err := types.CheckText("memo", body.Memo, types.MaxMemo); err != nil {
		return err
	}
	for i, output := range body.Outputs {
		if output.Amount == 0 {
			return types.Refuse(types.CodeAmountZero, "output %d has no amount", i)
		}
		if err := output.Lock.Key.Check("receiver"); err != nil {
			return err
		}
	}
	return nil
}

// isUnsignedForm reports whether a body is the one form that needs no signature. It has one encoding, and so one ID, for
// each instalment of a trade.
func isUnsignedForm(body *types.Body) bool {
	if len(body.Actions) != 1 || len(body.Inputs)+len(body.Outputs) != 0 ||
		body.ValidUntil != 0 || body.Fee != 0 || body.Memo != "" {
		return false
	}
	_, release := body.Actions[0].(*types.Release)
	_, settle := body.Actions[0].(*types.Settle)
	return release || settle
}

// checkTime keeps a signed transaction within its validity, and one without inputs from being done twice. (One with
// inputs can't be: they are gone. An unsigned one can't be: an instalment is released once, a trade settled once.)
func (x *execution) checkTime() error {
	body := &x.tx.Body
	if isUnsignedForm(body) {
		return nil
	}
	now := x.clock.BlockTime
	switch {
	case body.ValidUntil < now:
		return types.Refuse(types.CodeExpired, "it was valid until %s, the block is of %s", body.ValidUntil, now)
	case body.ValidUntil > now.Add(x.params.MaxValidity):
		return types.Refuse(types.CodeValidity, "valid until %s is more than %s ahead of the block of %s", body.ValidUntil, x.params.MaxValidity, now)
	case len(body.Inputs) > 0:
		return nil
	}
	remembered := rememberedKey(body.ValidUntil, x.tx.ID())
	if _, done := get[mark](x.State, remembered); done {
		return types.Refuse(types.CodeReplay, "transaction %s is on the ledger", x.tx.ID())
	}
	x.put(remembered, &mark{})
	return nil
}

// need notes that a key's signature is needed.
func (x *execution) need(key types.PublicKey) {
	if !slices.Contains(x.needed, key) {
		x.needed = append(x.needed, key)
	}
}

// signedBy tells whether a transaction carries a key's signature, for rules that would do much work first.
func (x *execution) signedBy(key types.PublicKey) bool {
	return slices.ContainsFunc(x.tx.Signatures, func(s types.Signature) bool { return s.Key == key })
}

func (x *execution) checkSigners() error {
	if len(x.tx.Signatures) != len(x.needed) {
		return types.Refuse(types.CodeSignatureKeys, "it carries %d signatures and needs %d", len(x.tx.Signatures), len(x.needed))
	}
	for i, signature := range x.tx.Signatures {
		if signature.Key != x.needed[i] {
			return types.Refuse(types.CodeSignatureKeys, "signature %d is by %s, needed is %s", i, signature.Key, x.needed[i])
		}
	}
	return nil
}

func (x *execution) balance(asset types.AssetID) *balance {
	for i := range x.balances {
		if x.balances[i].asset == asset {
			return &x.balances[i]
		}
	}
	x.balances = append(x.balances, balance{asset: asset})
	return &x.balances[len(x.balances)-1]
}

// credit counts an input or an issue.
func (x *execution) credit(asset types.AssetID, amount types.Amount) error {
	return accumulate(&x.balance(asset).in, amount)
}

// debit counts an output, a locked or redeemed sum, or the fee.
func (x *execution) debit(asset types.AssetID, amount types.Amount) error {
	return accumulate(&x.balance(asset).out, amount)
}

func accumulate(sum *types.Amount, amount types.Amount) error {
	total, ok := sum.Add(amount)
	if !ok {
		return types.Refuse(types.CodeOverflow, "%s and %s are more than the ledger can count", *sum, amount)
	}
	*sum = total
	return nil
}

func (x *execution) checkBalance() error {
	for _, b := range x.balances {
		if b.in != b.out {
			return types.Refuse(types.CodeUnbalanced, "of asset %s, %s comes in and %s goes out", b.asset, b.in, b.out)
		}
	}
	return nil
}

// makeOutputs makes the explicit outputs; they have the first indexes.
func (x *execution) makeOutputs() error {
	receivers := make([]types.PublicKey, 0, 4)
	for i := range x.tx.Body.Outputs {
		output := &x.tx.Body.Outputs[i]
		if err := x.debit(output.Asset, output.Amount); err != nil {
			return err
		}
		if err := x.receive(types.Outpoint{Tx: x.tx.ID(), Index: uint32(i)}, output); err != nil {
			return err
		}
		receiver := output.Lock.Key
		if !slices.Contains(receivers, receiver) {
			receivers = append(receivers, receiver)
		}
	}
	if len(receivers) > 0 {
		x.emit(types.EventTransferred, types.Event{Tx: x.tx.ID()}, receivers...)
	}
	return nil
}

func (x *execution) payFee() error {
	fee, least := x.tx.Body.Fee, x.params.LeastFee(&x.tx.Body)
	if isUnsignedForm(&x.tx.Body) || fee == least && fee == 0 {
		return nil
	}
	asset, ok := get[types.AssetState](x.State, assetKey(x.params.FeeAsset))
	switch {
	case fee < least:
		return types.Refuse(types.CodeFee, "the fee of %s is below the %s that is due: %s, and %s for each of %d lasting entries",
			fee, least, x.params.MinFee, x.params.Entries.Fee, x.tx.Body.Entries())
	case !ok:
		return types.Refuse(types.CodeFee, "this ledger takes no fee")
	}
	if err := x.debit(x.params.FeeAsset, fee); err != nil {
		return err
	}
	next := *asset
	next.Fees += fee // fits: it is part of what is issued
	x.put(assetKey(x.params.FeeAsset), &next)
	return nil
}
