package ledger_test

import (
	"testing"

	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// Each row is a transaction that would be accepted but for one thing, and the code that this one thing must get. The
// first row of each table is the transaction itself: it must be accepted.
type row struct {
	name string
	want types.Code
	make func(t *testing.T) (*world, *types.Tx)
}

func check(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			w, tx := r.make(t)
			untouched := w.clone()
			result := w.try(second, tx)[0]
			if result.Code != r.want {
				t.Fatalf("got %s (%s), want %s", result.Code, result.Detail, r.want)
			}
			if r.want == types.CodeOK {
				return
			}
			if untouched.try(second); untouched.sum != w.sum {
				t.Error("a refused transaction left a trace in the state")
			}
		})
	}
}

// transfer is clara paying mallory 300 of her 1,000 and keeping 700.
func transfer(edit func(w *world, body *types.Body, purse []types.Outpoint), signers ...string) func(t *testing.T) (*world, *types.Tx) {
	return func(t *testing.T) (*world, *types.Tx) {
		w := newWorld(t)
		purse := w.mint(1000, "clara", "mallory")
		body := w.body()
		body.Inputs = purse[:1]
		body.Outputs = []types.Output{party.Output("mallory", 300), party.Output("clara", 700)}
		if edit != nil {
			edit(w, &body, purse)
		}
		if signers == nil {
			signers = []string{"clara"}
		}
		return w, party.Sign(body, signers...)
	}
}

func TestTransactionRules(t *testing.T) {
	t.Parallel()
	edit := func(f func(w *world, b *types.Body, purse []types.Outpoint)) func(*testing.T) (*world, *types.Tx) {
		return transfer(f)
	}
	check(t, []row{
		{"valid", types.CodeOK, transfer(nil)},
		{"valid at its last moment", types.CodeOK, edit(func(w *world, b *types.Body, _ []types.Outpoint) { b.ValidUntil = w.time.Add(second) })},
		{"valid as far ahead as can be", types.CodeOK, edit(func(w *world, b *types.Body, _ []types.Outpoint) {
			b.ValidUntil = w.time.Add(second + w.params.MaxValidity)
		})},
		{"other chain", types.CodeChain, edit(func(_ *world, b *types.Body, _ []types.Outpoint) { b.ChainID = "other" })},
		{"expired", types.CodeExpired, edit(func(w *world, b *types.Body, _ []types.Outpoint) { b.ValidUntil = w.time.Add(second - 1) })},
		{"no valid-until", types.CodeExpired, edit(func(_ *world, b *types.Body, _ []types.Outpoint) { b.ValidUntil = 0 })},
		{"valid for too long", types.CodeValidity, edit(func(w *world, b *types.Body, _ []types.Outpoint) {
			b.ValidUntil = w.time.Add(second + w.params.MaxValidity + 1)
		})},
		{"nothing in it", types.CodeEmpty, edit(func(_ *world, b *types.Body, _ []types.Outpoint) { b.Inputs, b.Outputs = nil, nil })},
		{"memo too long", types.CodeText, edit(func(_ *world, b *types.Body, _ []types.Outpoint) { b.Memo = string(make([]byte, types.MaxMemo+1)) })},
		{"memo with an escape", types.CodeText, edit(func(_ *world, b *types.Body, _ []types.Outpoint) { b.Memo = "\x1b[2J" })},
		{"output of nothing", types.CodeAmountZero, edit(func(_ *world, b *types.Body, _ []types.Outpoint) {
			b.Outputs = append(b.Outputs, party.Output("clara", 0))
		})},
		{"same input twice", types.CodeInputRepeated, edit(func(_ *world, b *types.Body, purse []types.Outpoint) {
			b.Inputs = append(b.Inputs, purse[0])
			b.Outputs[0].Amount += 1000
		})},
		{"input that never was", types.CodeInputMissing, edit(func(_ *world, b *types.Body, _ []types.Outpoint) { b.Inputs[0].Index = 99 })},
		{"somebody else's input", types.CodeSignatureKeys, edit(func(_ *world, b *types.Body, purse []types.Outpoint) { b.Inputs = purse[1:] })},
		{"too much out", types.CodeUnbalanced, edit(func(_ *world, b *types.Body, _ []types.Outpoint) { b.Outputs[0].Amount++ })},
		{"too little out", types.CodeUnbalanced, edit(func(_ *world, b *types.Body, _ []types.Outpoint) { b.Outputs[0].Amount-- })},
		{"outputs that wrap around to the input", types.CodeOverflow, edit(func(_ *world, b *types.Body, _ []types.Outpoint) {
			b.Outputs = []types.Output{party.Output("clara", types.MaxAmount), party.Output("clara", 1001)}
		})},
		{"other asset out", types.CodeUnbalanced, edit(func(_ *world, b *types.Body, _ []types.Outpoint) { b.Outputs[0].Asset = types.AssetID{9} })},
		{"fee on a ledger without fees", types.CodeFee, edit(func(_ *world, b *types.Body, _ []types.Outpoint) {
			b.Fee = 1
			b.Outputs[0].Amount--
		})},
		{"one signature too many", types.CodeSignatureKeys, transfer(nil, "clara", "mallory")},
		{"signed by a stranger", types.CodeSignatureKeys, transfer(nil, "mallory")},
		{"signed twice", types.CodeSignatureKeys, transfer(nil, "clara", "clara")},
		{"not signed", types.CodeUnsignedForm, func(t *testing.T) (*world, *types.Tx) {
			w, tx := transfer(nil)(t)
			return w, types.NewTx(tx.Body)
		}},
		{"one bit of the signature wrong", types.CodeSignature, func(t *testing.T) (*world, *types.Tx) {
			w, tx := transfer(nil)(t)
			signature := tx.Signatures[0]
			signature.Bytes[5] ^= 1
			return w, types.NewTx(tx.Body, signature)
		}},
		{"two inputs, signatures in order of need", types.CodeOK, transfer(func(_ *world, b *types.Body, purse []types.Outpoint) {
			b.Inputs, b.Outputs[0].Amount = purse, 1300
		}, "clara", "mallory")},
		{"two inputs, signatures in the other order", types.CodeSignatureKeys, transfer(func(_ *world, b *types.Body, purse []types.Outpoint) {
			b.Inputs, b.Outputs[0].Amount = purse, 1300
		}, "mallory", "clara")},
	})
}

func TestReplay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	purse := w.mint(1000, "clara")
	offer := w.offer()
	post := party.Sign(w.body(&types.Post{Offer: offer}), "peter")
	w.must(post)
	w.must(party.Sign(w.body(&types.Cancel{Offer: offer.ID()}), "peter"))
	if got := w.try(second, post)[0].Code; got != types.CodeReplay {
		t.Errorf("a transaction without inputs, again: %s", got)
	}
	w.wait(w.params.MaxValidity)
	if got := w.try(second, post)[0].Code; got != types.CodeExpired {
		t.Errorf("again after its valid-until, when it is forgotten: %s", got)
	}
	body := w.body()
	body.Inputs, body.Outputs = purse, []types.Output{party.Output("clara", 1000)}
	spend := party.Sign(body, "clara")
	w.must(spend)
	if got := w.try(second, spend)[0].Code; got != types.CodeInputMissing {
		t.Errorf("a transaction with inputs, again: %s", got)
	}
}

func TestDoubleSpendInOneBlock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	purse := w.mint(1000, "clara")
	pay := func(to string) *types.Tx {
		body := w.body()
		body.Inputs, body.Outputs = purse, []types.Output{party.Output(to, 1000)}
		return party.Sign(body, "clara")
	}
	results := w.try(second, pay("peter"), pay("mallory"))
	if results[0].Code != types.CodeOK || results[1].Code != types.CodeInputMissing {
		t.Fatalf("got %s and %s", results[0].Code, results[1].Code)
	}
}

func TestIssueRules(t *testing.T) {
	t.Parallel()
	issue := func(asset types.Asset, amount types.Amount, by string) func(*testing.T) (*world, *types.Tx) {
		return func(t *testing.T) (*world, *types.Tx) {
			w := newWorld(t)
			w.mint(1000, "clara")
			body := w.body(&types.Issue{Asset: asset, Amount: amount})
			if amount > 0 {
				body.Outputs = []types.Output{{Asset: asset.ID(), Amount: amount, Lock: types.ToKey(party.Key("clara"))}}
			}
			return w, party.Sign(body, by)
		}
	}
	code := func(code string) types.Asset { return types.Asset{Issuer: party.Key("issuer"), Code: code} }
	check(t, []row{
		{"valid", types.CodeOK, issue(euro, 5, "issuer")},
		{"to the very last unit", types.CodeOK, issue(euro, types.MaxAmount-1000, "issuer")},
		{"one unit beyond", types.CodeSupply, issue(euro, types.MaxAmount-999, "issuer")},
		{"of nothing", types.CodeAmountZero, issue(euro, 0, "issuer")},
		{"by a stranger", types.CodeSignatureKeys, issue(euro, 5, "mallory")},
		{"no code", types.CodeAssetForm, issue(code(""), 5, "issuer")},
		{"small letters", types.CodeAssetForm, issue(code("eur"), 5, "issuer")},
		{"long code", types.CodeAssetForm, issue(code("ABCDEFGHIJKLM"), 5, "issuer")},
		{"many decimals", types.CodeAssetForm, issue(types.Asset{Issuer: party.Key("issuer"), Code: "X", Decimals: 19}, 5, "issuer")},
		{"a stranger's asset of the same code is another asset", types.CodeOK,
			issue(types.Asset{Issuer: party.Key("mallory"), Code: "EUR", Decimals: 2}, 5, "mallory")},
	})
}

func TestRedeemRules(t *testing.T) {
	t.Parallel()
	redeem := func(asset types.AssetID, amount types.Amount, signers ...string) func(*testing.T) (*world, *types.Tx) {
		return func(t *testing.T) (*world, *types.Tx) {
			w := newWorld(t)
			purse := w.mint(1000, "clara")
			body := w.body(&types.Redeem{Asset: asset, Amount: amount})
			body.Inputs = purse
			if amount < 1000 {
				body.Outputs = []types.Output{party.Output("clara", 1000-amount)}
			}
			return w, party.Sign(body, signers...)
		}
	}
	check(t, []row{
		{"valid", types.CodeOK, redeem(euro.ID(), 400, "clara", "issuer")},
		{"all", types.CodeOK, redeem(euro.ID(), 1000, "clara", "issuer")},
		{"without the issuer", types.CodeSignatureKeys, redeem(euro.ID(), 400, "clara")},
		{"of nothing", types.CodeAmountZero, redeem(euro.ID(), 0, "clara", "issuer")},
		{"of an unknown asset", types.CodeAssetUnknown, redeem(types.AssetID{5}, 400, "clara", "issuer")},
		{"more than is out", types.CodeSupply, redeem(euro.ID(), 1001, "clara", "issuer")},
	})
}

func TestFeeRules(t *testing.T) {
	t.Parallel()
	withFee := func(fee types.Amount) func(*testing.T) (*world, *types.Tx) {
		return func(t *testing.T) (*world, *types.Tx) {
			w := newWorld(t)
			purse := w.mint(1000, "clara")
			w.params.FeeAsset, w.params.MinFee = euro.ID(), 3
			body := w.body()
			body.Inputs, body.Outputs, body.Fee = purse, []types.Output{party.Output("clara", 1000-fee)}, fee
			return w, party.Sign(body, "clara")
		}
	}
	check(t, []row{
		{"valid", types.CodeOK, withFee(3)},
		{"more than asked", types.CodeOK, withFee(10)},
		{"too little", types.CodeFee, withFee(2)},
		{"none", types.CodeFee, withFee(0)},
	})
}

// Package types tests each fault of an agreement; these are the rules that need the state.
func TestAgreeRules(t *testing.T) {
	t.Parallel()
	agree := func(edit func(*world, *types.Agreement), producer, consumer string) func(*testing.T) (*world, *types.Tx) {
		return func(t *testing.T) (*world, *types.Tx) {
			w := newWorld(t)
			w.mint(1000, "clara")
			a := w.agreement()
			if edit != nil {
				edit(w, &a)
			}
			return w, w.agree(a, producer, consumer)
		}
	}
	check(t, []row{
		{"valid", types.CodeOK, agree(nil, "peter", "clara")},
		{"not yet issued asset", types.CodeAssetUnknown, agree(func(_ *world, a *types.Agreement) { a.Asset = types.AssetID{3} }, "peter", "clara")},
		{"pay-by is now", types.CodeOK, agree(func(w *world, a *types.Agreement) { a.Deadlines.PayBy = w.time.Add(second) }, "peter", "clara")},
		{"pay-by has passed", types.CodeTooLate, agree(func(w *world, a *types.Agreement) { a.Deadlines.PayBy = w.time.Add(second - 1) }, "peter", "clara")},
		{"beyond the horizon", types.CodeDeadlines, agree(func(w *world, a *types.Agreement) {
			a.Deadlines.ConfirmBy = w.time.Add(w.params.Horizon + second + 1)
		}, "peter", "clara")},
		{"unregistered meter", types.CodeMeterUnknown, agree(func(_ *world, a *types.Agreement) {
			metered(a)
		}, "peter", "clara")},
		{"malformed agreement", types.CodeTerms, agree(func(_ *world, a *types.Agreement) { a.Price = 0 }, "peter", "clara")},
		{"other chain", types.CodeChain, agree(func(_ *world, a *types.Agreement) { a.ChainID = "other" }, "peter", "clara")},
		{"again while it is open", types.CodeTradeExists, func(t *testing.T) (*world, *types.Tx) {
			s := newWorld(t).agreed()
			return s.world, s.agree(s.agreement, "peter", "clara")
		}},
		{"again when it is over, before pay-by", types.CodeTradeExists, func(t *testing.T) (*world, *types.Tx) {
			s := newWorld(t).paid()
			s.must(s.split(types.Split{Trade: s.id, ToConsumer: 110}, "peter", "clara"))
			if _, live := s.reader().Trade(s.id); live {
				t.Fatal("a trade that is over must leave the state")
			}
			return s.world, s.agree(s.agreement, "peter", "clara")
		}},
		{"again when it is over, after pay-by", types.CodeTooLate, func(t *testing.T) (*world, *types.Tx) {
			s := newWorld(t).paid()
			s.must(s.split(types.Split{Trade: s.id, ToConsumer: 110}, "peter", "clara"))
			s.wait(61 * second)
			return s.world, s.agree(s.agreement, "peter", "clara")
		}},
	})
}

func TestOfferRules(t *testing.T) {
	t.Parallel()
	post := func(edit func(*world, *types.Offer), by string) func(*testing.T) (*world, *types.Tx) {
		return func(t *testing.T) (*world, *types.Tx) {
			w := newWorld(t)
			w.mint(1000, "clara")
			offer := w.offer()
			if edit != nil {
				edit(w, &offer)
			}
			return w, party.Sign(w.body(&types.Post{Offer: offer}), by)
		}
	}
	standing := func(edit func(w *world, id types.OfferID) *types.Tx) func(*testing.T) (*world, *types.Tx) {
		return func(t *testing.T) (*world, *types.Tx) {
			w, tx := post(nil, "peter")(t)
			w.must(tx)
			return w, edit(w, tx.Body.Actions[0].(*types.Post).Offer.ID())
		}
	}
	check(t, []row{
		{"post", types.CodeOK, post(nil, "peter")},
		{"post by a stranger", types.CodeSignatureKeys, post(nil, "mallory")},
		{"post after pay-by", types.CodeTooLate, post(func(w *world, o *types.Offer) { o.Deadlines.PayBy = w.time }, "peter")},
		{"post for an unknown asset", types.CodeAssetUnknown, post(func(_ *world, o *types.Offer) { o.Asset = types.AssetID{1} }, "peter")},
		{"post with an unregistered meter", types.CodeMeterUnknown, post(func(_ *world, o *types.Offer) {
			a := types.Agreement{Goods: o.Goods}
			metered(&a)
			o.Goods, o.Deadlines.ReadingBy, o.Deadlines.ConfirmBy = a.Goods, a.Deadlines.ReadingBy, a.Deadlines.ConfirmBy
		}, "peter")},
		{"post malformed", types.CodeOfferQuantity, post(func(_ *world, o *types.Offer) { o.MinFill = 0 }, "peter")},
		{"post again while it stands", types.CodeOfferExists, func(t *testing.T) (*world, *types.Tx) {
			w, tx := post(nil, "peter")(t)
			w.must(tx)
			return w, party.Sign(w.body(&types.Post{Offer: tx.Body.Actions[0].(*types.Post).Offer}), "peter")
		}},
		{"cancel", types.CodeOK, standing(func(w *world, id types.OfferID) *types.Tx {
			return party.Sign(w.body(&types.Cancel{Offer: id}), "peter")
		})},
		{"cancel by a stranger", types.CodeSignatureKeys, standing(func(w *world, id types.OfferID) *types.Tx {
			return party.Sign(w.body(&types.Cancel{Offer: id}), "mallory")
		})},
		{"cancel what does not stand", types.CodeOfferUnknown, standing(func(w *world, _ types.OfferID) *types.Tx {
			return party.Sign(w.body(&types.Cancel{Offer: types.OfferID{4}}), "peter")
		})},
	})
}

// take is clara taking 500 of peter's offer of 1,000 at 0.1: price 50, deposit 5.
func take(edit func(w *world, take *types.Take, body *types.Body), by string) func(*testing.T) (*world, *types.Tx) {
	return func(t *testing.T) (*world, *types.Tx) {
		w := newWorld(t)
		purse := w.mint(1000, "clara", "peter")
		offer := w.offer()
		w.must(party.Sign(w.body(&types.Post{Offer: offer}), "peter"))
		action := &types.Take{Offer: offer.ID(), Consumer: party.Key("clara"), Quantity: 500, Nonce: 1, Digest: party.Secret("clara").Digest(1)}
		body := w.body(action)
		body.Inputs, body.Outputs = purse[:1], []types.Output{party.Output("clara", 945)}
		if edit != nil {
			edit(w, action, &body)
		}
		return w, party.Sign(body, by)
	}
}

func TestTakeRules(t *testing.T) {
	t.Parallel()
	quantity := func(quantity uint64, change types.Amount) func(*testing.T) (*world, *types.Tx) {
		return take(func(_ *world, a *types.Take, b *types.Body) { a.Quantity, b.Outputs[0].Amount = quantity, change }, "clara")
	}
	check(t, []row{
		{"valid", types.CodeOK, take(nil, "clara")},
		{"all of it", types.CodeOK, quantity(1000, 890)},
		{"smallest fill", types.CodeOK, quantity(100, 989)},
		{"price and deposit are rounded up", types.CodeOK, quantity(101, 1000-11-2)},
		{"rounded down they don't balance", types.CodeUnbalanced, quantity(101, 1000-10-1)},
		{"less than the smallest fill", types.CodeOfferQuantity, quantity(99, 990)},
		{"more than there is", types.CodeOfferQuantity, quantity(1001, 880)},
		{"unpaid", types.CodeUnbalanced, take(func(_ *world, _ *types.Take, b *types.Body) { b.Outputs[0].Amount = 1000 }, "clara")},
		{"unknown offer", types.CodeOfferUnknown, take(func(_ *world, a *types.Take, _ *types.Body) { a.Offer[0]++ }, "clara")},
		{"on somebody else's account", types.CodeSignatureKeys, take(func(_ *world, a *types.Take, _ *types.Body) { a.Consumer = party.Key("mallory") }, "clara")},
		{"by the producer itself", types.CodeParties, take(func(_ *world, a *types.Take, _ *types.Body) { a.Consumer = party.Key("peter") }, "clara")},
		{"same nonce again", types.CodeTradeExists, func(t *testing.T) (*world, *types.Tx) {
			w, first := take(nil, "clara")(t)
			w.must(first)
			body := w.body(first.Body.Actions...)
			body.Inputs, body.Outputs = outpoints(first, 1), []types.Output{party.Output("clara", 890)}
			return w, party.Sign(body, "clara")
		}},
		{"of an offer that has run out", types.CodeOfferUnknown, func(t *testing.T) (*world, *types.Tx) {
			w, tx := take(nil, "clara")(t)
			w.wait(61 * second)
			return w, tx
		}},
		{"what is left may be less than the smallest fill", types.CodeOK, func(t *testing.T) (*world, *types.Tx) {
			w, first := take(func(_ *world, a *types.Take, b *types.Body) { a.Quantity, b.Outputs[0].Amount = 950, 1000-95-10 }, "clara")(t)
			w.must(first)
			rest := *first.Body.Actions[0].(*types.Take)
			rest.Quantity = 50
			body := w.body(&rest)
			body.Inputs, body.Outputs = outpoints(first, 1), []types.Output{party.Output("clara", 895-5-1)}
			return w, party.Sign(body, "clara")
		}},
	})
}

func TestPayRules(t *testing.T) {
	t.Parallel()
	pay := func(after types.Duration, edit func(s *stage, b *types.Body), by string) func(*testing.T) (*world, *types.Tx) {
		return func(t *testing.T) (*world, *types.Tx) {
			s := newWorld(t).agreed()
			s.wait(after)
			body := s.payTx().Body
			if edit != nil {
				edit(s, &body)
			}
			return s.world, party.Sign(body, by)
		}
	}
	check(t, []row{
		{"valid", types.CodeOK, pay(0, nil, "clara")},
		{"at pay-by", types.CodeOK, pay(58*second, nil, "clara")}, // agreed and tried a second later each
		{"after pay-by", types.CodeTradeUnknown, pay(59*second, nil, "clara")},
		{"unknown trade", types.CodeTradeUnknown, pay(0, func(_ *stage, b *types.Body) { b.Actions = []types.Action{&types.Pay{}} }, "clara")},
		{"by a stranger's money and key", types.CodeSignatureKeys, pay(0, func(s *stage, b *types.Body) {
			b.Inputs, b.Outputs[0] = s.purse[2:], party.Output("mallory", 890)
		}, "mallory")},
		{"too little", types.CodeUnbalanced, pay(0, func(_ *stage, b *types.Body) { b.Outputs[0].Amount++ }, "clara")},
		{"twice", types.CodePhase, func(t *testing.T) (*world, *types.Tx) {
			s := newWorld(t).paid()
			body := s.body(&types.Pay{Trade: s.id})
			body.Inputs, body.Outputs = []types.Outpoint{s.clara}, []types.Output{party.Output("clara", 780)}
			return s.world, party.Sign(body, "clara")
		}},
	})
}

func TestDeliverRules(t *testing.T) {
	t.Parallel()
	deliver := func(after types.Duration, edit func(s *stage, b *types.Body), by string) func(*testing.T) (*world, *types.Tx) {
		return func(t *testing.T) (*world, *types.Tx) {
			s := newWorld(t).paid()
			s.wait(after)
			body := s.deliverTx().Body
			if edit != nil {
				edit(s, &body)
			}
			return s.world, party.Sign(body, by)
		}
	}
	check(t, []row{
		{"valid", types.CodeOK, deliver(0, nil, "peter")},
		{"at deliver-by", types.CodeOK, deliver(117*second, nil, "peter")},
		{"after deliver-by", types.CodeTooLate, deliver(118*second, nil, "peter")},
		{"without the bond", types.CodeUnbalanced, deliver(0, func(_ *stage, b *types.Body) { b.Outputs[0].Amount = 1000 }, "peter")},
		{"by a stranger", types.CodeSignatureKeys, deliver(0, func(s *stage, b *types.Body) {
			b.Inputs, b.Outputs = s.purse[2:], []types.Output{party.Output("mallory", 995)}
		}, "mallory")},
		{"by the consumer", types.CodeSignatureKeys, deliver(0, func(s *stage, b *types.Body) {
			b.Inputs, b.Outputs = []types.Outpoint{s.clara}, []types.Output{party.Output("clara", 885)}
		}, "clara")},
		{"before it is paid", types.CodePhase, func(t *testing.T) (*world, *types.Tx) {
			s := newWorld(t).agreed()
			return s.world, s.deliverTx()
		}},
		{"twice", types.CodePhase, func(t *testing.T) (*world, *types.Tx) {
			s := newWorld(t).delivered()
			return s.world, party.Sign(s.body(&types.Deliver{Trade: s.id}), "peter")
		}},
		{"unknown trade", types.CodeTradeUnknown, deliver(0, func(_ *stage, b *types.Body) { b.Actions = []types.Action{&types.Deliver{}} }, "peter")},
		{"a trade without a bond needs no money", types.CodeOK, func(t *testing.T) (*world, *types.Tx) {
			s := newWorld(t).paid(func(a *types.Agreement) { a.Bond = 0 })
			return s.world, s.deliverTx()
		}},
	})
}

func TestReleaseRules(t *testing.T) {
	t.Parallel()
	instalments := func(n uint16) func(*types.Agreement) { return func(a *types.Agreement) { a.Instalments = n } }
	release := func(n uint16, after types.Duration, tx func(s *stage) *types.Tx) func(*testing.T) (*world, *types.Tx) {
		return func(t *testing.T) (*world, *types.Tx) {
			s := newWorld(t).delivered(instalments(n))
			s.wait(after)
			return s.world, tx(s)
		}
	}
	show := func(edit func(r *types.Release)) func(s *stage) *types.Tx {
		return func(s *stage) *types.Tx {
			r := types.Release{Trade: s.id, Instalment: s.agreement.Instalments, Preimage: s.preimage(s.agreement.Instalments)}
			edit(&r)
			return types.NewRelease(s.params.ChainID, r)
		}
	}
	extra := func(edit func(b *types.Body)) func(s *stage) *types.Tx {
		return func(s *stage) *types.Tx {
			body := s.releaseTx(s.agreement.Instalments).Body
			edit(&body)
			return types.NewTx(body)
		}
	}
	check(t, []row{
		{"valid", types.CodeOK, release(1, 0, func(s *stage) *types.Tx { return s.releaseTx(1) })},
		{"long after confirm-by, under hold", types.CodeOK, release(1, 500*second, func(s *stage) *types.Tx { return s.releaseTx(1) })},
		{"wrong secret", types.CodeSecret, release(1, 0, show(func(r *types.Release) { r.Preimage[31] ^= 1 }))},
		{"no secret", types.CodeSecret, release(1, 0, show(func(r *types.Release) { r.Preimage = types.Secret{} }))},
		{"instalment 0", types.CodeInstalment, release(1, 0, show(func(r *types.Release) { r.Instalment = 0 }))},
		{"an instalment too far", types.CodeInstalment, release(1, 0, show(func(r *types.Release) { r.Instalment = 2 }))},
		{"third of five", types.CodeOK, release(5, 0, func(s *stage) *types.Tx { return s.releaseTx(3) })},
		{"all of 1,024 are not possible for a price of 100, the last of 100 is", types.CodeOK, release(100, 0, func(s *stage) *types.Tx { return s.releaseTx(100) })},
		{"the secret of another instalment", types.CodeSecret, release(5, 0, func(s *stage) *types.Tx {
			return types.NewRelease(s.params.ChainID, types.Release{Trade: s.id, Instalment: 4, Preimage: s.preimage(3)})
		})},
		{"an instalment again", types.CodeInstalment, release(5, 0, func(s *stage) *types.Tx {
			s.must(s.releaseTx(3))
			return s.releaseTx(3)
		})},
		{"an earlier instalment", types.CodeInstalment, release(5, 0, func(s *stage) *types.Tx {
			s.must(s.releaseTx(3))
			return s.releaseTx(2)
		})},
		{"a later one", types.CodeOK, release(5, 0, func(s *stage) *types.Tx {
			s.must(s.releaseTx(3))
			return s.releaseTx(4)
		})},
		{"before the delivery", types.CodePhase, func(t *testing.T) (*world, *types.Tx) {
			s := newWorld(t).paid()
			return s.world, s.releaseTx(1)
		}},
		{"twice", types.CodePhase, func(t *testing.T) (*world, *types.Tx) {
			s := newWorld(t).released()
			return s.world, s.releaseTx(1)
		}},
		{"unsigned with a memo", types.CodeUnsignedForm, release(1, 0, extra(func(b *types.Body) { b.Memo = "x" }))},
		{"unsigned with a valid-until", types.CodeUnsignedForm, release(1, 0, extra(func(b *types.Body) { b.ValidUntil = start }))},
		{"unsigned with a fee", types.CodeUnsignedForm, release(1, 0, extra(func(b *types.Body) { b.Fee = 1 }))},
		{"unsigned with a second action", types.CodeUnsignedForm, release(1, 0, extra(func(b *types.Body) { b.Actions = append(b.Actions, b.Actions[0]) }))},
		{"unsigned with an input", types.CodeUnsignedForm, release(1, 0, extra(func(b *types.Body) { b.Inputs = []types.Outpoint{{}} }))},
		{"unsigned with another action", types.CodeUnsignedForm, release(1, 0, extra(func(b *types.Body) { b.Actions = []types.Action{&types.Deliver{}} }))},
		{"signed for no reason", types.CodeSignatureKeys, release(1, 0, func(s *stage) *types.Tx { return party.Sign(s.releaseTx(1).Body, "clara") })},
		{"within a signed transaction of something else", types.CodeOK, release(1, 0, func(s *stage) *types.Tx {
			body := s.body(s.releaseTx(1).Body.Actions...)
			body.Inputs, body.Outputs = []types.Outpoint{s.clara}, []types.Output{party.Output("clara", 890)}
			return party.Sign(body, "clara")
		})},
	})
}

func TestSplitRules(t *testing.T) {
	t.Parallel()
	split := func(stage func(w *world, edit ...func(*types.Agreement)) *stage, after types.Duration, producer, consumer types.Amount) func(*testing.T) (*world, *types.Tx) {
		return func(t *testing.T) (*world, *types.Tx) {
			s := stage(newWorld(t))
			s.wait(after)
			return s.world, s.split(types.Split{Trade: s.id, ToProducer: producer, ToConsumer: consumer}, "peter", "clara")
		}
	}
	check(t, []row{
		{"paid", types.CodeOK, split((*world).paid, 0, 60, 50)},
		{"paid, at deliver-by", types.CodeOK, split((*world).paid, 117*second, 0, 110)},
		{"paid, after deliver-by", types.CodePhase, split((*world).paid, 118*second, 60, 50)},
		{"delivered", types.CodeOK, split((*world).delivered, 0, 115, 0)},
		{"delivered, long after", types.CodeOK, split((*world).delivered, 900*second, 65, 50)},
		{"agreed", types.CodePhase, split((*world).agreed, 0, 0, 0)},
		{"released", types.CodePhase, split((*world).released, 0, 65, 50)},
		{"one unit too many", types.CodeSplit, split((*world).paid, 0, 60, 51)},
		{"one unit too few", types.CodeSplit, split((*world).paid, 0, 60, 49)},
		{"shares that wrap around", types.CodeSplit, split((*world).paid, 0, types.MaxAmount, 111)},
	})
}

// The right to spend each part over time: the whole of E4 and of the refund.
func TestSpendingRules(t *testing.T) {
	t.Parallel()
	spend := func(stage func(w *world, edit ...func(*types.Agreement)) *stage, after types.Duration, part types.Part, by string) func(*testing.T) (*world, *types.Tx) {
		return func(t *testing.T) (*world, *types.Tx) {
			s := stage(newWorld(t))
			s.wait(after)
			return s.world, s.spendTx(part, by, by)
		}
	}
	const forever = 900 * second
	check(t, []row{
		{"payment, paid: nobody", types.CodeInputLocked, spend((*world).paid, 0, types.PartPayment, "clara")},
		{"payment, at deliver-by: nobody", types.CodeInputLocked, spend((*world).paid, 117*second, types.PartPayment, "clara")},
		{"payment, after deliver-by: the consumer", types.CodeOK, spend((*world).paid, 118*second, types.PartPayment, "clara")},
		{"deposit, after deliver-by: the consumer", types.CodeOK, spend((*world).paid, 118*second, types.PartDeposit, "clara")},
		{"payment, after deliver-by: not the producer", types.CodeSignatureKeys, spend((*world).paid, 118*second, types.PartPayment, "peter")},
		{"payment, delivered: not the producer", types.CodeInputLocked, spend((*world).delivered, forever, types.PartPayment, "peter")},
		{"payment, delivered: not the consumer", types.CodeInputLocked, spend((*world).delivered, forever, types.PartPayment, "clara")},
		{"return, delivered: not the consumer", types.CodeInputLocked, spend((*world).delivered, forever, types.PartReturn, "clara")},
		{"return, delivered: not the producer", types.CodeInputLocked, spend((*world).delivered, forever, types.PartReturn, "peter")},
		{"bond, delivered: not the producer", types.CodeInputLocked, spend((*world).delivered, forever, types.PartBond, "peter")},
		{"payment, released: the producer", types.CodeOK, spend((*world).released, forever, types.PartPayment, "peter")},
		{"bond, released: the producer", types.CodeOK, spend((*world).released, 0, types.PartBond, "peter")},
		{"return, released: the consumer", types.CodeOK, spend((*world).released, forever, types.PartReturn, "clara")},
		{"payment, released: not the consumer", types.CodeSignatureKeys, spend((*world).released, 0, types.PartPayment, "clara")},
		{"return, released: not the producer", types.CodeSignatureKeys, spend((*world).released, 0, types.PartReturn, "peter")},
		{"payment, released: not a stranger", types.CodeSignatureKeys, spend((*world).released, 0, types.PartPayment, "mallory")},
		{"release and spend in one transaction: the inputs come first", types.CodeInputLocked, func(t *testing.T) (*world, *types.Tx) {
			s := newWorld(t).delivered()
			body := s.spendTx(types.PartReturn, "clara", "clara").Body
			body.Actions = s.releaseTx(1).Body.Actions
			return s.world, party.Sign(body, "clara")
		}},
	})
}
