package wallet_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"lockstep/trade/words"
	"lockstep/types"
	"lockstep/wallet"
)

func (w *world) propose(agreement types.Agreement, by *wallet.Account) *wallet.Proposal {
	w.t.Helper()
	proposal, err := by.Propose(w.context(by), agreement)
	must(w.t, err)
	return proposal
}

func wantText(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in:\n%s", part, text)
		}
	}
}

// Before it signs, a user sees all that the signature is for.
func TestExplanations(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	agreement := w.agreement(paul, clara, 5)
	agreement.Goods.Zone, agreement.Goods.Note = "feeder 7", "from the roof"
	proposal := w.signed(w.propose(agreement, paul), paul)
	explained, err := clara.Explain(w.context(clara), proposal, nil)
	must(t, err)
	id, deadlines := proposal.Trade(), agreement.Deadlines
	wantText(t, explained.String(),
		"you agree to buy", `1000 Wh of "energy"`, agreement.Goods.From.String(), agreement.Goods.Until.String(), `"feeder 7"`, `"from the roof"`,
		"no meter counts", "price       5.00 EUR", "0.50 EUR, of the consumer", "1.00 EUR, of the producer", "issued by   "+w.bank.Key().String(),
		"producer    "+paul.Key().String()+"\n", "consumer    "+clara.Key().String()+" (you)", id.String(), `"test"`, "paid in     5 instalment(s)",
		deadlines.PayBy.String(), deadlines.DeliverBy.String(), deadlines.ReadingBy.String(), deadlines.ConfirmBy.String(),
		"hold: without a release everything stays locked", "Paying will lock the payment of 5.00 EUR and the deposit of 0.50 EUR", "At worst you can lose 5.50 EUR, if the goods don't come",
		"signed by   "+paul.Key().String(), "open until  "+proposal.ValidUntil().String()+", 10m from now",
	)
	for line := range strings.Lines(explained.String()) {
		if _, value, row := strings.Cut(line, "  "); row && !strings.Contains(value, ": ") && len(strings.TrimSpace(line)) > 80 {
			t.Errorf("wider than a page: %s", line)
		}
	}
	if !explained.Consumer || explained.Split || explained.Signed || explained.Worst.Money != 550 {
		t.Errorf("got %+v", explained)
	}
	explained, err = paul.Explain(w.context(paul), proposal, nil)
	must(t, err)
	wantText(t, explained.String(), "you agree to sell", "Delivering will lock your bond of 1.00 EUR", "At worst you can lose 1.00 EUR and one of 5 instalments of the goods",
		"signed by   you")
	if !explained.Signed {
		t.Error("not known as signed")
	}
	metered := agreement
	metered.Goods.Flow = types.Flow{Point: types.PointID{7}, Direction: types.DirectionExport}
	metered.Goods.From, metered.Goods.Until = 1_780_000_200_000, 1_780_001_100_000
	metered.Deadlines = types.Deadlines{PayBy: start.Add(minute), DeliverBy: start.Add(2 * minute), ReadingBy: metered.Goods.Until.Add(minute), ConfirmBy: metered.Goods.Until.Add(2 * minute)}
	metered.Fallback = &types.Meter{}
	explained, err = clara.Explain(w.context(clara), w.propose(metered, clara), nil)
	must(t, err)
	wantText(t, explained.String(), "export of connection point "+metered.Goods.Flow.Point.String(), "meter: without a release it is settled by the reading")

	ctx := w.context(clara)
	ctx.Asset = nil
	explained, err = clara.Explain(ctx, proposal, nil)
	must(t, err)
	wantText(t, explained.String(), agreement.Asset.String()+", of an issuer that is not known here")
}

func TestSplitExplanations(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	id := w.take(paul, clara, 400, 1)
	split := func(toPaul, toClara types.Amount) *wallet.Proposal {
		proposal, err := clara.ProposeSplit(w.context(clara), id, w.trade(id), toPaul, toClara)
		must(t, err)
		return w.signed(proposal, clara)
	}
	proposal := split(20, 200)
	explained, err := paul.Explain(w.context(paul), proposal, w.trade(id))
	must(t, err)
	deliverBy := w.trade(id).Agreement.Deadlines.DeliverBy.String()
	wantText(t, explained.String(), "you end a trade", `400 Wh of "energy"`, "phase       paid: payment and deposit are locked", "locked      2.20 EUR", "you get     0.20 EUR", "they get    2.00 EUR",
		"Without the split: after "+deliverBy+" payment and deposit go back, 2.20 EUR to the consumer", "you: deliver, locks ", "issued by   "+w.bank.Key().String())
	if explained.Yours != 20 || explained.Theirs != 200 || explained.Consumer || !explained.Split {
		t.Errorf("got %+v", explained)
	}
	explained, err = clara.Explain(w.context(clara), proposal, w.trade(id))
	must(t, err)
	wantText(t, explained.String(), "you get     2.00 EUR", "Without the split: after "+deliverBy+" payment and deposit go back, 2.20 EUR to you", "producer: deliver")
	w.deliver(paul, id)
	proposal = split(60, 200)
	for account, want := range map[*wallet.Account]string{paul: "consumer: release, 2.40 EUR to you, 0.20 EUR to the consumer", clara: "you: release, 2.40 EUR to the producer, 0.20 EUR to you"} {
		explained, err = account.Explain(w.context(account), proposal, w.trade(id))
		must(t, err)
		wantText(t, explained.String(), want, "Without the split: 2.60 EUR stay locked without an end")
	}
}

// TestExplanationsInChinese: no word of an explanation is left in English, except names and the formats of the caller.
func TestExplanationsInChinese(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	agreement := w.agreement(paul, clara, 5)
	agreement.Goods.Note = "from the roof"
	ctx := w.context(clara)
	ctx.Language = words.Chinese
	explained, err := clara.Explain(ctx, w.signed(w.propose(agreement, paul), paul), nil)
	must(t, err)
	id := w.take(paul, clara, 400, 1)
	proposal, err := clara.ProposeSplit(w.context(clara), id, w.trade(id), 20, 200)
	must(t, err)
	split, err := clara.Explain(ctx, w.signed(proposal, clara), w.trade(id))
	must(t, err)
	for _, row := range append(explained.Rows, split.Rows...) {
		for _, text := range []string{row.Name, regexp.MustCompile(`"[^"]*"|EUR|Wh|[0-9a-f]{64}|lk1\w+|[0-9T:.Z-]{24}`).ReplaceAllString(row.Text, "")} {
			if strings.ContainsFunc(text, func(r rune) bool { return r < 0x80 && unicode.IsLetter(r) }) {
				t.Errorf("%s: %s", row.Name, row.Text)
			}
		}
	}
}

// A node that shows other sums locked than the agreement has in its phase is refused: it would make a bad split look good.
func TestSplitOfInventedTrade(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	id := w.take(paul, clara, 400, 4)
	refused := func(stage string, lies map[string]func(*types.Trade)) {
		t.Helper()
		honest := w.trade(id)
		_, err := paul.ProposeSplit(w.context(paul), id, honest, 50, honest.LockedSum()-50)
		must(t, err)
		for name, lie := range lies { // any order: each is refused
			trade := *honest
			trade.Locked = slices.Clone(honest.Locked)
			lie(&trade)
			if _, err := paul.ProposeSplit(w.context(paul), id, &trade, 50, trade.LockedSum()-50); wallet.ReasonOf(err) != wallet.ReasonMismatch {
				t.Errorf("%s, %s: %v", stage, name, err)
			}
		}
	}
	moved := func(t *types.Trade) {
		t.Locked[0].Amount, t.Locked[1].Amount = t.Locked[0].Amount-9, t.Locked[1].Amount+9
	}
	lies := map[string]func(*types.Trade){
		"a sum in another part": moved,
		"a part left out":       func(t *types.Trade) { t.Locked = t.Locked[:1] },
		"more than the price":   func(t *types.Trade) { t.Locked[0].Amount++ },
		"an instalment more":    func(t *types.Trade) { t.Released++ },
		"more than there are":   func(t *types.Trade) { t.Released = 500 },
	}
	refused("paid", lies)
	w.deliver(paul, id)
	lies["no bond"] = func(t *types.Trade) { t.Locked = t.Locked[:2] }
	refused("delivered", lies)
	release, err := clara.Release(w.context(clara), id, w.trade(id), 1)
	must(t, err)
	w.accept(release, nil)
	refused("one instalment released", lies)
}

// TestProposalsRefused: each proposal that must not be signed is refused with its reason, from every author.
func TestProposalsRefused(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	agreement := w.agreement(paul, clara, 1)
	good := w.signed(w.propose(agreement, paul), paul)
	later := func(ctx *wallet.Context, span types.Duration) {
		ctx.BlockTime, ctx.Clock = ctx.BlockTime.Add(span), ctx.Clock.Add(span)
	}
	for name, c := range map[string]struct {
		signer *wallet.Account
		change func(*wallet.Context)
		code   types.Code
		reason wallet.Reason
	}{
		"fine":                        {clara, func(*wallet.Context) {}, types.CodeOK, ""},
		"of another ledger":           {clara, func(c *wallet.Context) { c.Params.ChainID = "elsewhere" }, types.CodeChain, ""},
		"after its valid-until":       {clara, func(c *wallet.Context) { c.BlockTime = good.ValidUntil() + 1 }, types.CodeExpired, ""},
		"valid for too long":          {clara, func(c *wallet.Context) { c.Params.MaxValidity = 10*minute - 1 }, types.CodeValidity, ""},
		"after pay-by":                {clara, func(c *wallet.Context) { later(c, 2*minute+1) }, types.CodeTooLate, ""},
		"of others":                   {w.bank, func(*wallet.Context) {}, types.CodeOK, wallet.ReasonNotOurs},
		"signed already":              {paul, func(*wallet.Context) {}, types.CodeOK, wallet.ReasonProposal},
		"outside the limits":          {withLimits(t, "clara", wallet.Limits{}), func(*wallet.Context) {}, types.CodeOK, wallet.ReasonLimit},
		"against the ledger's bounds": {clara, func(c *wallet.Context) { c.Params.MinWindow = 30 * minute }, types.CodeDeadlines, ""},
	} {
		ctx := w.context(c.signer)
		c.change(&ctx)
		_, err := c.signer.SignProposal(ctx, good, nil)
		switch {
		case c.reason != "":
			wantReason(t, err, c.reason)
		case types.CodeOf(err) != c.code:
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}

	w.accept(w.submitted(w.signed(good, clara), w.bank)) // anyone with both signatures may
	_, err := clara.SignProposal(w.context(clara), good, w.trade(good.Trade()))
	wantCode(t, err, types.CodeTradeExists)

	id := w.take(paul, clara, 400, 2)
	split, err := clara.ProposeSplit(w.context(clara), id, w.trade(id), 20, 200)
	must(t, err)
	split = w.signed(split, clara)
	_, err = paul.SignProposal(w.context(paul), split, nil) // not looked up
	wantReason(t, err, wallet.ReasonProposal)
	_, err = paul.SignProposal(w.context(paul), split, w.trade(good.Trade())) // another trade
	wantReason(t, err, wallet.ReasonMismatch)
	_, err = w.bank.SignProposal(w.context(w.bank), split, w.trade(id))
	wantReason(t, err, wallet.ReasonNotOurs)
	wantReason(t, w.draft(paul).Record(split, w.trade(id)), wallet.ReasonProposal) // half signed
	w.deliver(paul, id)
	_, err = paul.SignProposal(w.context(paul), split, w.trade(id))
	wantCode(t, err, types.CodeMandate) // the phase
	split, err = clara.ProposeSplit(w.context(clara), id, w.trade(id), 60, 200)
	must(t, err)
	split = w.signed(split, clara, paul)
	w.accept(clara.Release(w.context(clara), id, w.trade(id), 1))
	wantCode(t, w.draft(paul).Record(split, w.trade(id)), types.CodeMandate) // an instalment
	if split.Open(w.time, w.clock(), w.trade(id)) {
		t.Error("a split is open after another instalment")
	}
}

// The theft of a transaction in which the signer's payment and bond of another trade stood as inputs: there is no file any more that could
// name an input, and the signature does not fit a transaction. The node hides the signer's coins.
func TestProposalWithStolenInputs(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	id := w.take(paul, clara, 400, 1)
	w.deliver(paul, id)
	payment := id.Outpoint(types.PartPayment)
	theft := types.NewTx(types.Body{
		ChainID: "test", ValidUntil: w.time.Add(minute), Inputs: []types.Outpoint{payment},
		Outputs: []types.Output{{Asset: w.euro.ID(), Amount: 200, Lock: types.ToKey(clara.Key())}},
		Actions: []types.Action{&types.Agree{Agreement: w.agreement(paul, clara, 1)}},
	})
	old, err := json.Marshal(map[string]any{"lockstep": "partial transaction", "tx": theft.Bytes(), "needs": []types.PublicKey{clara.Key(), paul.Key()}})
	must(t, err)
	_, err = wallet.ParseProposal(old)
	wantReason(t, err, wallet.ReasonProposal)

	hidden := w.context(paul)
	hidden.Coins = nil
	agreement := w.agreement(paul, clara, 1)
	signed, err := paul.SignProposal(hidden, w.signed(w.propose(agreement, clara), clara), nil)
	must(t, err)
	w.accept(clara.Release(w.context(clara), id, w.trade(id), 1)) // now payment and bond are paul's
	mandated, err := w.submitted(signed, clara)
	must(t, err)
	agree := mandated.Body.Actions[0].(*types.Agree)
	body := theft.Body
	body.Actions = []types.Action{agree}
	for _, with := range [][]types.Signature{
		{agree.Mandates.Producer, agree.Mandates.Consumer}, {agree.Mandates.Producer}, {agree.Mandates.Consumer}, mandated.Signatures,
	} {
		if code := w.block(types.NewTx(body, with...))[0]; code == types.CodeOK {
			t.Fatalf("paul's payment was stolen with the signatures %v", with)
		}
	}
	w.accept(mandated, nil)
	w.expect(paul, 1200)
}

func TestProposalFile(t *testing.T) {
	t.Parallel()
	w, paul, clara := newParties(t)
	proposal := w.signed(w.propose(w.agreement(paul, clara, 1), paul), paul)
	file := proposal.Encode()
	stranger := w.signed(w.propose(w.agreement(w.bank, clara, 1), w.bank), w.bank)
	both := w.signed(proposal, clara).Encode()
	replace := func(file []byte, old, new string) []byte {
		t.Helper()
		if n := bytes.Count(file, []byte(old)); n == 0 {
			t.Fatalf("%q is not in the file", old)
		}
		return bytes.Replace(file, []byte(old), []byte(new), 1)
	}
	var tight bytes.Buffer
	must(t, json.Compact(&tight, file))
	if again, err := wallet.ParseProposal(tight.Bytes()); err != nil || !bytes.Equal(again.Encode(), file) {
		t.Fatalf("without white space: %v", err)
	}
	var fields map[string]any
	must(t, json.Unmarshal(both, &fields))
	var of struct{ Signatures []types.Signature }
	must(t, json.Unmarshal(both, &of))
	signatures := of.Signatures
	fields["signatures"] = signatures
	edited := func(edit func(map[string]any)) []byte {
		changed := map[string]any{}
		for key, value := range fields {
			changed[key] = value
		}
		edit(changed)
		var out bytes.Buffer
		out.WriteString("{")
		for _, key := range []string{"lockstep", "chain_id", "agreement", "split", "valid_until", "signatures"} {
			if value, ok := changed[key]; ok {
				text, err := json.Marshal(value)
				must(t, err)
				if key == "agreement" && value != nil {
					text, err = json.Marshal(proposal.Agreement()) // in order of its fields
					must(t, err)
				}
				out.WriteString(strings.Repeat(",", min(out.Len()-1, 1)) + `"` + key + `":` + string(text))
			}
		}
		return append(out.Bytes(), '}')
	}
	sign := func(list ...types.Signature) func(map[string]any) {
		return func(m map[string]any) { m["signatures"] = list }
	}
	if _, err := wallet.ParseProposal(edited(func(map[string]any) {})); err != nil {
		t.Fatalf("with nothing edited: %v", err)
	}
	must(t, json.Unmarshal(stranger.Encode(), &of))
	for name, bad := range map[string][]byte{
		"empty":                       nil,
		"no JSON":                     []byte("hello"),
		"null":                        []byte("null"),
		"another mark":                replace(file, `"proposal"`, `"transaction"`),
		"no agreement":                edited(func(m map[string]any) { delete(m, "agreement") }),
		"null agreement":              edited(func(m map[string]any) { m["agreement"] = nil }),
		"a split too":                 edited(func(m map[string]any) { m["split"] = map[string]any{} }),
		"null signatures":             edited(func(m map[string]any) { m["signatures"] = nil }),
		"a signature twice":           edited(sign(signatures[0], signatures[0])),
		"signatures out of order":     edited(sign(signatures[1], signatures[0])),
		"three signatures":            edited(sign(signatures[0], signatures[1], signatures[1])),
		"a stranger's signature":      edited(sign(of.Signatures[0])),
		"another price":               replace(file, `"price": "500"`, `"price": "501"`),
		"another nonce":               replace(file, `"nonce": "`, `"nonce": "1`),
		"another chain":               replace(file, `"chain_id": "test"`, `"chain_id": "best"`),
		"another end":                 replace(file, `"valid_until": "2`, `"valid_until": "3`),
		"the producer in both places": replace(file, clara.Key().String(), paul.Key().String()),
		"no fallback terms":           replace(file, `"kind": "hold"`, `"kind": "held"`),
		"a signature with a slip":     replace(file, `"bytes": "`, `"bytes": "0`),
		"an unknown field":            replace(file, `"lockstep"`, `"extra": 1, "lockstep"`),
		"a field twice":               replace(file, `"lockstep"`, `"lockstep": "x", "lockstep"`),
		"a field in capitals":         replace(file, `"chain_id"`, `"CHAIN_ID"`),
		"trailing bytes":              append(bytes.Clone(file), '1'),
		"too large":                   append(bytes.Clone(file), bytes.Repeat([]byte(" "), wallet.MaxProposalBytes)...),
	} {
		if _, err := wallet.ParseProposal(bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	wantCode(t, errorOf(wallet.ParseProposal(replace(file, `"price": "500"`, `"price": "501"`))), types.CodeSignature)
	if proposal.Complete() || !proposal.SignedBy(paul.Key()) || proposal.SignedBy(clara.Key()) || !slices.Equal(proposal.Signers(), []types.PublicKey{paul.Key()}) {
		t.Errorf("signed by %v", proposal.Signers())
	}
}

func errorOf[T any](_ T, err error) error { return err }

// A wallet remembers its open signatures, across runs, before it gives them out.
func TestRememberedSignatures(t *testing.T) {
	t.Parallel()
	w, paul, _ := newParties(t)
	path := filepath.Join(t.TempDir(), "wallet")
	opened, err := wallet.Create(path, "correct horse battery staple", wallet.Options{Work: 1, Quick: true})
	must(t, err)
	mine, err := opened.Account(0)
	must(t, err)
	w.give(1000, mine)
	proposal := w.propose(w.agreement(paul, mine, 1), paul)
	signed, err := mine.SignProposal(w.context(mine), proposal, nil)
	must(t, err)
	again, err := wallet.Open(path, "correct horse battery staple")
	must(t, err)
	list := again.Signed(w.time)
	if len(list) != 1 || list[0].Account != 0 || !bytes.Equal(list[0].Proposal.Encode(), signed.Encode()) {
		t.Fatalf("remembered are %+v", list)
	}
	if !list[0].Proposal.Open(w.time, w.clock(), nil) {
		t.Error("it is not open")
	}
	if got := again.Signed(signed.ValidUntil()); len(got) != 1 {
		t.Errorf("at valid-until there are %d", len(got))
	}
	if got := again.Signed(signed.ValidUntil() + 1); len(got) != 0 || signed.Open(signed.ValidUntil()+1, w.clock(), nil) {
		t.Errorf("after valid-until there are %d", len(got))
	}
	w.accept(w.submitted(w.signed(signed, paul), paul))
	if list[0].Proposal.Open(w.time, w.clock(), w.trade(signed.Trade())) {
		t.Error("it is open though it was recorded")
	}
	for n := 1; ; n++ { // until the wallet is full
		proposal := w.propose(w.agreement(paul, mine, 1), paul)
		if _, err = mine.SignProposal(w.context(mine), proposal, nil); err != nil {
			wantReason(t, err, wallet.ReasonLimit)
			if n != 64 {
				t.Errorf("full with %d", n)
			}
			break
		}
	}
	ctx := w.context(mine) // once the first have run out there is room again
	w.time = signed.ValidUntil().Add(2 * second)
	ctx.BlockTime = w.time
	fresh := w.agreement(paul, mine, 1)
	fresh.Deadlines = types.Deadlines{PayBy: w.time.Add(minute), DeliverBy: w.time.Add(2 * minute), ReadingBy: w.time.Add(3 * minute), ConfirmBy: w.time.Add(4 * minute)}
	fresh.Goods.From, fresh.Goods.Until = w.time.Add(minute), w.time.Add(16*minute)
	latest, err := mine.Propose(ctx, fresh)
	must(t, err)
	must(t, errorOf(mine.SignProposal(ctx, latest, nil)))
	if got := opened.Signed(w.time); len(got) == 0 || len(got) > 64 {
		t.Errorf("%d are kept", len(got))
	}
}

// A signature that can't be remembered is not given out.
func TestSignatureRecord(t *testing.T) {
	t.Parallel()
	w, paul, _ := newParties(t)
	folder := filepath.Join(t.TempDir(), "gone")
	must(t, os.Mkdir(folder, 0o700))
	opened, err := wallet.Create(filepath.Join(folder, "wallet"), "correct horse battery staple", wallet.Options{Work: 1, Quick: true})
	must(t, err)
	mine, err := opened.Account(0)
	must(t, err)
	must(t, os.RemoveAll(folder))
	proposal := w.propose(w.agreement(paul, mine, 1), paul)
	if signed, err := mine.SignProposal(w.context(mine), proposal, nil); err == nil || signed != nil {
		t.Errorf("signed with nowhere to remember it: %v", err)
	}
}

func FuzzParseProposal(f *testing.F) {
	w, paul, clara := newParties(f)
	proposal := w.propose(w.agreement(paul, clara, 1), paul)
	f.Add(proposal.Encode())
	f.Add(w.signed(proposal, paul).Encode())
	f.Add(w.signed(proposal, paul, clara).Encode())
	id := w.take(paul, clara, 400, 1)
	split, err := clara.ProposeSplit(w.context(clara), id, w.trade(id), 20, 200)
	must(f, err)
	f.Add(split.Encode())
	f.Add(w.signed(split, clara).Encode())
	f.Add([]byte(`{"lockstep":"proposal","chain_id":"","agreement":null,"valid_until":"","signatures":[]}`))
	ctx, trade := w.context(clara), w.trade(id)
	f.Fuzz(func(t *testing.T, file []byte) {
		proposal, err := wallet.ParseProposal(file)
		if err != nil {
			return
		}
		again, err := wallet.ParseProposal(proposal.Encode())
		if err != nil || !bytes.Equal(again.Encode(), proposal.Encode()) {
			t.Fatalf("what was read is written differently: %v", err)
		}
		for _, shown := range []*types.Trade{nil, trade} {
			if explained, err := clara.Explain(ctx, proposal, shown); err == nil && len(explained.Rows) < 10 {
				t.Fatal("signing it would do something that is not explained")
			}
		}
	})
}
