package wallet

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"lockstep/types"
)

// Draft collects the actions of one transaction, all or nothing; [Draft.Sign] then chooses the coins, returns the change
// to the account, adds the fee and signs once. A step that returns an error has added nothing. A draft is used by
// one goroutine, for one transaction.
type Draft struct {
	account *Account
	ctx     Context
	outputs []types.Output
	actions []types.Action
	memo    string
	spent   []types.Coin // chosen by a step, not for their sum
	until   types.Time   // that the transaction must not outlive; zero: none
	in, out sums         // brought in by actions, taken by outputs and actions
	signed  bool
}

// Draft begins a transaction of the account on the ledger as the context shows it.
func (a *Account) Draft(ctx Context) *Draft {
	return &Draft{account: a, ctx: ctx, in: sums{}, out: sums{}}
}

// Format shows the account's public key alone, with every verb: fmt reads unexported fields.
func (d *Draft) Format(f fmt.State, verb rune) { d.account.Format(f, verb) }

// sums adds up amounts by asset.
type sums map[types.AssetID]types.Amount

func (s sums) add(asset types.AssetID, amounts ...types.Amount) error {
	total, ok := types.Sum(append(amounts, s[asset])...)
	if !ok {
		return types.Refuse(types.CodeOverflow, "the sums of asset %s", asset)
	}
	s[asset] = total
	return nil
}

// Send pays an amount to a key. Call it once for each receiver.
func (d *Draft) Send(to types.PublicKey, asset types.AssetID, amount types.Amount) error {
	if amount == 0 {
		return types.Refuse(types.CodeAmountZero, "there is nothing to send to %s", to)
	}
	if err := to.Check("receiver"); err != nil {
		return err
	}
	if err := d.out.add(asset, amount); err != nil {
		return err
	}
	d.outputs = append(d.outputs, types.Output{Asset: asset, Amount: amount, Lock: types.ToKey(to)})
	return nil
}

// Memo adds a public text of at most [types.MaxMemo] bytes.
func (d *Draft) Memo(text string) error {
	if err := types.CheckText("memo", text, types.MaxMemo); err != nil {
		return err
	}
	d.memo = text
	return nil
}

// Issue creates a sum of an asset of which the account is the issuer. A sum not sent on in the same draft becomes the
// account's own.
func (d *Draft) Issue(asset types.Asset, amount types.Amount) error {
	if err := d.checkIssuer(&asset, amount); err != nil {
		return err
	}
	if err := d.in.add(asset.ID(), amount); err != nil {
		return err
	}
	d.act(&types.Issue{Asset: asset, Amount: amount})
	return nil
}

// Redeem takes a sum of the account's coins out of the ledger. The account must be the asset's issuer.
func (d *Draft) Redeem(asset types.Asset, amount types.Amount) error {
	if err := d.checkIssuer(&asset, amount); err != nil {
		return err
	}
	if err := d.out.add(asset.ID(), amount); err != nil {
		return err
	}
	d.act(&types.Redeem{Asset: asset.ID(), Amount: amount})
	return nil
}

func (d *Draft) checkIssuer(asset *types.Asset, amount types.Amount) error {
	if err := asset.Check(); err != nil {
		return err
	}
	switch {
	case asset.Issuer != d.account.key:
		return refuse(ReasonNotOurs, "only its issuer %s can issue and redeem %s, this account is %s", asset.Issuer, asset.Code, d.account.key)
	case amount == 0:
		return types.Refuse(types.CodeAmountZero, "there is nothing to issue or redeem")
	}
	return nil
}

// consolidateInputs keeps a consolidation well below [types.MaxTxBytes].
const consolidateInputs = 500

// Consolidate spends the coins of the context, at most 500 and the smallest first, to make one of each asset, and so also
// collects the outputs of finished trades. Call it again in a new draft while there are more.
func (d *Draft) Consolidate() error {
	coins := d.free(func(types.Coin) bool { return true })
	if len(coins) == 0 {
		return refuse(ReasonFunds, "there are no coins to consolidate")
	}
	slices.SortFunc(coins, func(a, b types.Coin) int {
		return cmp.Or(cmp.Compare(a.Amount, b.Amount), compareOutpoints(a.Outpoint, b.Outpoint))
	})
	d.spent = append(d.spent, coins[:min(len(coins), consolidateInputs)]...)
	return nil
}

// Merge spends these coins, which become one of each asset. Those in use by a transaction that is being confirmed stay as they are.
func (d *Draft) Merge(coins ...types.Coin) error {
	free := slices.DeleteFunc(slices.Clone(coins), func(coin types.Coin) bool { return d.account.reserve.has(coin.Outpoint, d.ctx.BlockTime) })
	if len(free) == 0 {
		return refuse(ReasonFunds, "there are no coins to merge, or all of them are in use by a transaction that is being confirmed")
	}
	d.spent = append(d.spent, free...)
	return nil
}

// act adds an action, which needs no signature but the account's.
func (d *Draft) act(action types.Action) { d.actions = append(d.actions, action) }

// Sign finishes the transaction. Its coins are in use until its valid-until or until [Account.Forget].
func (d *Draft) Sign() (*types.Tx, error) {
	if d.signed {
		return nil, errors.New("the draft was signed already: begin a new one")
	}
	for {
		tx, err := d.fund()
		if err != nil {
			return nil, err
		}
		if !d.account.reserve.hold(tx, d.ctx.BlockTime) {
			continue // another draft was quicker with a coin; there is one less to choose from now
		}
		d.signed = true
		return tx.WithSignature(d.account.signMessage(types.SigningMessage(tx.BodyBytes()))), nil
	}
}

// signatureBytes is the encoded size of one signature.
const signatureBytes = 1 + 2 + 32 + 2 + 64

// fund makes the unsigned transaction.
func (d *Draft) fund() (*types.Tx, error) {
	for fee := min(d.ctx.Params.MinFee, d.leastFee()); ; {
		tx, err := d.fundAt(fee)
		if err != nil {
			return nil, err
		}
		least := d.ctx.Params.LeastFee(&tx.Body)
		if fee >= least {
			return tx, nil
		}
		fee = least // it may take another coin, or change
	}
}

// fundAt is fund with a given fee.
func (d *Draft) fundAt(fee types.Amount) (*types.Tx, error) {
	coins, change, err := d.balance(fee)
	if err != nil {
		return nil, err
	}
	body := types.Body{
		ChainID: d.ctx.Params.ChainID, ValidUntil: d.ctx.validUntil(), Memo: d.memo, Fee: fee,
		Outputs: append(slices.Clone(d.outputs), change...), Actions: slices.Clone(d.actions),
	}
	if d.until != 0 {
		body.ValidUntil = min(body.ValidUntil, d.until)
	}
	for _, coin := range coins {
		body.Spend(d.account.key, coin.Outpoint, coin.Amount)
	}
	tx := types.NewTx(body)
	switch size := len(tx.Bytes()) + signatureBytes; {
	case len(body.Inputs) == 0 && len(body.Actions) == 0:
		return nil, types.Refuse(types.CodeEmpty, "the draft does nothing that this account could sign")
	case size > types.MaxTxBytes:
		return nil, types.Refuse(types.CodeTooLarge, "the transaction would have %d bytes, at most %d are allowed: do it in several, "+
			"or merge the account's small coins first (lockstep wallet merge)", size, types.MaxTxBytes)
	}
	return tx, nil
}

// maxFunds bounds the coins of an asset that a draft examines: more would not fit into a transaction.
const maxFunds = types.MaxTxBytes / 36

// Fund fetches the coins that the draft needs and the context doesn't have, for each asset as many as its sum takes. The source
// gives the account's coins of an asset, best those first that are worth the sum.
func (d *Draft) Fund(source func(asset types.AssetID, sum types.Amount) iter.Seq2[types.Coin, error]) error {
	in, out, err := d.sums(d.mostFee())
	if err != nil {
		return err
	}
	if _, err := d.freshSpent(in); err != nil {
		return err
	}
	for _, asset := range sortedAssets(in, out) {
		if out[asset] <= in[asset] {
			continue
		}
		if err := d.fetch(asset, out[asset]-in[asset], source(asset, out[asset]-in[asset])); err != nil {
			return err
		}
	}
	return nil
}

// fetch takes coins of an asset into the context until those that are free are worth a sum.
func (d *Draft) fetch(asset types.AssetID, sum types.Amount, coins iter.Seq2[types.Coin, error]) error {
	left, looked := sum, 0
	wanted := func(coin types.Coin) bool { return coin.Asset == asset && !containsCoin(d.spent, coin.Outpoint) }
	known := map[types.Outpoint]bool{}
	for _, coin := range d.ctx.Coins {
		known[coin.Outpoint] = true
	}
	for _, coin := range d.free(wanted) {
		left -= min(left, coin.Amount)
	}
	if left == 0 {
		return nil
	}
	for coin, err := range coins {
		if err != nil {
			return err
		}
		if looked++; looked > maxFunds {
			break
		}
		if known[coin.Outpoint] || !wanted(coin) || d.account.reserve.has(coin.Outpoint, d.ctx.BlockTime) {
			continue
		}
		known[coin.Outpoint] = true
		d.ctx.Coins = append(d.ctx.Coins, coin)
		if left -= min(left, coin.Amount); left == 0 {
			return nil
		}
	}
	if looked > maxFunds {
		return refuse(ReasonFunds, "%s is spread over more coins than a transaction can spend: pay a smaller sum, or merge some coins first (lockstep wallet merge)",
			d.ctx.money(asset, sum))
	}
	return nil // Sign reports the missing sum
}

// sums returns the inputs of the actions, and the total taken by outputs, actions and the fee.
func (d *Draft) sums(fee types.Amount) (in, out sums, err error) {
	in, out = maps.Clone(d.in), maps.Clone(d.out)
	if id := d.ctx.Params.FeeAsset; fee > 0 {
		if err := d.checkFee(id, fee); err != nil {
			return nil, nil, err
		}
		err = out.add(id, fee)
	}
	return in, out, err
}

// leastFee returns the fee of the draft without inputs and change.
func (d *Draft) leastFee() types.Amount {
	return d.ctx.Params.LeastFee(&types.Body{Outputs: d.outputs, Actions: d.actions})
}

// mostFee returns the highest fee of the draft as it is now: as if all its change made entries.
func (d *Draft) mostFee() types.Amount {
	params := &d.ctx.Params
	if len(d.actions) == 1 && len(d.outputs) == 0 {
		if _, governs := d.actions[0].(*types.Govern); governs {
			return 0
		}
	}
	change := sortedAssets(d.in, d.out, sums{params.FeeAsset: 0})
	body := types.Body{Outputs: make([]types.Output, len(d.outputs)+len(change)), Actions: d.actions}
	return params.LeastFee(&body)
}

// balance chooses the coins that all this needs, fee included, and the change that makes inputs equal outputs.
func (d *Draft) balance(fee types.Amount) (coins []types.Coin, change []types.Output, err error) {
	in, out, err := d.sums(fee)
	if err != nil {
		return nil, nil, err
	}
	coins, err = d.freshSpent(in)
	if err != nil {
		return nil, nil, err
	}
	for _, asset := range sortedAssets(in, out) {
		if out[asset] > in[asset] {
			chosen, err := d.choose(asset, out[asset]-in[asset], coins)
			if err != nil {
				return nil, nil, err
			}
			for _, coin := range chosen {
				if err := in.add(asset, coin.Amount); err != nil {
					return nil, nil, err
				}
			}
			coins = append(coins, chosen...)
		}
		if rest := in[asset] - out[asset]; rest > 0 {
			change = append(change, types.Output{Asset: asset, Amount: rest, Lock: types.ToKey(d.account.key)})
		}
	}
	return coins, change, nil
}

// freshSpent returns the coins that steps have chosen and counts them in, unless one is in use by now.
func (d *Draft) freshSpent(in sums) ([]types.Coin, error) {
	var coins []types.Coin
	for _, coin := range d.spent {
		if d.account.reserve.has(coin.Outpoint, d.ctx.BlockTime) {
			return nil, refuse(ReasonFunds, "coin %s is in use by a transaction that is being confirmed: wait for it", coin.Outpoint)
		}
		if containsCoin(coins, coin.Outpoint) {
			continue
		}
		if err := in.add(coin.Asset, coin.Amount); err != nil {
			return nil, err
		}
		coins = append(coins, coin)
	}
	return coins, nil
}

func (d *Draft) choose(asset types.AssetID, need types.Amount, taken []types.Coin) ([]types.Coin, error) {
	coins := d.free(func(coin types.Coin) bool {
		return coin.Asset == asset && !containsCoin(taken, coin.Outpoint)
	})
	if chosen, ok := selectCoins(coins, need); ok {
		return chosen, nil
	}
	have := sums{}
	for _, coin := range coins {
		if err := have.add(asset, coin.Amount); err != nil {
			return nil, err
		}
	}
	return nil, refuse(ReasonFunds, "%s is needed and %s is free to spend, so %s is missing: "+
		"receive that, or wait for transactions that are being confirmed",
		d.ctx.money(asset, need), d.ctx.money(asset, have[asset]), d.ctx.money(asset, need-have[asset]))
}

// free lists the coins that are in no other transaction, each once.
func (d *Draft) free(wanted func(types.Coin) bool) []types.Coin {
	var coins []types.Coin
	seen := map[types.Outpoint]bool{}
	for _, coin := range d.ctx.Coins {
		listed := seen[coin.Outpoint]
		seen[coin.Outpoint] = true
		if !listed && coin.Amount > 0 && wanted(coin) && !d.account.reserve.has(coin.Outpoint, d.ctx.BlockTime) {
			coins = append(coins, coin)
		}
	}
	return coins
}

func containsCoin(coins []types.Coin, o types.Outpoint) bool {
	return slices.ContainsFunc(coins, func(coin types.Coin) bool { return coin.Outpoint == o })
}

func sortedAssets(of ...sums) []types.AssetID {
	var assets []types.AssetID
	for _, s := range of {
		for asset := range s {
			if !slices.Contains(assets, asset) {
				assets = append(assets, asset)
			}
		}
	}
	slices.SortFunc(assets, func(a, b types.AssetID) int { return slices.Compare(a[:], b[:]) })
	return assets
}
