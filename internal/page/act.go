package page

import (
	"context"
	"html/template"
	"strconv"
	"strings"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/trade"
	"lockstep/trade/words"
	"lockstep/types"
	"lockstep/wallet"
)

// question is shown before money moves: the sums that each side gets or locks now, the worst losses of both, and the way back. Nothing is
// signed before it is answered.
type question struct {
	Title  template.HTML
	Names  [2]string
	Rows   []questionRow
	Lines  []template.HTML
	Odd    template.HTML // a price far from the market's, which the reader must accept
	Action string
	Fields [][2]string // what was shown, to be sent back with the answer
	Yes    template.HTML
	Back   string
}

type questionRow struct {
	Name  template.HTML
	Sides [2]template.HTML
}

// asked renders a question.
func (c *screen) asked(q *question) error {
	c.Title, c.Live = plainText(q.Title), ""
	return c.render("ask", q)
}

// actRoutes adds the questions and their answers.
func (s *Server) actRoutes(ask func(string, page), do func(string, page)) {
	ask("/trades/{id}/split", (*screen).askSplit)
	ask("/trades/{id}/award", (*screen).askAward)
	ask("/trades/{id}/word", (*screen).askWord)
	do("/trades/{id}/word", (*screen).doWord)
	ask("/trades/{id}/{move}", (*screen).askMove)
	do("/trades/{id}/split", (*screen).doSplit)
	do("/trades/{id}/award", (*screen).doAward)
	do("/trades/{id}/{move}", (*screen).doMove)
	ask("/offers/{id}", (*screen).askTake)
	do("/offers/{id}", (*screen).doTake)
	ask("/send", (*screen).askSend)
	do("/send", (*screen).doSend)
	do("/assets/{id}/trust", (*screen).doTrust)
	ask("/proposal", (*screen).askProposal)
	do("/proposal", (*screen).showProposal)
	do("/proposal/sign", (*screen).doProposal)
}

// once runs a step that moves money: once for each form, however often the form is sent.
func (c *screen) once(do func(context.Context, *client.Account) error) error {
	account, err := c.member.acting(c.r.Context())
	if err != nil {
		return err
	}
	number := c.r.PostFormValue("number")
	if !c.session.once(number) {
		return c.tell(types.CodeReplay, "ask.twice")
	}
	err = do(context.WithoutCancel(c.r.Context()), account) // a reader who leaves does not stop half of it
	if code := types.CodeOf(err); err != nil && code != types.CodeUnavailable && code != types.CodePending {
		c.session.again(number)
	}
	c.facts.stale()
	return err
}

// tradeOf fetches the trade of the path.
func (c *screen) tradeOf() (t wire.Trade, status trade.Status, err error) {
	var id types.TradeID
	if err = c.whole("trade", c.r.PathValue("id"), &id); err != nil {
		return t, status, err
	}
	if t, err = c.ask().Trade(c.r.Context(), id); err != nil {
		return t, status, err
	}
	c.Nav = "trades"
	c.Status, c.Down = c.facts.status(c.r.Context())
	return t, trade.StatusAt(&t.Trade, t.Clock, t.Reading, c.self), nil
}

// option returns the move of the path, if the viewer can make it now.
func (c *screen) option(t *wire.Trade, status *trade.Status, move string) (*trade.Option, error) {
	for i := range status.Options {
		if o := &status.Options[i]; o.You && o.Move == trade.MoveKey(move) {
			return o, nil
		}
	}
	for m := trade.MovePay; m <= trade.MoveTakeBond; m++ {
		if m.String() == move {
			if err := trade.May(&t.Trade, m, t.Clock); err != nil {
				return nil, err
			}
			return nil, &wallet.Error{Reason: wallet.ReasonNotOurs, Detail: c.Plain("ask.not_yours")}
		}
	}
	return nil, c.tell(types.CodeNotFound, "error.no_page", "path", c.r.URL.Path)
}

// acts lists the steps that the viewer can take.
func (c *screen) acts(t *wire.Trade, s *trade.Status, p *words.Printer) (acts []act, does template.HTML) {
	if !c.SignedIn() || s.Viewer == "" && s.Turn.Role != trade.Anyone {
		return nil, ""
	}
	a := &t.Trade.Agreement
	path := "/trades/" + t.ID.String() + "/"
	for i := range s.Options {
		option := &s.Options[i]
		name := strings.TrimPrefix(string(option.Move), "move.")
		key := "act." + name
		if !option.You || texts[key] == nil {
			continue
		}
		sum := template.HTML("")
		switch name {
		case "pay":
			sum = c.Money(a.Asset, a.Price.Saturate(a.Deposit))
		case "deliver":
			sum = c.Money(a.Asset, locks(option.Effects))
		case "release":
			sum = c.Money(a.Asset, a.Deposit)
			if next := t.Trade.Released + 1; next < a.Instalments {
				acts = append(acts, act{Label: c.T("act.release_next", "k", next, "n", a.Instalments), Path: path + "release?k=" + strconv.Itoa(int(next))})
			}
		}
		one := act{Label: c.T(key, "sum", sum), Path: path + name, Quiet: len(acts) > 0 || option.Role == trade.Both}
		acts = append(acts, one)
		if does == "" && texts["does."+name] != nil {
			does = c.T("does."+name, "producer", p.Name(trade.Producer), "consumer", p.Name(trade.Consumer), "goods", c.Goods(&a.Goods))
		}
	}
	return acts, does
}

// worst adds the row of the worst losses of both sides.
func (c *screen) worst(q *question, a *types.Agreement) {
	row := questionRow{Name: c.T("ask.worst")}
	for i, role := range []trade.Role{trade.Consumer, trade.Producer} {
		if loss, err := trade.WorstLoss(a, role); err == nil {
			row.Sides[i] = c.Money(a.Asset, loss.Money)
			if loss.Goods {
				row.Sides[i] += c.T("ask.and_goods")
			}
		}
	}
	q.Rows = append(q.Rows, row)
}

// sides are the names of both sides for the head of a question's table.
func (c *screen) sides(a *types.Agreement) (names [2]string) {
	for i, key := range []types.PublicKey{a.Consumer, a.Producer} {
		names[i] = c.Name(key)
		if key == c.self {
			names[i] += " · " + c.Plain("you")
		}
	}
	return names
}

// askMove asks about a step of a trade.
func (c *screen) askMove() error {
	t, status, err := c.tradeOf()
	if err != nil {
		return err
	}
	move := c.r.PathValue("move")
	option, err := c.option(&t, &status, move)
	if err != nil {
		return err
	}
	a, p := &t.Trade.Agreement, c.printer(&t.Trade.Agreement)
	goods, other := c.Goods(&a.Goods), a.Producer
	if a.Producer == c.self {
		other = a.Consumer
	}
	q := &question{
		Title: c.T("ask."+move, "goods", goods, "name", c.Name(other)), Names: c.sides(a), Action: "/trades/" + t.ID.String() + "/" + move,
		Yes: c.T("yes." + move), Back: "/trades/" + t.ID.String(),
	}
	const nothing = template.HTML("–")
	switch move {
	case "pay":
		q.Rows = []questionRow{{c.T("ask.locks"), [2]template.HTML{c.Money(a.Asset, a.Price.Saturate(a.Deposit)), nothing}}}
		c.worst(q, a)
	case "deliver":
		q.Rows = []questionRow{{c.T("ask.locks"), [2]template.HTML{nothing, c.Money(a.Asset, locks(option.Effects))}}}
		c.worst(q, a)
	case "release":
		if err := c.askRelease(q, &t); err != nil {
			return err
		}
	case "settle":
		q.Rows = append(q.Rows, c.gets(a, option.Effects))
	case "collect", "take_return", "refund", "take_bond":
		q.Rows = append(q.Rows, c.gets(a, option.Effects))
	default:
		return c.tell(types.CodeNotFound, "error.no_page", "path", c.r.URL.Path)
	}
	q.Lines = append(q.Lines, c.T("does."+move, "producer", p.Name(trade.Producer), "consumer", p.Name(trade.Consumer), "goods", goods))
	if move == "pay" || move == "deliver" {
		claims, err := c.claims(a)
		if err != nil {
			return err
		}
		q.Lines = append(append(q.Lines, c.sentence(p, trade.Terms(a.Fallback))), claims...)
	}
	line, doubt, err := c.prove(c.r.Context(), &t, move)
	if err != nil {
		return err
	}
	if q.Odd = doubt; line != "" {
		q.Lines = append(q.Lines, line)
	}
	if err := c.fee(q, func(account *client.Account) (*wallet.Draft, error) {
		d, err := account.Draft(c.r.Context())
		if err != nil {
			return nil, err
		}
		return d, c.draftMove(d, &t, move)
	}); err != nil {
		return err
	}
	return c.asked(q)
}

// locks is the sum that a move locks; a bond that was staked before is none of it.
func locks(effects []trade.Message) (sum types.Amount) {
	for i := range effects {
		if effects[i].Key == trade.EffectLocks {
			sum = sum.Saturate(effects[i].Args.Sum)
		}
	}
	return sum
}

// gets is the row of the sums that a move gives to each side.
func (c *screen) gets(a *types.Agreement, effects []trade.Message) questionRow {
	row := questionRow{Name: c.T("ask.gets"), Sides: [2]template.HTML{"–", "–"}}
	for i := range effects {
		if effects[i].Key != trade.EffectGives {
			continue
		}
		side := 1
		if effects[i].Args.Role == trade.Consumer {
			side = 0
		}
		row.Sides[side] = c.Money(a.Asset, effects[i].Args.Sum)
	}
	return row
}

// askRelease fills in the sums that the release of some instalments gives, and the consumer's loss if the goods did not come.
func (c *screen) askRelease(q *question, t *wire.Trade) error {
	a := &t.Trade.Agreement
	k, err := c.instalment(t)
	if err != nil {
		return err
	}
	free, _ := trade.Due(a, k).Sub(trade.Due(a, t.Trade.Released))
	producer, consumer := free, types.Amount(0)
	if k == a.Instalments {
		producer, consumer = free.Saturate(a.Bond), a.Deposit
	}
	q.Rows = []questionRow{
		{c.T("ask.gets"), [2]template.HTML{c.Money(a.Asset, consumer), c.Money(a.Asset, producer)}},
		{c.T("ask.worst"), [2]template.HTML{c.Money(a.Asset, free) + c.T("ask.if_not_come"), c.T("ask.nothing")}},
	}
	if a.Instalments > 1 {
		q.Title = c.T("ask.release_part", "k", k, "n", a.Instalments, "goods", c.Goods(&a.Goods))
	}
	q.Fields = [][2]string{{"k", strconv.Itoa(int(k))}}
	return nil
}

// instalment is the last instalment that the reader wants to release: all of them unless the request names one.
func (c *screen) instalment(t *wire.Trade) (uint16, error) {
	text := c.r.FormValue("k")
	if text == "" {
		return t.Trade.Agreement.Instalments, nil
	}
	k, err := strconv.ParseUint(text, 10, 16)
	if err != nil || k == 0 || k <= uint64(t.Trade.Released) || k > uint64(t.Trade.Agreement.Instalments) {
		return 0, c.tell(types.CodeInstalment, "fault.instalment", "text", clipped(text))
	}
	return uint16(k), nil
}

// fee adds the fee of a transaction to a question. A draft that the wallet would refuse is refused here, before the question.
func (c *screen) fee(q *question, draft func(*client.Account) (*wallet.Draft, error)) error {
	account, err := c.member.acting(c.r.Context())
	if err != nil {
		return err
	}
	d, err := draft(account)
	if err != nil || d == nil {
		return err
	}
	if err := account.Fund(c.r.Context(), d); err != nil {
		return err
	}
	cost := d.Cost()
	if err := c.affords(&cost); err != nil {
		return err
	}
	if cost.Fee.Amount > 0 {
		q.Lines = append(q.Lines, c.T("ask.fee", "sum", c.Money(cost.Fee.Asset, cost.Fee.Amount)))
	}
	return nil
}

// affords refuses a cost that is more than the member can spend.
func (c *screen) affords(cost *wallet.Cost) error {
	for _, moved := range cost.Moved {
		total, ok := cost.Total(moved.Asset)
		balances, err := c.ask().BalancesOf(c.r.Context(), c.self, moved.Asset)
		if err != nil {
			return err
		}
		spendable := types.Amount(0)
		for _, balance := range balances.Balances {
			spendable = balance.Spendable
		}
		if !ok || total > spendable {
			return &wallet.Error{Reason: wallet.ReasonFunds, Detail: c.Plain("ask.funds", "need", plainText(c.Money(moved.Asset, total)), "have", plainText(c.Money(moved.Asset, spendable)))}
		}
	}
	return nil
}

// draftMove drafts a step of a trade that needs a signature.
func (c *screen) draftMove(d *wallet.Draft, t *wire.Trade, move string) error {
	switch move {
	case "pay":
		return d.Pay(t.ID, &t.Trade)
	case "deliver":
		return d.Deliver(t.ID, &t.Trade)
	case "collect", "take_return", "refund", "take_bond":
		return d.Collect(t.ID, &t.Trade)
	}
	return nil
}

// doMove takes a step of a trade.
func (c *screen) doMove() error {
	t, status, err := c.tradeOf()
	if err != nil {
		return err
	}
	move := c.r.PathValue("move")
	if _, err := c.option(&t, &status, move); err != nil {
		return err
	}
	k, err := c.instalment(&t)
	if err != nil {
		return err
	}
	if err := c.mustProve(c.r.Context(), &t, move); err != nil {
		return err
	}
	err = c.once(func(ctx context.Context, account *client.Account) error {
		switch move {
		case "release":
			_, err := account.Release(ctx, t.ID, k)
			return err
		case "settle":
			now, err := c.ask().Status(ctx) // the trade may have been agreed on a ledger that this one continues
			if err == nil {
				_, err = c.ask().Submit(ctx, types.NewSettle(now.ChainID, t.ID))
			}
			return err
		case "pay", "deliver", "collect", "take_return", "refund", "take_bond":
			_, err := account.Do(ctx, func(d *wallet.Draft) error { return c.draftMove(d, &t, move) })
			return err
		}
		return c.tell(types.CodeNotFound, "error.no_page", "path", c.r.URL.Path)
	})
	if err != nil {
		return err
	}
	return c.redirect("/trades/" + t.ID.String())
}

// amount reads a sum of an asset as it was typed.
func (c *screen) amount(id types.AssetID, text string) (types.Amount, error) {
	asset, known := c.facts.asset(c.r.Context(), id)
	if !known {
		return 0, c.tell(types.CodeAssetUnknown, "fault.asset", "id", id)
	}
	text = strings.TrimSpace(text)
	if strings.Contains(text, ",") && !strings.Contains(text, ".") && strings.Count(text, ",") == 1 {
		return 0, c.tell(types.CodeMalformed, "fault.comma", "text", clipped(text))
	}
	amount, err := types.ParseAmount(text, asset.Asset.Decimals)
	if err == nil && amount == 0 {
		err = c.tell(types.CodeMalformed, "fault.nothing", "text", clipped(text))
	}
	return amount, err
}

// offerView is the content of the page of an offer.
type offerView struct {
	wire.Offer
	Known    bool // somebody vouches for the asset
	Yours    bool
	Quantity string
	Error    string
	Terms    string
}

// askTake shows an offer, and asks once a quantity is chosen.
func (c *screen) askTake() error {
	offer, err := c.offerOf()
	if err != nil {
		return err
	}
	asset, found := c.facts.asset(c.r.Context(), offer.Offer.Asset)
	view := offerView{
		Offer: offer, Yours: offer.Offer.Producer == c.self, Quantity: c.r.FormValue("quantity"),
		Known: found && (asset.Recognised || c.trusts(&asset.Asset)),
	}
	view.Terms = words.Upper((&words.Printer{Language: c.Lang}).Text(trade.Terms(offer.Offer.Fallback)))
	c.Nav, c.Title = "market", c.Goods(&offer.Offer.Goods)
	if view.Quantity == "" || !view.Known || view.Yours {
		if view.Quantity == "" {
			view.Quantity = strconv.FormatUint(offer.Remaining, 10)
		}
		return c.render("offer", &view)
	}
	quantity, err := c.readQuantity(view.Quantity, offer.Remaining)
	if err != nil {
		view.Error, c.code = c.explain(err), 400
		return c.render("offer", &view)
	}
	account, err := c.member.acting(c.r.Context())
	if err != nil {
		return err
	}
	d, err := account.Draft(c.r.Context())
	if err != nil {
		return err
	}
	a, err := d.Take(offer.ID, &offer.Offer, quantity)
	if err != nil {
		view.Error, c.code = c.explain(err), 422
		return c.render("offer", &view)
	}
	goods := c.Goods(&a.Goods)
	q := &question{
		Title: c.T("ask.take", "goods", goods, "name", c.Name(a.Producer)), Names: c.sides(a), Action: "/offers/" + offer.ID.String(),
		Rows:   []questionRow{{c.T("ask.locks"), [2]template.HTML{c.Money(a.Asset, a.Price.Saturate(a.Deposit)), "–"}}},
		Fields: [][2]string{{"quantity", strconv.FormatUint(quantity, 10)}}, Yes: c.T("yes.pay"), Back: "/offers/" + offer.ID.String(),
	}
	c.worst(q, a)
	q.Lines = []template.HTML{
		c.T("ask.of_it", "price", c.Money(a.Asset, a.Price), "deposit", c.Money(a.Asset, a.Deposit), "each", c.UnitPrice(a)),
		template.HTML(escape(view.Terms + ".")),
	}
	q.Odd = c.oddPrice(c.r.Context(), &a.Goods, a.Asset, eachPrice(a))
	claims, err := c.claims(a)
	if err != nil {
		return err
	}
	q.Lines = append(q.Lines, claims...)
	if err := c.fee(q, func(*client.Account) (*wallet.Draft, error) { return d, nil }); err != nil {
		view.Error, c.code = c.explain(err), 422
		return c.render("offer", &view)
	}
	return c.asked(q)
}

// readQuantity reads a quantity in units of the goods.
func (c *screen) readQuantity(text string, most uint64) (uint64, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 63)
	if err != nil || n == 0 || n > most {
		return 0, c.tell(types.CodeMalformed, "fault.quantity", "text", clipped(text), "most", grouped(most))
	}
	return n, nil
}

func (c *screen) offerOf() (offer wire.Offer, err error) {
	var id types.OfferID
	if err = c.whole("offer", c.r.PathValue("id"), &id); err != nil {
		return offer, err
	}
	c.Status, c.Down = c.facts.status(c.r.Context())
	return c.ask().Offer(c.r.Context(), id)
}

// doTake takes a quantity of an offer and pays for it.
func (c *screen) doTake() error {
	offer, err := c.offerOf()
	if err != nil {
		return err
	}
	quantity, err := c.readQuantity(c.r.PostFormValue("quantity"), offer.Remaining)
	if err != nil {
		return err
	}
	if asset, found := c.facts.asset(c.r.Context(), offer.Offer.Asset); !found || !asset.Recognised && !c.trusts(&asset.Asset) {
		return &wallet.Error{Reason: wallet.ReasonAsset, Detail: c.Plain("offer.unknown_asset")}
	}
	if err := c.accepts(c.r.Context(), &offer.Offer.Goods, offer.Offer.Asset, exactly(offer.Offer.Price)); err != nil {
		return err
	}
	var id types.TradeID
	err = c.once(func(ctx context.Context, account *client.Account) error {
		_, err := account.Do(ctx, func(d *wallet.Draft) error {
			a, err := d.Take(offer.ID, &offer.Offer, quantity)
			if err == nil {
				id = a.ID()
			}
			return err
		})
		return err
	})
	if err != nil {
		return err
	}
	return c.redirect("/trades/" + id.String())
}
