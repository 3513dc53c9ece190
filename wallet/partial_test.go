package wallet_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"lockstep/types"
	"lockstep/wallet"
)

func (w *world) half(t testing.TB, a *wallet.Account, step func(*wallet.Draft) error) *wallet.Partial {
	t.Helper()
	draft := w.draft(a)
	must(t, step(draft))
	partial, err := draft.SignPart()
	must(t, err)
	return partial
}

func agree(agreement types.Agreement) func(*wallet.Draft) error {
	return func(d *wallet.Draft) error {
		_, err := d.Agree(agreement)
		return err
	}
}

func TestExplanations(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	agreement := w.agreement(paul, clara, 5)
	partial := w.half(t, paul, func(d *wallet.Draft) error {
		must(t, d.Send(clara.Key(), w.euro.ID(), 25))
		must(t, d.Memo("as we said"))
		return agree(agreement)(d)
	})
	explained, err := clara.Explain(w.context(clara), partial)
	must(t, err)
	for _, want := range []string{
		"You agree to buy 1000 Wh", "for 5.00 EUR from " + paul.Key().String(), "deposit of 0.50 EUR", "bond of 1.00 EUR",
		"At worst it costs you 5.50 EUR if the goods don't come", "You receive 0.25 EUR.", `memo "as we said"`, "everything stays locked",
	} {
		if !strings.Contains(explained.String(), want) {
			t.Errorf("%q is missing in: %s", want, explained)
		}
	}
	paid := w.half(t, clara, func(d *wallet.Draft) error {
		_, err := d.AgreeAndPay(agreement)
		return err
	})
	explained, err = paul.Explain(w.context(paul), paid)
	must(t, err)
	clara.Forget(paid.Tx.ID())
	for _, want := range []string{"You agree to sell 1000 Wh", "one instalment of 5 of the goods", "The other party locks 5.00 EUR"} {
		if !strings.Contains(explained.String(), want) {
			t.Errorf("%q is missing in: %s", want, explained)
		}
	}

	id := w.take(paul, clara, 400, 1)
	split := w.half(t, clara, func(d *wallet.Draft) error { return d.Split(id, w.trade(id), 20, 200) })
	explained, err = paul.Explain(w.context(paul), split, w.trade(id))
	must(t, err)
	if effect := explained.Effects[0]; effect.Yours != 20 || effect.Theirs != 200 || effect.Consumer {
		t.Errorf("got %+v", effect)
	}
	if want := "of the 2.20 EUR locked in it you get 0.20 EUR and the other party gets 2.00 EUR"; !strings.Contains(explained.String(), want) {
		t.Errorf("%q is missing in: %s", want, explained)
	}
	_, err = paul.Explain(w.context(paul), split)
	wantReason(t, err, wallet.ReasonPartial) // the trade was not looked up
}

// What another party made is signed only when it is known what it does, and it spends nothing of ours.
func TestWhatIsNotSignedForOthers(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	agreement := w.agreement(paul, clara, 1)
	agreement.Nonce = 1
	body := types.Body{ChainID: "test", ValidUntil: w.time.Add(minute), Actions: []types.Action{&types.Agree{Agreement: agreement}}}
	both := []types.PublicKey{paul.Key(), clara.Key()}
	theirs := w.context(clara).Coins[0].Outpoint
	for _, c := range []struct {
		name   string
		change func(*types.Body, *wallet.Partial)
		reason wallet.Reason
		code   types.Code
	}{
		{name: "fine", change: func(*types.Body, *wallet.Partial) {}},
		{name: "spends a coin of ours", reason: wallet.ReasonPartial,
			change: func(b *types.Body, _ *wallet.Partial) { b.Inputs = []types.Outpoint{theirs} }},
		{name: "another chain", code: types.CodeChain, change: func(b *types.Body, _ *wallet.Partial) { b.ChainID = "other" }},
		{name: "expired", code: types.CodeExpired, change: func(b *types.Body, _ *wallet.Partial) { b.ValidUntil = w.time - 1 }},
		{name: "a memo that can't be shown", code: types.CodeText, change: func(b *types.Body, _ *wallet.Partial) { b.Memo = "\x1b[2J" }},
		{name: "nothing for us to sign", reason: wallet.ReasonPartial, change: func(b *types.Body, _ *wallet.Partial) { b.Actions = nil }},
		{name: "not asked", reason: wallet.ReasonPartial, change: func(_ *types.Body, p *wallet.Partial) { p.Needs = p.Needs[:1] }},
		{name: "the other not asked", reason: wallet.ReasonPartial, change: func(_ *types.Body, p *wallet.Partial) { p.Needs = p.Needs[1:] }},
		{name: "asked twice", reason: wallet.ReasonPartial, change: func(_ *types.Body, p *wallet.Partial) { p.Needs = append(p.Needs, clara.Key()) }},
		{name: "issues in our name", reason: wallet.ReasonPartial, change: func(b *types.Body, _ *wallet.Partial) {
			b.Actions = append(b.Actions, &types.Issue{Asset: types.Asset{Issuer: clara.Key(), Code: "X"}, Amount: 1})
		}},
		{name: "cancels an offer", reason: wallet.ReasonPartial, change: func(b *types.Body, _ *wallet.Partial) {
			b.Actions = append(b.Actions, &types.Cancel{})
		}},
		{name: "pays in our name with its own digest", reason: wallet.ReasonPartial, change: func(b *types.Body, _ *wallet.Partial) {
			b.Actions = append(b.Actions, &types.Pay{Trade: agreement.ID()})
		}},
		{name: "an agreement of others", reason: wallet.ReasonNotOurs, change: func(b *types.Body, _ *wallet.Partial) {
			foreign := agreement
			foreign.Consumer = w.bank.Key()
			b.Actions = []types.Action{&types.Agree{Agreement: foreign}}
		}},
		{name: "outside the limits", reason: wallet.ReasonLimit, change: func(b *types.Body, _ *wallet.Partial) {
			bare := agreement
			bare.Bond = 0
			b.Actions = []types.Action{&types.Agree{Agreement: bare}}
		}},
		{name: "a bad agreement", code: types.CodeTerms, change: func(b *types.Body, _ *wallet.Partial) {
			bad := agreement
			bad.Deposit = 0
			b.Actions = []types.Action{&types.Agree{Agreement: bad}}
		}},
		{name: "a missing action", reason: wallet.ReasonPartial, change: func(b *types.Body, _ *wallet.Partial) {
			b.Actions = []types.Action{nil}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			changed, partial := body, &wallet.Partial{Needs: slices.Clone(both)}
			changed.Actions = slices.Clone(body.Actions)
			c.change(&changed, partial)
			partial.Tx = types.NewTx(changed)
			_, err := clara.SignPartial(w.context(clara), partial)
			switch {
			case c.reason != "":
				wantReason(t, err, c.reason)
			default:
				wantCode(t, err, c.code)
			}
		})
	}
}

func TestASignatureIsGivenOnce(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	partial := w.half(t, paul, agree(w.agreement(paul, clara, 1)))
	_, err := paul.SignPartial(w.context(paul), partial)
	wantReason(t, err, wallet.ReasonPartial)
	_, err = w.bank.SignPartial(w.context(w.bank), partial)
	wantReason(t, err, wallet.ReasonPartial)
	if missing := partial.Missing(); len(missing) != 1 || missing[0] != clara.Key() {
		t.Errorf("missing are %v", missing)
	}
}

// A coin of a transaction on its way is ours although the node lists it no longer.
func TestAReservedCoinIsNotSignedAway(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	draft := w.draft(clara)
	must(t, draft.Send(paul.Key(), w.euro.ID(), 1))
	tx, err := draft.Sign()
	must(t, err)
	body := types.Body{
		ChainID: "test", ValidUntil: w.time.Add(minute), Inputs: tx.Body.Inputs,
		Actions: []types.Action{&types.Agree{Agreement: w.agreement(paul, clara, 1)}},
	}
	ctx := w.context(clara)
	ctx.Coins = nil
	_, err = clara.SignPartial(ctx, &wallet.Partial{Tx: types.NewTx(body), Needs: []types.PublicKey{clara.Key(), paul.Key()}})
	wantReason(t, err, wallet.ReasonPartial)
}

func TestPartialFile(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	half := w.half(t, paul, agree(w.agreement(paul, clara, 1)))
	forged := half.Tx.Signatures[0]
	forged.Bytes[0] ^= 1
	_, err := wallet.ParsePartial((&wallet.Partial{Tx: types.NewTx(half.Tx.Body, forged), Needs: half.Needs}).Encode())
	wantCode(t, err, types.CodeSignature)

	file := half.Encode()
	var fields map[string]any
	must(t, json.Unmarshal(file, &fields))
	change := func(key string, value any) []byte {
		changed := map[string]any{"lockstep": fields["lockstep"], "tx": fields["tx"], "needs": fields["needs"]}
		changed[key] = value
		// in the order of the form, so that only the change is what is wrong
		var out bytes.Buffer
		out.WriteString("{")
		for i, key := range []string{"lockstep", "tx", "needs"} {
			text, err := json.Marshal(changed[key])
			must(t, err)
			out.WriteString(strings.Repeat(",", min(i, 1)) + `"` + key + `":` + string(text))
		}
		out.WriteString("}")
		return out.Bytes()
	}
	if _, err := wallet.ParsePartial(change("lockstep", "partial transaction")); err != nil {
		t.Fatalf("the file without white space: %v", err)
	}
	needs := fields["needs"].([]any)
	for name, bad := range map[string][]byte{
		"empty":               nil,
		"no JSON":             []byte("hello"),
		"null":                []byte("null"),
		"another mark":        change("lockstep", "transaction"),
		"no transaction":      change("tx", ""),
		"not base64":          change("tx", "!"),
		"not a transaction":   change("tx", "AAAA"),
		"no needs":            change("needs", []any{}),
		"null needs":          change("needs", nil),
		"a need twice":        change("needs", append(slices.Clone(needs), needs[0])),
		"signer not needed":   change("needs", needs[1:]),
		"a bad key":           change("needs", []any{"lk1x"}),
		"an unknown field":    bytes.Replace(file, []byte(`"lockstep"`), []byte(`"extra": 1, "lockstep"`), 1),
		"a field twice":       bytes.Replace(file, []byte(`"lockstep"`), []byte(`"lockstep": "x", "lockstep"`), 1),
		"a field in capitals": bytes.Replace(file, []byte(`"tx"`), []byte(`"TX"`), 1),
		"trailing bytes":      append(bytes.Clone(file), '1'),
		"too large":           append(bytes.Clone(file), bytes.Repeat([]byte(" "), wallet.MaxPartialBytes)...),
	} {
		if _, err := wallet.ParsePartial(bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzParsePartial(f *testing.F) {
	w, paul, clara := newParties(f)
	agreed := w.half(f, paul, agree(w.agreement(paul, clara, 1)))
	f.Add(agreed.Encode())
	signed, err := clara.SignPartial(w.context(clara), agreed)
	must(f, err)
	f.Add(signed.Encode())
	f.Add([]byte(`{"lockstep":"partial transaction","tx":"","needs":[]}`))
	ctx := w.context(clara)
	f.Fuzz(func(t *testing.T, file []byte) {
		partial, err := wallet.ParsePartial(file)
		if err != nil {
			return
		}
		again, err := wallet.ParsePartial(partial.Encode())
		if err != nil || again.Tx.Hash() != partial.Tx.Hash() {
			t.Fatalf("what was read is written differently: %v", err)
		}
		if explained, err := clara.Explain(ctx, partial); err == nil && len(explained.Lines) == 0 {
			t.Fatal("signing it would do something that is not explained")
		}
	})
}
