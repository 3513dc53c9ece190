package page

import (
	"context"
	"html/template"
	"net/http"
	"strings"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/types"
	"lockstep/wallet"
)

// divideView is the content of the form by which the locked money of a trade is divided.
type divideView struct {
	ID       types.TradeID
	A        *types.Agreement
	Goods    string
	Locked   types.Amount
	Move     string // split or award
	Typed    string
	Error    string
	Proposal string // the text for the other side, once the viewer has signed
	Other    types.PublicKey
}

func (c *screen) divide(move string) (*divideView, wire.Trade, error) {
	t, status, err := c.tradeOf()
	if err != nil {
		return nil, t, err
	}
	if _, err := c.option(&t, &status, move); err != nil {
		return nil, t, err
	}
	v := &divideView{ID: t.ID, A: &t.Trade.Agreement, Goods: c.Goods(&t.Trade.Agreement.Goods), Locked: t.Trade.LockedSum(), Move: move, Other: t.Trade.Agreement.Producer}
	if v.Other == c.self {
		v.Other = t.Trade.Agreement.Consumer
	}
	c.Title, c.Live = plainText(c.T("split.title", "goods", v.Goods)), ""
	return v, t, nil
}

// share reads the producer's share; the consumer gets the rest.
func (c *screen) share(v *divideView) (toProducer, toConsumer types.Amount, err error) {
	v.Typed = strings.TrimSpace(c.r.FormValue("to_producer"))
	asset, _ := c.facts.asset(c.r.Context(), v.A.Asset)
	if toProducer, err = types.ParseAmount(v.Typed, asset.Asset.Decimals); err != nil {
		return 0, 0, err
	}
	toConsumer, ok := v.Locked.Sub(toProducer)
	if !ok {
		return 0, 0, c.tell(types.CodeSplit, "split.too_much", "sum", v.Typed, "all", plainText(c.Money(v.A.Asset, v.Locked)))
	}
	return toProducer, toConsumer, nil
}

// divided asks about a division.
func (c *screen) divided(v *divideView, toProducer, toConsumer types.Amount) error {
	return c.asked(&question{
		Title: c.T("ask."+v.Move, "goods", v.Goods), Names: c.sides(v.A), Action: "/trades/" + v.ID.String() + "/" + v.Move,
		Rows:   []questionRow{{c.T("ask.gets"), [2]template.HTML{c.Money(v.A.Asset, toConsumer), c.Money(v.A.Asset, toProducer)}}},
		Lines:  []template.HTML{c.T("does." + v.Move)},
		Fields: [][2]string{{"to_producer", v.Typed}}, Yes: c.T("yes." + v.Move), Back: "/trades/" + v.ID.String(),
	})
}

func (c *screen) askSplit() error { return c.askDivision("split") }
func (c *screen) askAward() error { return c.askDivision("award") }

func (c *screen) askDivision(move string) error {
	v, _, err := c.divide(move)
	if err != nil {
		return err
	}
	if c.r.FormValue("to_producer") == "" {
		return c.render("divide", v)
	}
	toProducer, toConsumer, err := c.share(v)
	if err != nil {
		v.Error, c.code = c.explain(err), http.StatusBadRequest
		return c.render("divide", v)
	}
	return c.divided(v, toProducer, toConsumer)
}

// doSplit signs a split and shows the text for the other side, which signs it too.
func (c *screen) doSplit() error {
	v, t, err := c.divide("split")
	if err != nil {
		return err
	}
	toProducer, toConsumer, err := c.share(v)
	if err != nil {
		return err
	}
	account, err := c.member.acting(c.r.Context())
	if err != nil {
		return err
	}
	known, err := account.Context(c.r.Context())
	if err != nil {
		return err
	}
	known.Validity = known.Params.MaxValidity
	proposal, err := account.Wallet().ProposeSplit(known, t.ID, &t.Trade, toProducer, toConsumer)
	if err != nil {
		return err
	}
	if proposal, err = account.Wallet().SignProposal(known, proposal, &t.Trade); err != nil {
		return err
	}
	v.Proposal = string(proposal.Encode())
	return c.render("divide", v)
}

// doAward divides the locked money as its arbiter.
func (c *screen) doAward() error {
	v, t, err := c.divide("award")
	if err != nil {
		return err
	}
	toProducer, toConsumer, err := c.share(v)
	if err != nil {
		return err
	}
	err = c.once(func(ctx context.Context, account *client.Account) error {
		_, err := account.Do(ctx, func(d *wallet.Draft) error { return d.Award(t.ID, &t.Trade, toProducer, toConsumer) })
		return err
	})
	if err != nil {
		return err
	}
	return c.redirect("/trades/" + t.ID.String())
}

// proposalView is the content of the page on which a proposal of another party is read.
type proposalView struct {
	Text, Error string
	Rows        []wallet.Row
	Odd         template.HTML
	Claims      []template.HTML
}

func (c *screen) askProposal() error {
	c.Nav, c.Title = "trades", string(c.T("proposal.title"))
	return c.render("proposal", &proposalView{})
}

// readProposal reads a proposal that was pasted, with the trade that it is about, if that is on the ledger.
func (c *screen) readProposal(ctx context.Context) (*wallet.Proposal, *types.Trade, *client.Account, wallet.Context, error) {
	var known wallet.Context
	proposal, err := wallet.ParseProposal([]byte(c.r.PostFormValue("proposal")))
	if err != nil {
		return nil, nil, nil, known, err
	}
	account, err := c.member.acting(ctx)
	if err != nil {
		return nil, nil, nil, known, err
	}
	if known, err = account.Context(ctx); err != nil {
		return nil, nil, nil, known, err
	}
	known.Money = func(id types.AssetID, amount types.Amount) string { return plainText(c.Money(id, amount)) }
	known.Moment = c.Stamp
	t, err := c.ask().Trade(ctx, proposal.Trade())
	switch types.CodeOf(err) {
	case types.CodeOK:
		return proposal, &t.Trade, account, known, nil
	case types.CodeNotFound, types.CodePruned, types.CodeTradeUnknown:
		return proposal, nil, account, known, nil
	}
	return nil, nil, nil, known, err
}

// showProposal explains a proposal before it is signed.
func (c *screen) showProposal() error {
	c.Nav, c.Title = "trades", string(c.T("proposal.title"))
	view := proposalView{Text: c.r.PostFormValue("proposal")}
	proposal, t, account, known, err := c.readProposal(c.r.Context())
	if err == nil {
		var explained *wallet.Explanation
		if explained, err = account.Wallet().Explain(known, proposal, t); err == nil {
			if agreement := proposal.Agreement(); agreement != nil {
				if asset, found := c.facts.asset(c.r.Context(), agreement.Asset); !found || !asset.Recognised && !c.trusts(&asset.Asset) {
					err = &wallet.Error{Reason: wallet.ReasonAsset, Detail: c.Plain("offer.unknown_asset")}
				}
			}
			view.Rows = explained.Rows
			if agreement := explained.Agreement; agreement != nil && !explained.Split && err == nil {
				view.Odd = c.oddPrice(c.r.Context(), &agreement.Goods, agreement.Asset, eachPrice(agreement))
				view.Claims, err = c.claims(agreement)
			}
			if explained.Signed {
				err = &wallet.Error{Reason: wallet.ReasonProposal, Detail: c.Plain("proposal.signed")}
			}
		}
	}
	if err != nil {
		view.Error, view.Rows, c.code = c.explain(err), nil, http.StatusUnprocessableEntity
	}
	return c.render("proposal", &view)
}

// doProposal signs a proposal that the other party has signed, and records it.
func (c *screen) doProposal() error {
	var id types.TradeID
	err := c.once(func(ctx context.Context, _ *client.Account) error {
		proposal, t, account, known, err := c.readProposal(ctx)
		if err != nil {
			return err
		}
		if agreement := proposal.Agreement(); agreement != nil {
			if asset, found := c.facts.asset(ctx, agreement.Asset); !found || !asset.Recognised && !c.trusts(&asset.Asset) {
				return &wallet.Error{Reason: wallet.ReasonAsset, Detail: c.Plain("offer.unknown_asset")}
			}
			if err := c.accepts(ctx, &agreement.Goods, agreement.Asset, eachPrice(agreement)); err != nil {
				return err
			}
		}
		if proposal, err = account.Wallet().SignProposal(known, proposal, t); err != nil {
			return err
		}
		id = proposal.Trade()
		_, err = account.Do(ctx, func(d *wallet.Draft) error { return d.Record(proposal, t) })
		return err
	})
	if err != nil {
		return err
	}
	return c.redirect("/trades/" + id.String())
}
