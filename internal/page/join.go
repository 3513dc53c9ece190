package page

import (
	"context"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/advice"
	"lockstep/types"
	"lockstep/wallet"
)

// joinRoutes adds the steps of a newcomer to a members' ledger and of its operators, and the book of names.
func (s *Server) joinRoutes(do func(string, page)) {
	do("/join", (*screen).doJoin)
	do("/admit", (*screen).doAdmit)
	do("/decline-join", (*screen).doDecline)
	do("/keys/{key}/name", (*screen).doName)
}

// newcomer is a wallet whose key is not a member of a members' ledger.
type newcomer struct {
	Asked    string // the name in its request; empty without one
	Until    string // the end of a request that waits
	Declined string // the operator's reason, if the request was declined
	By       string // the operator
	Typed    string // the name of a form that failed
	Wrong    string // the failure
}

// State is the state of the newcomer's request.
func (n *newcomer) State() string {
	switch {
	case n.Declined != "":
		return "declined"
	case n.Asked != "":
		return "waits"
	}
	return "new"
}

// Newcomer returns the viewer as a newcomer; nil for a member, an operator, and on a ledger that is open to all.
func (c *screen) Newcomer() *newcomer {
	params, err := c.ask().Params(c.r.Context())
	if err != nil || c.self == (types.PublicKey{}) || params.Entries.By != types.EntryMembers || slices.Contains(params.Operators, c.self) {
		return nil
	}
	n := &newcomer{}
	if c.wrongJoin != nil {
		n.Typed, n.Wrong = c.r.PostFormValue("name"), c.Upper(c.explain(c.wrongJoin))
	}
	state, err := c.ask().JoinState(c.r.Context(), c.self)
	switch {
	case err != nil: // none, or a node that keeps no requests
		if _, err := c.ask().Member(c.r.Context(), c.self); types.CodeOf(err) != types.CodeNotFound {
			return nil
		}
	case state.Member != nil:
		return nil
	case state.Decline != nil:
		n.Asked = cleanName(state.Request.Member.Name)
		if slices.Contains(params.Operators, state.Decline.Operator) { // else the node has made it up
			n.Declined, n.By = cleanName(state.Decline.Reason), c.Name(state.Decline.Operator)
		}
	default:
		n.Asked, n.Until = cleanName(state.Request.Member.Name), c.Day(state.Request.ValidUntil)
	}
	return n
}

// joinRow is a request that waits for an operator.
type joinRow struct {
	Name string
	Key  types.PublicKey
	Late string // when it runs out

	advice.NameDoubts
}

// Joins lists the requests to join for an operator; none for other viewers.
func (c *screen) Joins() (rows []joinRow) {
	params, err := c.ask().Params(c.r.Context())
	if err != nil || c.self == (types.PublicKey{}) || !slices.Contains(params.Operators, c.self) {
		return nil
	}
	requests, err := c.ask().JoinRequests(c.r.Context())
	if err != nil {
		return nil
	}
	var members []types.Member
	if len(requests) > 0 {
		if members, err = advice.Members(c.r.Context(), c.ask()); err != nil {
			return nil
		}
	}
	for i := range requests {
		r := &requests[i]
		rows = append(rows, joinRow{cleanName(r.Member.Name), r.Member.Key, c.Day(r.ValidUntil), advice.DoubtsOfName(&r.Member, members)})
	}
	return rows
}

// doJoin asks the operators to admit the member's key. After a failure the form shows it, with the typed name.
func (c *screen) doJoin() error {
	if err := c.join(); err != nil {
		c.wrongJoin, c.code = err, http.StatusUnprocessableEntity
		return c.startTrade()
	}
	return c.redirect("/start/trade")
}

func (c *screen) join() error {
	account, err := c.member.acting(c.r.Context())
	if err != nil {
		return err
	}
	known, err := account.Context(c.r.Context())
	if err != nil {
		return err
	}
	request, err := account.Wallet().JoinRequest(known, strings.TrimSpace(c.r.PostFormValue("name")), types.TimeOf(c.now()))
	if err != nil {
		return err
	}
	return c.ask().Join(c.r.Context(), &request)
}

// doDecline refuses a request to join, with a reason that the newcomer reads on its page.
func (c *screen) doDecline() error {
	key, err := types.ParseKey(c.r.PostFormValue("key"))
	if err != nil {
		return err
	}
	state, err := c.ask().JoinState(c.r.Context(), key)
	if err != nil {
		return err
	}
	if state.State != wire.JoinWaiting {
		return c.tell(types.CodeNotFound, "joins.decided")
	}
	account, err := c.member.acting(c.r.Context())
	if err != nil {
		return err
	}
	known, err := account.Context(c.r.Context())
	if err != nil {
		return err
	}
	decline, err := account.Wallet().JoinDecline(known, state.Request, strings.TrimSpace(c.r.PostFormValue("reason")))
	if err != nil {
		return err
	}
	if err := c.ask().DeclineJoin(c.r.Context(), &decline); err != nil {
		return err
	}
	return c.redirect("/community#joins")
}

// doAdmit makes the key of a request a member. The name is the one that was shown. It takes one click, and a question where the ledger takes a fee.
func (c *screen) doAdmit() error {
	key, err := types.ParseKey(c.r.PostFormValue("key"))
	if err != nil {
		return err
	}
	member := types.Member{Key: key, Name: c.r.PostFormValue("name")}
	if err := member.Check(); err != nil {
		return err
	}
	params, err := c.ask().Params(c.r.Context())
	if err != nil {
		return err
	}
	if params.MinFee > 0 && c.r.PostFormValue("number") == "" {
		return c.askAdmit(&member)
	}
	admit := func(ctx context.Context, account *client.Account) error {
		_, err := account.Do(ctx, func(d *wallet.Draft) error {
			d.Admit(member)
			return nil
		})
		return err
	}
	if params.MinFee > 0 {
		err = c.once(admit)
	} else if account, failed := c.member.acting(c.r.Context()); failed != nil {
		err = failed
	} else {
		err = admit(c.r.Context(), account)
	}
	if err != nil {
		return err
	}
	c.facts.forget()
	return c.redirect("/community#joins")
}

// askAdmit asks before an operator pays a fee to admit a member.
func (c *screen) askAdmit(member *types.Member) error {
	title := c.T("joins.admit", "name", isolated(cleanName(member.Name)))
	q := &question{
		Title: title, Action: "/admit", Yes: title, Back: "/community", Fields: [][2]string{{"key", member.Key.String()}, {"name", member.Name}},
		Lines: []template.HTML{c.T("send.key", "key", member.Key.String())},
	}
	if err := c.fee(q, func(account *client.Account) (*wallet.Draft, error) {
		d, err := account.Draft(c.r.Context())
		if err == nil {
			d.Admit(*member)
		}
		return d, err
	}); err != nil {
		return err
	}
	return c.asked(q)
}

// doName calls a key by a label of the member's own; an empty one takes it back.
func (c *screen) doName() error {
	var key types.PublicKey
	if err := c.whole("key", c.r.PathValue("key"), &key); err != nil {
		return err
	}
	book, label := c.member.unlocked(), strings.TrimSpace(c.r.PostFormValue("label"))
	if book == nil {
		return &wallet.Error{Reason: wallet.ReasonPassphrase, Detail: c.Plain("wallet.locked")}
	}
	if before := book.LabelOf(key); label == "" && before != "" {
		if err := book.Unname(before); err != nil {
			return err
		}
	} else if label != "" {
		if err := book.Name(key, label); err != nil {
			return err
		}
	}
	return c.redirect("/keys/" + key.String())
}

// Label is the member's own label for a key; empty without one.
func (c *screen) Label(key types.PublicKey) string {
	if c.member == nil || c.self == (types.PublicKey{}) {
		return ""
	}
	if book := c.member.unlocked(); book != nil {
		return book.LabelOf(key)
	}
	return ""
}

// Named reports whether the viewer has a book of names, in which the key can stand.
func (c *screen) Named(key types.PublicKey) bool {
	return c.member != nil && c.self != (types.PublicKey{}) && key != c.self
}
