package ledger_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/trade"
	"lockstep/types"
)

// TestRandomEntries lets parties draw, send, accept, issue, redeem, offer, order and trade at random on ledgers of each kind, with
// small bounds. The world audits each block, and so compares every count with the entries. Here it is checked besides that nobody has
// less of anything without a signature of its own, that no key has more than its bounds, and that a stranger to a members'
// ledger never gets anything.
func TestRandomEntries(t *testing.T) {
	t.Parallel()
	accepted := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		m := newEntryMachine(t, rt)
		for range rapid.IntRange(10, 60).Draw(rt, "blocks") {
			m.step()
		}
		for kind, n := range m.done { // any order: a sum
			accepted[kind] += n
		}
		for kind, n := range m.refused { // any order: a sum
			accepted["refused "+kind.String()] += n
		}
	})
	t.Log("accepted:", accepted)
	if testing.Short() { // fewer cases, which need not reach every kind
		return
	}
	for _, kind := range []string{
		"issue", "redeem", "post", "take", "place", "agree", "pay", "deliver", "accept", "decline", "draw", "recognise", "send",
	} {
		if accepted[kind] == 0 {
			t.Errorf("no %s was ever accepted: this test tests nothing of it", kind)
		}
	}
}

type entryMachine struct {
	*machine
	kind    string // of the ledger
	assets  []types.Asset
	done    map[string]int
	refused map[types.Code]int
}

func newEntryMachine(t *testing.T, rt *rapid.T) *entryMachine {
	e := &entryMachine{
		machine: &machine{world: bounded(t), rt: rt, names: []string{"peter", "clara", "mallory"}},
		kind:    rapid.SampledFrom([]string{"plain", "members", "fee"}).Draw(rt, "kind"),
		assets:  []types.Asset{euro, assetOf("mallory", "EUR"), assetOf("clara", "SUN")}, done: map[string]int{}, refused: map[types.Code]int{},
	}
	e.params.ClockCap = 100 * second // so that deadlines pass
	e.params.Operators = []types.PublicKey{party.Key("operator")}
	e.params.Entries.Coins, e.params.Entries.Unasked, e.params.Entries.Accepted = 3, 1, 1
	members := []string{"peter", "clara", "mallory"}
	switch e.kind {
	case "fee":
		e.params.Genesis = []types.GenesisAsset{{Asset: euro, Least: 2, Supply: 5000}}
		e.params.FeeAsset, e.params.MinFee, e.params.Entries.Fee = euro.ID(), 1, 1
		body := e.body(&types.Draw{Key: party.Key("issuer"), Asset: euro.ID(), Amount: 3010})
		body.Fee = 10
		for _, name := range members {
			body.Outputs = append(body.Outputs, party.Output(name, 1000))
		}
		e.must(party.Sign(body, "issuer"))
		return e
	case "members":
		e.params.Entries = e.params.Entries.OfMembers()
		members, e.assets[1] = members[:2], assetOf("peter", "EUR") // so that mallory is no issuer either
		operator := party.Key("operator")
		e.must(party.Sign(e.body(
			&types.Admit{Operator: operator, Member: types.Member{Key: party.Key("peter"), Name: "Peter"}},
			&types.Admit{Operator: operator, Member: types.Member{Key: party.Key("clara"), Name: "Clara"}},
			&types.Recognise{Operator: operator, Asset: euro, Least: 2},
		), "operator"))
	}
	e.mint(1000, members...)
	return e
}

// holding names the sum of an asset that a key could spend.
type holding struct {
	key   types.PublicKey
	asset types.AssetID
}

func (e *entryMachine) wealth() map[holding]types.Amount {
	all := map[holding]types.Amount{}
	reader := e.reader()
	for _, coin := range reader.Coins() {
		all[holding{coin.Lock.Key, coin.Asset}] += coin.Amount
	}
	for of, purse := range reader.AllPurses() {
		all[holding{of.Owner, of.Asset}] += purse.Amount
	}
	for t := range reader.Trades() {
		for _, locked := range t.Locked {
			if owner, owned := trade.Owner(t, locked.Part, e.clock()); owned {
				all[holding{owner, t.Agreement.Asset}] += locked.Amount
			}
		}
	}
	return all
}

func (e *entryMachine) step() {
	var txs []*types.Tx
	for range rapid.IntRange(0, 3).Draw(e.rt, "transactions") {
		txs = append(txs, e.transaction())
	}
	after := rapid.SampledFrom([]types.Duration{0, second, second, second, 10 * second, 61 * second, 400 * second}).Draw(e.rt, "after")
	before := e.wealth()
	var signed []types.PublicKey
	for i, result := range e.try(after, txs...) {
		if result.Code != types.CodeOK {
			continue
		}
		for _, signature := range txs[i].Signatures {
			signed = append(signed, signature.Key)
		}
		for _, action := range txs[i].Body.Actions {
			e.done[types.ActionKind(action)]++
		}
		if len(txs[i].Body.Actions) == 0 {
			e.done["send"]++
		}
	}
	now := e.wealth()
	for of, amount := range before { // any order: each must hold
		if now[of] < amount && !slices.Contains(signed, of.key) {
			e.rt.Fatalf("%s had %s of asset %s and has %s without having signed", of.key, amount, of.asset, now[of])
		}
	}
	e.checkBounds(now)
}

func (e *entryMachine) checkBounds(now map[holding]types.Amount) {
	bounds := e.params.Entries
	for _, name := range []string{"peter", "clara", "mallory", "issuer", "operator"} {
		usage := e.reader().Usage(party.Key(name))
		if usage.Coins > uint64(bounds.Coins) || usage.Accepted > uint64(bounds.Accepted) || usage.Unasked > uint64(bounds.Unasked) ||
			usage.Offers > uint64(bounds.Offers) || e.kind == "members" && usage.Orders > uint64(bounds.Orders) {
			e.rt.Fatalf("%s is beyond its bounds: %+v of %+v", name, usage, bounds)
		}
		if stranger := name == "mallory" && e.kind == "members"; stranger && usage != (types.Usage{}) {
			e.rt.Fatalf("a stranger has entries: %+v", usage)
		}
	}
	for of, amount := range now { // any order: each must hold
		if e.kind == "members" && of.key == party.Key("mallory") && amount > 0 {
			e.rt.Fatalf("a stranger has %s of asset %s", amount, of.asset)
		}
	}
}

// owned lists the coins and the parts of trades that a key could spend, and now and then those of everybody.
func (e *entryMachine) owned(by types.PublicKey) (owned []coin) {
	everybody := rapid.IntRange(0, 9).Draw(e.rt, "anybody's") == 0
	for _, coin := range e.coins() {
		owner, _ := coin.Owner(e.clock())
		if _, purse := coin.outpoint.Purse(); !purse && (owner == by || everybody) {
			owned = append(owned, coin)
		}
	}
	return owned
}

// transaction does some actions, pays for them with coins, purses and parts of trades, and gives the rest to somebody.
func (e *entryMachine) transaction() *types.Tx {
	body, in, out, payer := e.body(), sums{}, sums{}, party.Key(e.name("payer"))
	for range rapid.IntRange(0, 2).Draw(e.rt, "actions") {
		action, asset, issued, debit := e.entryAction()
		body.Actions = append(body.Actions, action)
		if by, needed := e.payerOf(action); needed {
			payer = by
		}
		in[asset] += issued
		out[asset] += debit
	}
	if e.kind == "fee" {
		body.Fee = e.params.MinFee + types.Amount(rapid.IntRange(3, 12).Draw(e.rt, "fee"))
		out[euro.ID()] += body.Fee
	}
	gift := rapid.SampledFrom(e.assets).Draw(e.rt, "gift")
	if sum := e.small("gift of"); sum > 0 && rapid.Bool().Draw(e.rt, "give") {
		out[gift.ID()] += sum
		body.Outputs = append(body.Outputs, types.Output{Asset: gift.ID(), Amount: sum, Lock: types.ToKey(party.Key(e.name("gift to")))})
	}
	reader := e.reader()
	for of, purse := range reader.AllPurses() {
		need := out[of.Asset] - min(in[of.Asset], out[of.Asset])
		if take := min(purse.Amount, need+e.small("draw more")); of.Owner == payer && take > 0 && rapid.Bool().Draw(e.rt, "draw") {
			body.Actions = append(body.Actions, &types.Draw{Key: of.Owner, Asset: of.Asset, Amount: take})
			in[of.Asset] += take
		}
	}
	for _, coin := range e.owned(payer) {
		if in[coin.Asset] < out[coin.Asset] || rapid.IntRange(0, 9).Draw(e.rt, "spend") == 0 {
			body.Inputs = append(body.Inputs, coin.outpoint)
			in[coin.Asset] += coin.Amount
		}
	}
	for _, asset := range e.assets {
		id := asset.ID()
		for pieces := rapid.IntRange(1, 3).Draw(e.rt, "pieces"); in[id] > out[id]; pieces-- {
			rest := in[id] - out[id]
			if pieces > 1 {
				rest = (rest + 1) / 2
			}
			body.Outputs = append(body.Outputs, types.Output{Asset: id, Amount: rest, Lock: types.ToKey(party.Key(e.name("change to")))})
			out[id] += rest
		}
	}
	return party.Sign(body, e.entrySigners(body)...)
}

type sums map[types.AssetID]types.Amount

// entrySigners finds the parties that must sign, by trying up to two parties in every order on the ledger itself.
func (e *entryMachine) entrySigners(body types.Body) []string {
	all := append([]string{"issuer", "operator"}, e.names...)
	var try func(chosen []string) []string
	try = func(chosen []string) []string {
		var signatures []types.Signature
		for _, name := range chosen {
			signatures = append(signatures, types.Signature{Key: party.Key(name)})
		}
		state := ledger.New(e.view, e.params)
		state.Begin(e.height+1, e.time)
		result := state.Execute(types.NewTx(body, signatures...), true)
		switch result.Code {
		case types.CodeOK:
			return chosen
		case types.CodeSignatureKeys, types.CodeUnsignedForm, types.CodeUnaccepted, types.CodeDust, types.CodeNotAdmitted:
		default:
			e.refused[result.Code]++
			return nil // other signatures would not help
		}
		if len(chosen) == 2 {
			return nil
		}
		for _, next := range all {
			if slices.Contains(chosen, next) {
				continue
			}
			if found := try(append(slices.Clone(chosen), next)); found != nil {
				return found
			}
		}
		return nil
	}
	return try(nil)
}

// entryAction is a random action, with the asset of its sums: the sum that it issues, and the sum that it takes.
func (e *entryMachine) entryAction() (action types.Action, asset types.AssetID, issued, debit types.Amount) {
	of := rapid.SampledFrom([]types.Asset{euro, euro, e.assets[1], e.assets[2]}).Draw(e.rt, "asset")
	asset = of.ID()
	key := func() types.PublicKey { return party.Key(e.name("key")) }
	operator := party.Key(rapid.SampledFrom([]string{"operator", "operator", "operator", "mallory"}).Draw(e.rt, "operator"))
	switch rapid.IntRange(0, 19).Draw(e.rt, "kind of action") {
	case 0:
		return &types.Accept{Key: key(), Asset: asset}, asset, 0, 0
	case 1:
		return &types.Decline{Key: key(), Asset: asset}, asset, 0, 0
	case 2, 3:
		sum := 1 + e.small("issue")
		return &types.Issue{Asset: of, Amount: sum}, asset, sum, 0
	case 4:
		sum := 1 + e.small("redeem")
		if state, known := e.reader().Asset(asset); known && rapid.Bool().Draw(e.rt, "all of it") {
			sum = state.Issued
		}
		return &types.Redeem{Asset: asset, Amount: sum}, asset, 0, sum
	case 5:
		if rapid.Bool().Draw(e.rt, "back") {
			return &types.Unrecognise{Operator: operator, Asset: asset}, asset, 0, 0
		}
		return &types.Recognise{Operator: operator, Asset: of, Least: e.small("least") / 8}, asset, 0, 0
	case 6, 13, 14:
		number, owner := uint8(rapid.IntRange(0, 3).Draw(e.rt, "number")), e.name("owner")
		for order := range e.reader().PlacedOrders() {
			if rapid.IntRange(0, 3).Draw(e.rt, "withdraw") == 0 {
				stake, _ := order.Order.Stake()
				return &types.Withdraw{Product: order.Order.Product.ID(), Owner: order.Order.Owner, Number: order.Order.Number}, order.Order.Product.Asset, stake, 0
			}
		}
		if rapid.IntRange(0, 9).Draw(e.rt, "withdraw none") == 0 {
			return &types.Withdraw{Product: e.product(asset), Owner: party.Key(owner), Number: number}, asset, 0, 0
		}
		side := rapid.SampledFrom([]types.Side{types.Bid, types.Sell}).Draw(e.rt, "side")
		order := e.order(owner, side, 1, numbered(number), ofQuantity(10), func(o *types.Order) { o.Product.Asset = asset })
		stake, _ := order.Stake()
		return &types.Place{Order: order}, asset, 0, stake
	case 7:
		offer := e.offer()
		offer.Producer, offer.Asset, offer.Nonce = key(), asset, uint64(rapid.IntRange(1, 3).Draw(e.rt, "nonce"))
		e.offers = append(e.offers, offer)
		return &types.Post{Offer: offer}, asset, 0, 0
	case 8, 9, 10:
		var standing []types.OfferID
		for offer := range e.reader().Offers() {
			standing = append(standing, offer.Offer.ID())
		}
		if len(standing) == 0 {
			break
		}
		id := rapid.SampledFrom(standing).Draw(e.rt, "offer")
		if rapid.IntRange(0, 5).Draw(e.rt, "cancel") == 0 {
			return &types.Cancel{Offer: id}, asset, 0, 0
		}
		offer, _ := e.reader().Offer(id)
		quantity := min(uint64(rapid.IntRange(100, 1000).Draw(e.rt, "quantity")), offer.Remaining)
		agreement, _ := offer.Offer.Agreement(quantity, key(), uint64(rapid.IntRange(1, 9).Draw(e.rt, "nonce")))
		return &types.Take{Offer: id, Consumer: agreement.Consumer, Quantity: quantity, Nonce: agreement.Nonce, Digest: party.Secret("any").Digest(1)},
			agreement.Asset, 0, agreement.Price + agreement.Deposit
	case 11, 12:
		a := e.agreement()
		a.Nonce = uint64(rapid.IntRange(1, 1000).Draw(e.rt, "nonce"))
		a.Consumer, a.Asset, a.Instalments = party.Key("mallory"), asset, uint16(rapid.IntRange(1, 4).Draw(e.rt, "instalments"))
		if e.kind == "members" || rapid.Bool().Draw(e.rt, "clara") {
			a.Consumer = party.Key("clara")
		}
		action := &types.Agree{Agreement: a, Submitter: key()}
		e.mandate(&action.Mandates, action.Message, "peter", e.party(a.Consumer))
		return action, asset, 0, 0
	}
	action, debit = e.nextAction()
	return action, e.assetOf(action), 0, debit
}

func (e *entryMachine) product(asset types.AssetID) types.ProductID {
	p := product()
	p.Asset = asset
	return p.ID()
}

// agreementOf is that of the trade or the offer which an action names.
func (e *entryMachine) agreementOf(action types.Action) (agreement types.Agreement, known bool) {
	if take, ok := action.(*types.Take); ok {
		offer, stands := e.reader().Offer(take.Offer)
		if stands {
			agreement.Asset, agreement.Consumer = offer.Offer.Asset, take.Consumer
		}
		return agreement, stands
	}
	var id types.TradeID
	if pay, ok := action.(*types.Pay); ok {
		id = pay.Trade
	} else if deliver, ok := action.(*types.Deliver); ok {
		id = deliver.Trade
	}
	trade, known := e.reader().Trade(id)
	if known {
		agreement = trade.Agreement
	}
	return agreement, known
}

// assetOf is the asset in which an action of a trade or an offer takes its sums.
func (e *entryMachine) assetOf(action types.Action) types.AssetID {
	if agreement, known := e.agreementOf(action); known {
		return agreement.Asset
	}
	return euro.ID()
}

// payerOf is the party that an action takes sums from.
func (e *entryMachine) payerOf(action types.Action) (types.PublicKey, bool) {
	agreement, known := e.agreementOf(action)
	if _, deliver := action.(*types.Deliver); deliver {
		return agreement.Producer, known
	}
	return agreement.Consumer, known
}
