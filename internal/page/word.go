package page

import (
	"html/template"
	"net/http"

	"lockstep/client/wire"
	"lockstep/trade"
	"lockstep/types"
)

// An agent releases goods that no meter counts by its owner's word alone. The page asks for that word where the owner looks: on the trade and on Now.

// wordView is the agent's question about a trade, and the answer that its owner has given.
type wordView struct {
	Path string
	Ask  template.HTML
	Yes  template.HTML
	No   template.HTML // empty: not to answer says the same
	Said template.HTML
}

// word returns the question of the member's agent about a trade; nil where it has none.
func (c *screen) word(t *wire.Trade, status *trade.Status) *wordView {
	side := c.asksWord(t, status)
	if side == "" {
		return nil
	}
	a := &t.Trade.Agreement
	v := &wordView{Path: "/trades/" + t.ID.String() + "/word", Ask: c.T("word."+side+".ask", "goods", c.Goods(&a.Goods)), Yes: c.T("word." + side + ".yes")}
	if side == "consumer" {
		v.No = c.T("word.consumer.no")
	}
	if came, said := c.member.Agent.State().Said[t.ID]; said {
		key := "word." + side + ".said_no"
		if came {
			key = "word." + side + ".said_yes"
		}
		v.Said = c.T(key)
	}
	return v
}

// asksWord returns the side whose word the member's agent needs on a trade: the consumer's, whether the goods came, or the producer's, that it delivers. It is empty where
// the agent needs none: a meter counts, or the other side is to act.
func (c *screen) asksWord(t *wire.Trade, status *trade.Status) string {
	if !c.SignedIn() || c.member.Agent == nil || types.FallbackKind(t.Trade.Agreement.Fallback) == "meter" {
		return ""
	}
	goods := &t.Trade.Agreement.Goods
	switch {
	case status.Viewer == trade.Consumer && status.Phase == types.PhaseDelivered && c.Status.BlockTime > goods.Until:
		return "consumer"
	case status.Viewer == trade.Producer && status.Phase == types.PhasePaid && goods.Commodity != types.CommodityEnergy:
		return "producer"
	}
	return ""
}

// wordOf fetches the trade of the path, about which the agent asks.
func (c *screen) wordOf() (t wire.Trade, status trade.Status, side string, err error) {
	if c.member.Agent == nil {
		c.code = http.StatusNotFound
		return t, status, "", c.tell(types.CodeNotFound, "agent.none")
	}
	if t, status, err = c.tradeOf(); err != nil {
		return t, status, "", err
	}
	if side = c.asksWord(&t, &status); side == "" {
		err = c.tell(types.CodePhase, "word.none")
	}
	return t, status, side, err
}

// askWord asks before the agent releases the payment, or commits to the delivery, by its owner's word.
func (c *screen) askWord() error {
	t, status, side, err := c.wordOf()
	if err != nil {
		return err
	}
	a, p := &t.Trade.Agreement, c.printer(&t.Trade.Agreement)
	move, other := "release", a.Producer
	if side == "producer" {
		move, other = "deliver", a.Consumer
	}
	option, err := c.option(&t, &status, move)
	if err != nil {
		return err
	}
	q := &question{
		Title: c.T("ask."+move, "goods", c.Goods(&a.Goods), "name", c.Name(other)), Names: c.sides(a), Action: "/trades/" + t.ID.String() + "/word",
		Yes: c.T("yes." + move), Back: "/trades/" + t.ID.String(),
	}
	if side == "producer" {
		q.Rows = []questionRow{{c.T("ask.locks"), [2]template.HTML{"–", c.Money(a.Asset, locks(option.Effects))}}}
		c.worst(q, a)
	} else if err := c.askRelease(q, &t); err != nil {
		return err
	}
	q.Fields = [][2]string{{"word", "came"}}
	q.Lines = []template.HTML{
		c.T("does."+move, "producer", p.Name(trade.Producer), "consumer", p.Name(trade.Consumer), "goods", c.Goods(&a.Goods)), c.T("word.by_agent"),
	}
	return c.asked(q)
}

// doWord tells the agent its owner's word. That the goods did not come moves nothing, and takes no question.
func (c *screen) doWord() error {
	t, _, _, err := c.wordOf()
	if err != nil {
		return err
	}
	word := c.r.PostFormValue("word")
	switch {
	case word != "came" && word != "missing":
		return c.tell(types.CodeMalformed, "fault.word", "text", clipped(word))
	case word == "came" && !c.session.once(c.r.PostFormValue("number")):
		return c.tell(types.CodeReplay, "ask.twice")
	}
	if err := c.member.Agent.Say(t.ID, word == "came"); err != nil {
		return err
	}
	return c.redirect("/trades/" + t.ID.String())
}
