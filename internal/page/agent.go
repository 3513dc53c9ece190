package page

import (
	"html/template"
	"net/http"
	"strings"

	"lockstep/types"
)

// Agent is the program that trades for the member, as the page sees it. All methods return at once; the page asks at each look.
type Agent interface {
	// State returns the present activity, limits and values of the agent.
	State() AgentState
	// Pause stops new orders, or lets them go on. Trades that run go on in any case.
	Pause(paused bool) error
	// Say tells the agent its owner's word on a trade whose goods no meter counts: they came, or did not.
	Say(trade types.TradeID, came bool) error
}

// AgentState holds the activity, limits and values of an agent at a moment. Sums are in Asset, prices in its smallest units for one unit of energy.
type AgentState struct {
	Paused  bool
	Trouble Trouble // why it places no orders although it is not paused; empty: it does
	Asset   types.AssetID
	SellAt  *types.Rate // the least price of its offers; nil: it sells nothing
	BuyAt   *types.Rate // the highest price of its bids; nil: it buys nothing
	MayPay  types.Amount
	Paid    types.Amount           // of MayPay, today
	Tariff  *AgentTariff           // of the member's utility; nil: not known
	Power   *Power                 // by its meters; nil: no live values
	Meters  []MeterValue           // each meter, for the settings
	Plan    []PlannedSlot          // the next slots, in order
	Said    map[types.TradeID]bool // the owner's words on trades: whether the goods came
}

// Trouble is why an agent or a meter does not do its work: one of those below, which the page tells in its reader's language, with details
// behind a colon or without; or a sentence.
type Trouble string

// The troubles with a text of their own.
const (
	TroubleNode    Trouble = "node"    // the node does not answer
	TroubleUnseen  Trouble = "unseen"  // the ledger was not seen yet
	TroubleStandby Trouble = "standby" // another agent with the same words trades
	TroubleSilent  Trouble = "silent"  // the meter has told no value for some minutes
)

// trouble tells a trouble in the language of the reader.
func (c *screen) trouble(t Trouble) string {
	kind, details, _ := strings.Cut(string(t), ": ")
	key := "agent.trouble." + kind
	switch {
	case texts[key] == nil:
		return string(t)
	case details == "":
		return c.Plain(key) + c.Stop()
	}
	return c.Plain(key) + c.Colon() + details
}

// AgentTariff holds the prices of the utility for one unit of energy: to buy from it, and to sell to it.
type AgentTariff struct{ Charges, Pays types.Rate }

// Power is the power at the member's home at a moment, in watts.
type Power struct {
	At                     types.Time
	Own, House             uint64 // produced and consumed behind the connection point
	FromOutside, ToOutside uint64
}

// MeterValue is the live value of one meter.
type MeterValue struct {
	Name    string
	Watts   int64 // positive: from the grid into the home
	At      types.Time
	Trouble Trouble // why there is no value; empty: there is one
}

// PlannedSlot is the order that the agent plans for a slot.
type PlannedSlot struct {
	From, Until types.Time
	Side        types.Side
	Quantity    uint64
	Limit       types.Rate
	Ordered     bool // the order is in the book
}

// agentView is the agent's panel.
type agentView struct {
	Runs    bool
	Paused  bool
	Trouble string
	Rows    [][2]template.HTML
	Used    template.HTML
	Bar     template.HTML
}

// agentPanel composes the agent's panel.
func (c *screen) agentPanel() *agentView {
	v := &agentView{}
	if c.member == nil || c.member.Agent == nil {
		return v
	}
	state := c.member.Agent.State()
	v.Runs, v.Paused, v.Trouble = true, state.Paused, c.trouble(state.Trouble)
	row := func(key string, value template.HTML) { v.Rows = append(v.Rows, [2]template.HTML{c.T(key), value}) }
	if state.SellAt != nil {
		row("agent.sells", c.T("agent.or_more", "price", c.Rate(state.Asset, types.UnitWattHour, *state.SellAt)))
	}
	if state.BuyAt != nil {
		row("agent.buys", c.T("agent.or_less", "price", c.Rate(state.Asset, types.UnitWattHour, *state.BuyAt)))
	}
	if state.MayPay > 0 {
		row("agent.may_pay", c.Money(state.Asset, state.MayPay))
		paid := min(state.Paid, state.MayPay)
		v.Bar = bar("bar", c.Plain("agent.used", "paid", plainText(c.Sum(state.Asset, state.Paid)), "all", plainText(c.Sum(state.Asset, state.MayPay))),
			barPart{"fill", float64(paid)}, barPart{"rest", float64(state.MayPay - paid)})
		v.Used = c.T("agent.used", "paid", c.Sum(state.Asset, state.Paid), "all", c.Sum(state.Asset, state.MayPay))
	}
	for i := range state.Plan {
		if slot := &state.Plan[i]; i < mostPlanned {
			key := "agent.plan_bid"
			if slot.Side == types.Sell {
				key = "agent.plan_offer"
			}
			value := c.T(key, "q", c.Quantity(slot.Quantity, types.UnitWattHour), "price", c.Rate(state.Asset, types.UnitWattHour, slot.Limit))
			if !slot.Ordered {
				value += c.T("agent.plan_later")
			}
			v.Rows = append(v.Rows, [2]template.HTML{template.HTML(escape(c.Slot(slot.From, slot.Until))), value})
		}
	}
	return v
}

// mostPlanned bounds the slots of the plan that the panel lists.
const mostPlanned = 4

// setAgent pauses the agent, or lets it go on.
func (c *screen) setAgent() error {
	if c.member.Agent == nil {
		c.code = http.StatusNotFound
		return c.tell(types.CodeNotFound, "agent.none")
	}
	if err := c.member.Agent.Pause(c.r.PostFormValue("paused") == "yes"); err != nil {
		return err
	}
	return c.redirect(c.r.PostFormValue("back"))
}
