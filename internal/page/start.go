package page

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/types"
	"lockstep/wallet"
)

// A first start leads from nothing to a finished trade: a password, the words and their check, a ledger, a trade. The wallet's file is
// written only after the words were checked, so that no wallet exists of which nobody has the words.

// freshWallet is a wallet that is being made: its words are shown until they are checked. It is kept in memory alone.
type freshWallet struct {
	session    *session
	passphrase string
	words      []string
	places     []int // of the words that are asked for, from 1 on
}

// The steps of a first start, in order.
const (
	stepWelcome = iota
	stepPassword
	stepWords
	stepCheck
	stepLedger
	stepTrade
)

// startView is the content of a step.
type startView struct {
	Step     int
	Steps    []startStep
	Error    string
	Words    []string
	Places   []int
	Typed    string
	Reached  *wire.Status // the node that answers at the address
	Address  string
	Offer    *wire.Offer
	Offers   int
	Practice bool
	Restore  bool
	Exists   bool
	Balance  *wire.Balance
}

type startStep struct{ Class, Name string }

func (s *Server) startRoutes(mux *http.ServeMux, look func(string, page)) {
	look("/start", (*screen).startWelcome)
	look("/start/password", (*screen).startPassword)
	look("/start/restore", (*screen).startRestore)
	look("/start/words", (*screen).startWords)
	look("/start/check", (*screen).startCheck)
	look("/start/ledger", unlocked((*screen).startLedger))
	look("/start/trade", unlocked((*screen).startTrade))
	do := func(path string, p page) { mux.Handle("POST "+path, s.change(p)) }
	do("/start/password", (*screen).makePassword)
	do("/start/restore", (*screen).restore)
	do("/start/check", (*screen).checkWords)
	do("/start/practice", unlocked((*screen).practise))
	do("/start/connect", unlocked((*screen).connect))
}

// startStep renders a step.
func (c *screen) startStep(v *startView, wrong error) error {
	c.Bare, c.Live, c.Title = true, "", c.Plain("start.title")
	if wrong != nil {
		v.Error, c.code = c.explain(wrong), http.StatusUnprocessableEntity
	}
	for i, name := range []string{"welcome", "password", "words", "check", "ledger", "trade"} {
		class := ""
		switch {
		case i < v.Step:
			class = "done"
		case i == v.Step:
			class = "here"
		}
		v.Steps = append(v.Steps, startStep{class, c.Plain("start.step." + name)})
	}
	return c.render("start", v)
}

func (c *screen) startWelcome() error {
	return c.startStep(&startView{Step: stepWelcome, Exists: c.member.exists()}, nil)
}

func (c *screen) startPassword() error {
	return c.startStep(&startView{Step: stepPassword, Exists: c.member.exists()}, nil)
}

func (c *screen) startRestore() error {
	return c.startStep(&startView{Step: stepPassword, Restore: true, Exists: c.member.exists()}, nil)
}

// password reads a new passphrase that was typed twice.
func (c *screen) password() (string, error) {
	first := c.r.PostFormValue("passphrase")
	if c.member.exists() {
		return "", &wallet.Error{Reason: wallet.ReasonExists, Detail: c.Plain("start.exists", "file", c.member.File)}
	}
	if first != c.r.PostFormValue("again") {
		return "", &wallet.Error{Reason: wallet.ReasonPassphrase, Detail: c.Plain("start.differ")}
	}
	return first, wallet.CheckPassphrase(first)
}

// makePassword draws the words of a new wallet.
func (c *screen) makePassword() error {
	passphrase, err := c.password()
	if err != nil {
		return c.startStep(&startView{Step: stepPassword}, err)
	}
	seed, err := wallet.NewSeed(rand.Reader, "")
	if err != nil {
		return err
	}
	fresh := &freshWallet{session: c.session, passphrase: passphrase, words: strings.Fields(seed.Words())}
	if fresh.places, err = somePlaces(len(fresh.words)); err != nil {
		return err
	}
	c.member.mu.Lock()
	c.member.fresh = fresh
	c.member.mu.Unlock()
	return c.redirect("/start/words")
}

// somePlaces draws three places of a list, in order.
func somePlaces(n int) (places []int, err error) {
	const asked = 3
	for len(places) < asked {
		at, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
		if err != nil {
			return nil, err
		}
		if place := int(at.Int64()) + 1; !slices.Contains(places, place) {
			places = append(places, place)
		}
	}
	slices.Sort(places)
	return places, nil
}

// fresh returns the wallet that this session is making; nil when there is none.
func (c *screen) fresh() *freshWallet {
	c.member.mu.Lock()
	defer c.member.mu.Unlock()
	if fresh := c.member.fresh; fresh != nil && fresh.session == c.session {
		return fresh
	}
	return nil
}

func (c *screen) startWords() error {
	fresh := c.fresh()
	if fresh == nil {
		return c.redirect("/start")
	}
	return c.startStep(&startView{Step: stepWords, Words: fresh.words}, nil)
}

func (c *screen) startCheck() error {
	fresh := c.fresh()
	if fresh == nil {
		return c.redirect("/start")
	}
	return c.startStep(&startView{Step: stepCheck, Places: fresh.places}, nil)
}

// checkWords writes the wallet once the reader has shown that the words are on paper.
func (c *screen) checkWords() error {
	fresh := c.fresh()
	if fresh == nil {
		return c.redirect("/start")
	}
	for _, place := range fresh.places {
		if typed := strings.ToLower(strings.TrimSpace(c.r.PostFormValue(fmt.Sprintf("word%d", place)))); typed != fresh.words[place-1] {
			return c.startStep(&startView{Step: stepCheck, Places: fresh.places}, &wallet.Error{Reason: wallet.ReasonWords, Detail: c.Plain("start.wrong_word", "n", place)})
		}
	}
	made, err := wallet.Restore(c.member.File, strings.Join(fresh.words, " "), fresh.passphrase, c.member.Options)
	if err != nil {
		return err
	}
	c.member.adopt(made)
	c.member.mu.Lock()
	c.member.fresh = nil
	c.member.mu.Unlock()
	return c.redirect("/start/ledger")
}

// restore makes the wallet again from its words.
func (c *screen) restore() error {
	view := startView{Step: stepPassword, Restore: true}
	passphrase, err := c.password()
	if err != nil {
		return c.startStep(&view, err)
	}
	options := c.member.Options
	options.Extra = c.r.PostFormValue("extra")
	made, err := wallet.Restore(c.member.File, c.r.PostFormValue("words"), passphrase, options)
	if err != nil {
		return c.startStep(&view, err)
	}
	c.member.adopt(made)
	return c.redirect("/start/ledger")
}

func (c *screen) startLedger() error { return c.ledgerStep(nil) }

func (c *screen) ledgerStep(wrong error) error {
	view := startView{Step: stepLedger, Practice: c.member.Ledgers != nil}
	if view.Practice {
		view.Address = c.member.Ledgers.Address()
	}
	if typed := c.r.PostFormValue("address"); typed != "" {
		view.Typed = typed
	}
	if status, err := c.facts.status(c.r.Context()); err == nil && !c.member.practising() {
		view.Reached = &status
	}
	return c.startStep(&view, wrong)
}

// practise begins the practice ledger.
func (c *screen) practise() error {
	if c.member.Ledgers == nil {
		return c.tell(types.CodeNotFound, "error.no_page", "path", c.r.URL.Path)
	}
	if err := c.member.Ledgers.Practice(c.r.Context()); err != nil {
		return err
	}
	c.moved()
	return c.redirect("/start/trade")
}

// moved forgets the ledger that was asked before.
func (c *screen) moved() {
	c.member.moved()
	c.facts.forget()
	c.live.moved()
	c.payments.moved()
}

// connect asks another node from now on.
func (c *screen) connect() error {
	if c.member.Ledgers == nil {
		return c.tell(types.CodeNotFound, "error.no_page", "path", c.r.URL.Path)
	}
	if err := c.member.Ledgers.Connect(c.r.Context(), strings.TrimSpace(c.r.PostFormValue("address"))); err != nil {
		return c.ledgerStep(err)
	}
	c.moved()
	if _, err := c.member.acting(c.r.Context()); err != nil {
		return c.ledgerStep(err)
	}
	return c.redirect("/start/trade")
}

// startTrade leads to the first trade.
func (c *screen) startTrade() error {
	view := startView{Step: stepTrade, Practice: c.member.practising()}
	ctx := c.r.Context()
	if view.Practice {
		id, err := c.member.Ledgers.Welcome(ctx, c.self)
		if err != nil {
			return err
		}
		offer, err := c.ask().Offer(ctx, id)
		if err != nil {
			return err
		}
		view.Offer = &offer
	} else {
		offers, err := c.ask().Offers(ctx, client.Page{Limit: mostOver})
		if err != nil {
			return err
		}
		view.Offers = len(offers.Offers)
	}
	balances, err := c.ask().Balances(ctx, c.self, client.Page{Limit: mostOver})
	if err != nil {
		return err
	}
	view.Balance = first(c.sorted(balances.Balances))
	c.Status, c.Down = c.facts.status(ctx)
	return c.startStep(&view, nil)
}

// Practising reports whether this is the practice ledger.
func (c *screen) Practising() bool { return c.member != nil && c.member.practising() }
