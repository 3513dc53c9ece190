package ledger_test

import (
	"fmt"
	"strings"
	"testing"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// bounded is a world with small bounds, so that tests reach them.
func bounded(t testing.TB) *world {
	w := newWorld(t)
	w.params.Entries = types.EntryParams{
		By: types.EntryAnyone, Coins: 8, Assets: 2, Accepted: 3, Unasked: 4, Offers: 2, Orders: 3, Trades: 2,
	}
	return w
}

// ofMembers is a bounded world of members: peter and clara, with a recognised euro whose issuer is no member.
func ofMembers(t testing.TB) *world {
	w := bounded(t)
	w.params.Operators = []types.PublicKey{party.Key("operator")}
	w.params.Entries = w.params.Entries.OfMembers()
	w.params.Market.Grids[0] = testGrid(&types.Hold{})
	operator := party.Key("operator")
	w.must(party.Sign(w.body(
		&types.Admit{Operator: operator, Member: types.Member{Key: party.Key("peter"), Name: "Peter"}},
		&types.Admit{Operator: operator, Member: types.Member{Key: party.Key("clara"), Name: "Clara"}},
		&types.Recognise{Operator: operator, Asset: euro, Least: 5},
	), "operator"))
	return w
}

func assetOf(issuer, code string) types.Asset {
	return types.Asset{Issuer: party.Key(issuer), Code: code}
}

// issueTo makes a new sum of an asset for somebody.
func (w *world) issueTo(asset types.Asset, issuer, to string, amounts ...types.Amount) *types.Tx {
	body := w.body()
	var total types.Amount
	for _, amount := range amounts {
		body.Outputs = append(body.Outputs, types.Output{Asset: asset.ID(), Amount: amount, Lock: types.ToKey(party.Key(to))})
		total += amount
	}
	body.Actions = []types.Action{&types.Issue{Asset: asset, Amount: total}}
	return party.Sign(body, issuer)
}

func (w *world) productID() types.ProductID {
	p := product()
	return p.ID()
}

func (w *world) want(code types.Code, tx *types.Tx) {
	w.t.Helper()
	if result := w.try(second, tx)[0]; result.Code != code {
		w.t.Fatalf("%s (%s), want %s", result.Code, result.Detail, code)
	}
}

// list is how many entries a wallet of a key has to list.
func (w *world) list(name string) (coins, purses int) {
	for _, output := range w.reader().Coins() {
		if output.Lock.Key == party.Key(name) {
			coins++
		}
	}
	for range w.reader().Purses(party.Key(name)) {
		purses++
	}
	return coins, purses
}

// One key that sends a victim thousands of worthless coins adds no more than a few entries to the victim's list, and no value is lost.
func TestFloodOfCoins(t *testing.T) {
	t.Parallel()
	w := bounded(t)
	asset, amounts := assetOf("mallory", "JUNK"), make([]types.Amount, 200)
	for i := range amounts {
		amounts[i] = 1
	}
	for range 10 {
		w.must(w.issueTo(asset, "mallory", "clara", amounts...))
	}
	coins, purses := w.list("clara")
	if coins != 8 || purses != 1 {
		t.Errorf("2000 outputs made %d coins and %d purses, want 8 and 1", coins, purses)
	}
	if got := w.reader().Purse(party.Key("clara"), asset.ID()).Amount; got != 2000-8 {
		t.Errorf("%d is in the purse, want %d", got, 2000-8)
	}
}

// Many keys with an asset each reach a victim no more often than the bound; accepted assets still reach it.
func TestFloodOfStrangeAssets(t *testing.T) {
	t.Parallel()
	w := bounded(t)
	refused := 0
	for i := range 40 {
		name := fmt.Sprint("mallory ", i)
		result := w.try(second, w.issueTo(assetOf(name, "EUR"), name, "clara", 10))[0]
		if result.Code == types.CodeUnaccepted {
			refused++
		} else if result.Code != types.CodeOK {
			t.Fatal(result.Detail)
		}
	}
	if coins, purses := w.list("clara"); coins != 8 || purses != 4 || refused != 40-8-4 {
		t.Errorf("%d coins, %d purses, %d refused", coins, purses, refused)
	}
	w.want(types.CodeUnaccepted, w.issueTo(euro, "issuer", "clara", 100))
	w.must(party.Sign(w.body(&types.Accept{Key: party.Key("clara"), Asset: euro.ID()}), "clara"))
	w.must(w.issueTo(euro, "issuer", "clara", 100))
	if got := w.reader().Purse(party.Key("clara"), euro.ID()).Amount; got != 100 {
		t.Errorf("%d euro cents came", got)
	}
}

// One key makes a few assets known and no more; an asset without supply leaves the state and makes room again.
func TestFloodOfAssets(t *testing.T) {
	t.Parallel()
	w := bounded(t)
	for i := range 2 {
		w.must(w.issueTo(assetOf("mallory", fmt.Sprint("JUNK", i)), "mallory", "mallory", 10))
	}
	third := assetOf("mallory", "JUNK2")
	w.want(types.CodeQuota, w.issueTo(third, "mallory", "mallory", 10))
	first := assetOf("mallory", "JUNK0")
	again := w.issueTo(first, "mallory", "mallory", 5) // more of a known one
	w.must(again)
	redeem := func(asset types.Asset, amount types.Amount, inputs ...types.Outpoint) *types.Tx {
		body := w.body(&types.Redeem{Asset: asset.ID(), Amount: amount})
		body.Inputs = inputs
		return party.Sign(body, "mallory")
	}
	w.must(redeem(first, 5, outpoints(again, 1)...))
	w.want(types.CodeQuota, w.issueTo(third, "mallory", "mallory", 10))
	var rest types.Outpoint
	for outpoint, output := range w.reader().Coins() {
		if output.Asset == first.ID() {
			rest = outpoint
		}
	}
	w.must(redeem(first, 10, rest))
	if _, known := w.reader().Asset(first.ID()); known {
		t.Error("an asset without supply is still in the state")
	}
	w.must(w.issueTo(third, "mallory", "mallory", 10))
}

// An asset that an offer names stays until the offer is over, though nothing of it is out.
func TestAssetInUseStays(t *testing.T) {
	t.Parallel()
	w := bounded(t)
	issue := w.issueTo(euro, "issuer", "issuer", 10)
	w.must(issue)
	w.must(party.Sign(w.body(&types.Post{Offer: w.offer()}), "peter"))
	body := w.body(&types.Redeem{Asset: euro.ID(), Amount: 10})
	body.Inputs = outpoints(issue, 1)
	w.must(party.Sign(body, "issuer"))
	if _, known := w.reader().Asset(euro.ID()); !known {
		t.Fatal("the asset of a standing offer has left the state")
	}
	offer := w.offer()
	for standing := range w.reader().Offers() {
		offer = standing.Offer
	}
	w.must(party.Sign(w.body(&types.Cancel{Offer: offer.ID()}), "peter"))
	if _, known := w.reader().Asset(euro.ID()); known {
		t.Error("nothing needs the asset, and it is in the state")
	}
}

func TestQuotas(t *testing.T) {
	t.Parallel()
	t.Run("offers", func(t *testing.T) {
		t.Parallel()
		w := bounded(t)
		w.mint(1000, "clara")
		post := func(nonce uint64) (*types.Tx, types.OfferID) {
			offer := w.offer()
			offer.Nonce = nonce
			return party.Sign(w.body(&types.Post{Offer: offer}), "peter"), offer.ID()
		}
		first, id := post(1)
		w.must(first)
		second, _ := post(2)
		w.must(second)
		third, _ := post(3)
		w.want(types.CodeQuota, third)
		w.must(party.Sign(w.body(&types.Cancel{Offer: id}), "peter"))
		fourth, _ := post(4)
		w.must(fourth)
		w.wait(120 * 1000) // both run out
		fifth, _ := post(5)
		w.must(fifth)
		if got := w.reader().Usage(party.Key("peter")).Offers; got != 1 {
			t.Errorf("%d offers are counted, one stands", got)
		}
	})
	t.Run("accepted assets", func(t *testing.T) {
		t.Parallel()
		w := bounded(t)
		accept := func(n byte) *types.Tx {
			return party.Sign(w.body(&types.Accept{Key: party.Key("clara"), Asset: types.AssetID{n}}), "clara")
		}
		w.must(accept(1), accept(2), accept(3))
		w.want(types.CodeQuota, accept(4))
		w.want(types.CodeReplay, accept(1))
		w.want(types.CodeUnaccepted, party.Sign(w.body(&types.Decline{Key: party.Key("clara"), Asset: types.AssetID{9}}), "clara"))
		w.must(party.Sign(w.body(&types.Decline{Key: party.Key("clara"), Asset: types.AssetID{2}}), "clara"))
		w.must(accept(4))
	})
	t.Run("trades of a member", func(t *testing.T) {
		t.Parallel()
		w := ofMembers(t)
		w.mint(1000, "clara")
		agree := func(nonce uint64) *types.Tx {
			a := w.agreement()
			a.Nonce = nonce
			return w.agree(a, "peter", "clara")
		}
		w.must(agree(1), agree(2))
		w.want(types.CodeQuota, agree(3))
		w.wait(90 * 1000) // both lapse
		w.must(agree(4))
		if got := w.reader().Usage(party.Key("clara")).Trades; got != 1 {
			t.Errorf("%d trades are counted, one is open", got)
		}
	})
	t.Run("orders of a member", func(t *testing.T) {
		t.Parallel()
		w := ofMembers(t)
		w.mint(1_000_000, "peter", "clara")
		for n := range uint8(3) {
			w.must(w.placeTx(w.order("clara", types.Bid, 1, numbered(n)), "clara"))
		}
		w.want(types.CodeQuota, w.placeTx(w.order("clara", types.Bid, 1, numbered(3)), "clara"))
		w.must(w.placeTx(w.order("clara", types.Bid, 2, numbered(2)), "clara")) // in the place of another
		w.must(w.withdrawTx("clara", w.productID(), 1))
		w.must(w.placeTx(w.order("clara", types.Bid, 1, numbered(4)), "clara"))
		w.must(w.placeTx(w.order("peter", types.Sell, 1), "peter"))
		w.wait(1800 * 1000)
		if clara, peter := w.reader().Usage(party.Key("clara")), w.reader().Usage(party.Key("peter")); clara.Orders != 0 || peter.Orders != 0 || len(w.held) != 1 {
			t.Errorf("after %d auctions clara has %+v, peter %+v", len(w.held), clara, peter)
		}
		if asset, _ := w.reader().Asset(euro.ID()); asset.Uses != 1 { // by the record of peter, who did not deliver
			t.Errorf("the asset is used %d times", asset.Uses)
		}
	})
	t.Run("a trade that is over", func(t *testing.T) {
		t.Parallel()
		s := ofMembers(t)
		s.must(party.Sign(s.body(&types.Admit{Operator: party.Key("operator"), Member: types.Member{Key: party.Key("mallory"), Name: "M"}}), "operator"))
		trade := s.delivered()
		want := func(when string, peter, clara uint64) {
			t.Helper()
			if p, c := trade.reader().Usage(party.Key("peter")).Trades, trade.reader().Usage(party.Key("clara")).Trades; p != peter || c != clara {
				t.Errorf("%s: %d and %d trades are counted of the producer and the consumer, want %d and %d", when, p, c, peter, clara)
			}
		}
		want("delivered", 0, 1)
		trade.must(trade.releaseTx(1))
		want("released", 1, 1)
		trade.must(trade.spendTx(types.PartPayment, "peter", "peter"), trade.spendTx(types.PartReturn, "clara", "clara"))
		want("without payment and return", 1, 0)
		trade.must(trade.spendTx(types.PartBond, "peter", "peter"))
		want("without the bond", 0, 0)
	})
	t.Run("a producer that never collects", func(t *testing.T) {
		t.Parallel()
		w := ofMembers(t)
		operator := party.Key("operator")
		w.must(party.Sign(w.body(&types.Admit{Operator: operator, Member: types.Member{Key: party.Key("mallory"), Name: "M"}}), "operator"))
		for nonce := range uint64(2) { // which is all that a key may have
			trade := w.released(func(a *types.Agreement) { a.Nonce = nonce })
			trade.must(trade.spendTx(types.PartReturn, "clara", "clara"))
		}
		agree := func(producer string) *types.Tx {
			a := w.agreement()
			a.Producer = party.Key(producer)
			return w.agree(a, producer, "clara")
		}
		w.must(agree("mallory")) // the consumer has done all that it can, and goes on with others
		w.want(types.CodeQuota, agree("peter"))
		w.want(types.CodeQuota, w.placeTx(w.order("peter", types.Sell, 1), "peter"))
	})
}

// A key that only submits for others is a signer, and still no receiver on a members' ledger.
func TestStrangerReceivesNoMoreThanItSpent(t *testing.T) {
	t.Parallel()
	w := ofMembers(t)
	w.mint(1000, "clara", "clara")
	split := w.agreement()
	coins := []types.Outpoint{}
	for outpoint := range w.reader().Coins() {
		coins = append(coins, outpoint)
	}
	agree := w.agree(split, "peter", "clara").Body.Actions[0].(*types.Agree)
	agree.Submitter = party.Key("mallory") // whose signature is needed by that, so that it is no receiver unasked
	body := w.body(agree)
	body.Inputs, body.Outputs = coins[:1], []types.Output{party.Output("mallory", 10), party.Output("clara", 990)}
	w.want(types.CodeNotAdmitted, party.Sign(body, "clara", "mallory"))
	body.Outputs = []types.Output{party.Output("clara", 10), party.Output("clara", 990)}
	w.must(party.Sign(body, "clara", "mallory"))
}

// On a members' ledger nobody else makes a lasting entry or is sent money, and a key that has some can end them.
func TestOnlyMembersMakeEntries(t *testing.T) {
	t.Parallel()
	w := ofMembers(t)
	w.mint(1000, "peter", "clara")
	stranger := party.Key("mallory")
	offer, agreement := w.offer(), w.agreement()
	offer.Producer, agreement.Consumer = stranger, stranger
	own := w.offer()
	w.must(party.Sign(w.body(&types.Post{Offer: own}), "peter"))
	send := func(to string) *types.Tx {
		var input types.Outpoint
		for outpoint, output := range w.reader().Coins() {
			if output.Lock.Key == party.Key("clara") && output.Asset == euro.ID() {
				input = outpoint
			}
		}
		body := w.body()
		body.Inputs, body.Outputs = []types.Outpoint{input}, []types.Output{party.Output(to, 10), party.Output("clara", 990)}
		return party.Sign(body, "clara")
	}
	for name, tx := range map[string]*types.Tx{ // any order: each is refused
		"money to a stranger":    send("mallory"),
		"an asset of a stranger": w.issueTo(assetOf("mallory", "EUR"), "mallory", "mallory", 5),
		"an offer of a stranger": party.Sign(w.body(&types.Post{Offer: offer}), "mallory"),
		"a stranger's agreement": w.agree(agreement, "peter", "mallory"),
		"a stranger takes":       party.Sign(w.body(&types.Take{Offer: own.ID(), Consumer: stranger, Quantity: 500}), "mallory"),
		"a stranger accepts":     party.Sign(w.body(&types.Accept{Key: stranger, Asset: euro.ID()}), "mallory"),
		"an order of a stranger": w.placeTx(w.order("mallory", types.Bid, 1), "mallory"),
	} {
		if result := w.try(second, tx)[0]; result.Code != types.CodeNotAdmitted {
			t.Errorf("%s: %s", name, result.Detail)
		}
	}
	w.want(types.CodeUnaccepted, w.issueTo(assetOf("peter", "SUN"), "peter", "clara", 5))
	w.must(party.Sign(w.body(&types.Accept{Key: party.Key("clara"), Asset: new(assetOf("peter", "SUN")).ID()}), "clara"))
	w.must(w.issueTo(assetOf("peter", "SUN"), "peter", "clara", 5))
	w.must(send("peter"))
	w.must(party.Sign(w.body(&types.Redeem{Asset: euro.ID(), Amount: 7}, &types.Issue{Asset: euro, Amount: 7}), "issuer"))
}

// An output of a recognised asset below its smallest output opens no purse, and is no coin of its own where there is one.
func TestSmallestOutput(t *testing.T) {
	t.Parallel()
	w := ofMembers(t)
	w.want(types.CodeDust, w.issueTo(euro, "issuer", "clara", 4))
	w.must(w.issueTo(euro, "issuer", "clara", 5))
	w.want(types.CodeDust, w.issueTo(euro, "issuer", "clara", 4))
	for range 8 {
		w.must(w.issueTo(euro, "issuer", "clara", 5))
	}
	if coins, purses := w.list("clara"); coins != 8 || purses != 1 {
		t.Fatalf("%d coins and %d purses", coins, purses)
	}
	w.must(w.issueTo(euro, "issuer", "clara", 4))
	if got := w.reader().Purse(party.Key("clara"), euro.ID()).Amount; got != 9 {
		t.Errorf("%d is in the purse, want 5 and 4", got)
	}
}

// A draw takes any part of a purse. Money received meanwhile spoils nothing; a draw beyond the purse is refused; it is done once.
func TestDraw(t *testing.T) {
	t.Parallel()
	w := bounded(t)
	w.params.Entries.Coins = 1
	w.mint(100, "clara", "clara", "clara") // one coin, and 200 in the purse
	draw := func(amount, out types.Amount, by ...string) *types.Tx {
		body := w.body(&types.Draw{Key: party.Key("clara"), Asset: euro.ID(), Amount: amount})
		body.Outputs = []types.Output{party.Output("peter", out)}
		return party.Sign(body, by...)
	}
	w.want(types.CodeAmountZero, draw(0, 1, "clara"))
	w.want(types.CodePurse, draw(201, 201, "clara"))
	w.want(types.CodeUnbalanced, draw(10, 11, "clara"))
	w.want(types.CodeSignatureKeys, draw(10, 10, "peter"))
	pending := draw(200, 200, "clara")
	w.mint(50, "clara") // a stranger's gift comes first
	w.must(pending)
	if got := w.reader().Purse(party.Key("clara"), euro.ID()).Amount; got != 50 {
		t.Errorf("%d is left, want 50", got)
	}
	w.mint(150, "clara") // the purse holds as much as before
	w.want(types.CodeReplay, pending)
	w.must(draw(200, 200, "clara"))
	if _, purses := w.list("clara"); purses != 0 {
		t.Error("an empty purse is in the state")
	}
}

// An output that nothing covers can fill a purse until the balance is checked. The share that an action adds is refused then, no panic.
func TestUncoveredOutputInPurse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.delivered(func(a *types.Agreement) { a.Instalments = 4 })
	s.params.Entries.Coins = 1
	body := s.body(&types.Release{Trade: s.id, Instalment: 1, Preimage: s.preimage(1)})
	body.Inputs = s.purse[2:]
	body.Outputs = []types.Output{party.Output("peter", types.MaxAmount)}
	s.want(types.CodeOverflow, party.Sign(body, "mallory"))
}

// A transaction with a coin and a draw can't be done twice either: its coin is gone.
func TestDrawWithCoinOnce(t *testing.T) {
	t.Parallel()
	w := bounded(t)
	w.params.Entries.Coins = 1
	coin := w.mint(100, "clara", "clara")[0]
	body := w.body(&types.Draw{Key: party.Key("clara"), Asset: euro.ID(), Amount: 100})
	body.Inputs, body.Outputs = []types.Outpoint{coin}, []types.Output{party.Output("peter", 200)}
	tx := party.Sign(body, "clara")
	w.must(tx)
	w.mint(100, "clara", "clara")
	w.want(types.CodeInputMissing, tx)
}

func TestRecognition(t *testing.T) {
	t.Parallel()
	w := bounded(t)
	w.params.Operators = []types.PublicKey{party.Key("operator")}
	recognise := func(asset types.Asset, by string) *types.Tx {
		return party.Sign(w.body(&types.Recognise{Operator: party.Key(by), Asset: asset, Least: 2}), by)
	}
	unrecognise := func(asset types.Asset, by string) *types.Tx {
		return party.Sign(w.body(&types.Unrecognise{Operator: party.Key(by), Asset: asset.ID()}), by)
	}
	w.want(types.CodeOperator, recognise(euro, "mallory"))
	w.want(types.CodeAssetForm, recognise(assetOf("issuer", "eur"), "operator"))
	w.must(recognise(euro, "operator"), w.issueTo(assetOf("issuer", "A"), "issuer", "issuer", 1), w.issueTo(assetOf("issuer", "B"), "issuer", "issuer", 1))
	w.must(w.issueTo(euro, "issuer", "issuer", 1)) // it doesn't count among the two
	w.want(types.CodeOperator, unrecognise(euro, "mallory"))
	w.must(recognise(assetOf("issuer", "A"), "operator"))
	w.must(w.issueTo(assetOf("issuer", "C"), "issuer", "issuer", 1))
	w.must(unrecognise(euro, "operator"))
	w.want(types.CodeAssetUnknown, unrecognise(euro, "operator"))
	w.want(types.CodeQuota, w.issueTo(assetOf("issuer", "D"), "issuer", "issuer", 1))
	w.must(w.issueTo(euro, "issuer", "issuer", 1)) // more of what is out is no new asset
	none := assetOf("issuer", "NONE")
	w.must(recognise(none, "operator"))
	w.must(unrecognise(none, "operator"))
	if _, known := w.reader().Asset(none.ID()); known {
		t.Error("an asset that nothing keeps is in the state")
	}
}

// The supply of genesis is in its issuer's purse from the first block on, and pays the fee of entries.
func TestEntryFee(t *testing.T) {
	t.Parallel()
	w := bounded(t)
	w.params.Genesis = []types.GenesisAsset{{Asset: euro, Least: 1, Supply: 1000}}
	w.params.FeeAsset, w.params.MinFee, w.params.Entries.Fee = euro.ID(), 1, 10
	pay := func(fee types.Amount, outputs ...types.Output) *types.Tx {
		var sum types.Amount
		for _, output := range outputs {
			sum += output.Amount
		}
		body := w.body(&types.Draw{Key: party.Key("issuer"), Asset: euro.ID(), Amount: sum + fee})
		body.Outputs, body.Fee = outputs, fee
		return party.Sign(body, "issuer")
	}
	w.want(types.CodeFee, pay(20, party.Output("clara", 100), party.Output("peter", 100)))
	w.must(pay(21, party.Output("clara", 100), party.Output("peter", 100)))
	sums := w.audit()[euro.ID()]
	if sums.Fees != 21 || sums.Spendable != 979 {
		t.Errorf("%+v", sums)
	}
	body := w.body() // change is no entry more
	for outpoint, coin := range w.reader().Coins() {
		if coin.Lock.Key == party.Key("clara") {
			body.Inputs = append(body.Inputs, outpoint)
		}
	}
	body.Outputs, body.Fee = []types.Output{party.Output("clara", 99)}, 1
	w.must(party.Sign(body, "clara"))
}

func TestEntriesOfBody(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		inputs, outputs int
		actions         []types.Action
		want            uint64
	}{
		{1, 1, nil, 0},
		{1, 2, nil, 1},
		{3, 1, nil, 0},
		{0, 1, []types.Action{&types.Draw{}}, 1},
		{0, 0, []types.Action{&types.Agree{}}, 1},
		{1, 1, []types.Action{&types.Pay{}}, 2},
		{1, 1, []types.Action{&types.Take{}}, 3},
		{1, 1, []types.Action{&types.Deliver{}}, 2},
		{0, 0, []types.Action{&types.Post{}, &types.Place{}, &types.Accept{}, &types.Issue{}}, 6},
		{0, 0, []types.Action{&types.Release{}, &types.Settle{}, &types.Cancel{}, &types.Withdraw{}, &types.Decline{}}, 0},
	} {
		body := types.Body{Inputs: make([]types.Outpoint, c.inputs), Outputs: make([]types.Output, c.outputs), Actions: c.actions}
		if got := body.Entries(); got != c.want {
			t.Errorf("%+v: %d, want %d", c, got, c.want)
		}
	}
}

// An audit tells a count that is not that of the entries.
func TestAuditOfCounts(t *testing.T) {
	t.Parallel()
	w := ofMembers(t)
	w.mint(100, "clara")
	key := "x" + string(func() []byte { k := party.Key("clara"); return k[:] }())
	for _, wrong := range []*types.Usage{nil, {Coins: 2}, {Coins: 1, Offers: 1}, {Coins: 1, Trades: 1}} {
		spoilt := w.clone()
		change := ledger.Change{Key: key}
		if wrong != nil {
			change.New, change.After = types.Encode(wrong), wrong
		}
		spoilt.view.Apply([]ledger.Change{change})
		if _, _, err := ledger.Audit(spoilt.view); err == nil || !strings.Contains(err.Error(), "counted") {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
}
