package page

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"lockstep/types"
)

// Town is a community that is played on a ledger of its own. The reader watches it, opens the pages of its households, and interferes.
type Town interface {
	// Scene describes the town as it is now.
	Scene() TownScene
	// Steer changes the conduct of a household.
	Steer(house int, change TownSteer) error
	// SendCloud lets a cloud stand over all roofs for an hour of the day, or lets it pass.
	SendCloud(stand bool)
	// KillNode kills the process of the node.
	KillNode() error
	// StartNode starts the node again.
	StartNode(ctx context.Context) error
	// Enter returns a link that opens the page of a household with a session, once.
	Enter(ctx context.Context, house int) (string, error)
}

// Seat is the place of a page in a town: that of one household, or the one from which the whole town is steered.
type Seat struct {
	Town  Town
	House int // [WholeTown], or the place of the household
}

// WholeTown is the seat that sees and steers everything.
const WholeTown = -1

// TownScene is a town at a moment. Times are those of the day that is played, as people write them.
type TownScene struct {
	Day         int // from 1 on
	From, Until string
	Asset       types.AssetID
	Price       types.Amount // of a Wh in the present slot
	PriceDigits uint8        // of a price in ct/kWh, as its smallest step needs them
	Begun       bool         // the first slot has begun
	Cloud       string       // until when a cloud stands; empty without
	Node        TownNode
	Houses      []TownHouse
	Flows       []TownFlow // of the present slot
	Events      []TownEvent
	Prices      []TownPrice // of the day so far
	Passphrase  string      // of the households' wallets, for a session that is over
}

// TownNode is the state of the town's node.
type TownNode struct {
	Running bool // its process runs
	Answers bool
	Failure string // why it ended, unless it was killed
}

// TownHouse is a household in the present slot, and since the first one.
type TownHouse struct {
	Place             int
	Name              string
	Key               types.PublicKey
	Roof              bool
	Sun, Load         uint64 // Wh in the slot
	Sells, Buys       uint64 // of it, to and from others
	Spendable, Locked types.Amount
	Saved             int64 // against the utility alone
	Bid, Ask          types.Amount
	ByHand            bool
	NoDelivery        bool
	NoRelease         bool
}

// TownFlow is energy that one household sells to another.
type TownFlow struct {
	From, To int
	Quantity uint64
	Broken   bool // the seller feeds nothing in
}

// TownPrice is the result of a slot's auction.
type TownPrice struct {
	Clock  string
	Price  types.Amount // of a Wh; zero without a match
	Volume uint64
}

// TownEvent is an event with its consequences, of one kind in the slots of one cause.
type TownEvent struct {
	Kind     TownKind
	Day      int
	From     string // the slot in which it began
	Until    string // the end of the last one; empty when it has no length
	House    int    // the cause; [WholeTown] for all
	Others   []int
	Trades   int
	Energy   uint64
	Read     uint64 // of it, as metered
	Price    types.Amount
	Lost     types.Amount // what the cause lost to the others
	Seconds  int          // how long it took, or the others had to wait
	Missed   int          // orders that came too late
	Locked   types.Amount
	Spending int // trades under way
}

// TownKind is the kind of an event.
type TownKind string

// The kinds of events.
const (
	TownBegins      TownKind = "begins"    // the first day
	TownMorning     TownKind = "morning"   // another day, with new money
	TownCheats      TownKind = "cheats"    // a household stops feeding in, or releasing
	TownReforms     TownKind = "reforms"   // and keeps its word again
	TownWithholds   TownKind = "withholds" // a household stops releasing
	TownReleases    TownKind = "releases"  // and releases again
	TownHand        TownKind = "hand"      // a household is driven by hand
	TownItself      TownKind = "itself"    // and by itself again
	TownCloudComes  TownKind = "cloud"
	TownCloudPasses TownKind = "sun"
	TownShade       TownKind = "shade"       // a cloud over one roof
	TownUndelivered TownKind = "undelivered" // trades were settled without a reading
	TownShort       TownKind = "short"       // with less than was sold
	TownWithheld    TownKind = "withheld"    // read in full and not released
	TownKilled      TownKind = "killed"
	TownBack        TownKind = "back"
)

// TownSteer is a change of a household's conduct.
type TownSteer struct {
	Conduct  TownConduct
	On       bool
	Bid, Ask types.Amount // of a Wh, with [ConductLimits]
}

// TownConduct names the part of a household's conduct that changes.
type TownConduct string

// The parts of a household's conduct.
const (
	ConductDelivers TownConduct = "delivers"
	ConductReleases TownConduct = "releases"
	ConductByHand   TownConduct = "hand"
	ConductLimits   TownConduct = "limits"
)

// townView is the content of the page of a town.
type townView struct {
	TownScene
	Only   int // the household of the seat, or [WholeTown]
	Shown  []TownHouse
	Volume uint64
	Roofs  int // that sell in the slot
	Takers int
	Events []townEvent
}

// townEvent is an event with its text.
type townEvent struct {
	TownEvent
	Sign string
}

func (s *Server) townRoutes(mux *http.ServeMux, look func(string, page)) {
	mux.Handle("POST /town/house/{place}", s.change((*screen).steerHouse))
	if s.seat.House != WholeTown {
		look("/town", (*screen).town)
		return
	}
	look("/{$}", (*screen).town)
	look("/town/open/{place}", (*screen).openHouse)
	mux.Handle("POST /town/cloud", s.change((*screen).sendCloud))
	mux.Handle("POST /town/node", s.change((*screen).switchNode))
}

// Seated reports whether the page has a seat in a town.
func (c *screen) Seated() bool { return c.seat != nil }

// TownPath is the path of the page of the town.
func (c *screen) TownPath() string {
	if c.seat != nil && c.seat.House != WholeTown {
		return "/town"
	}
	return "/"
}

func (c *screen) town() error {
	c.Nav, c.Live, c.Title = "town", "town", string(c.T("nav.town"))
	c.Status, c.Down = c.facts.status(c.r.Context())
	view := townView{TownScene: c.seat.Town.Scene(), Only: c.seat.House}
	if view.Shown = view.Houses; view.Only != WholeTown {
		c.Title = string(c.T("nav.house"))
		view.Shown = view.Houses[view.Only : view.Only+1]
	}
	for i := range view.Houses {
		house := &view.Houses[i]
		if view.Volume += house.Sells; house.Sells > 0 {
			view.Roofs++
		}
		if house.Buys > 0 {
			view.Takers++
		}
	}
	const most = 14
	for i := range view.TownScene.Events {
		event := &view.TownScene.Events[i]
		if view.Only == WholeTown || event.concerns(view.Only) {
			view.Events = append(view.Events, townEvent{*event, signs[event.Kind]})
		}
		if len(view.Events) == most {
			break
		}
	}
	return c.render("town", &view)
}

// concerns reports whether an event is about a household.
func (e *TownEvent) concerns(house int) bool {
	if e.House == house || e.House == WholeTown {
		return true
	}
	for _, other := range e.Others {
		if other == house {
			return true
		}
	}
	return false
}

// signs are the signs beside the events.
var signs = map[TownKind]string{ //nolint:gochecknoglobals // a constant table
	TownCheats: "other", TownWithholds: "other", TownUndelivered: "other", TownWithheld: "other", TownShort: "other", TownKilled: "other",
	TownCloudComes: "pend", TownShade: "pend", TownHand: "pend", TownBegins: "lock", TownMorning: "lock",
	TownReforms: "open", TownReleases: "open", TownItself: "open", TownCloudPasses: "open", TownBack: "open",
}

// place is the household that a path names.
func (c *screen) place() (int, error) {
	text := c.r.PathValue("place")
	place, err := strconv.Atoi(text)
	if err != nil || place < 0 || place >= len(c.seat.Town.Scene().Houses) || c.seat.House != WholeTown && c.seat.House != place {
		return 0, c.tell(types.CodeNotFound, "fault.household", "text", clipped(text))
	}
	return place, nil
}

func (c *screen) steerHouse() error {
	place, err := c.place()
	if err != nil {
		return err
	}
	change := TownSteer{Conduct: TownConduct(c.r.PostFormValue("conduct")), On: c.r.PostFormValue("on") == "yes"}
	switch change.Conduct {
	case ConductDelivers, ConductReleases, ConductByHand:
	case ConductLimits:
		digits := c.seat.Town.Scene().PriceDigits
		for _, limit := range []struct {
			name string
			to   *types.Amount
		}{{"bid", &change.Bid}, {"ask", &change.Ask}} {
			text := strings.TrimSpace(c.r.PostFormValue(limit.name))
			if text == "" && limit.name == "ask" {
				continue // a household without a roof asks nothing
			}
			if *limit.to, err = types.ParseAmount(text, digits); err != nil {
				return c.tell(types.CodeMalformed, "fault.price", "text", clipped(text))
			}
		}
	default:
		return types.Refuse(types.CodeMalformed, "a household has no conduct %.20q", string(change.Conduct))
	}
	if err := c.seat.Town.Steer(place, change); err != nil {
		return err
	}
	return c.redirect(c.TownPath())
}

func (c *screen) sendCloud() error {
	c.seat.Town.SendCloud(c.r.PostFormValue("on") == "yes")
	return c.redirect("/")
}

func (c *screen) switchNode() error {
	var err error
	if c.r.PostFormValue("on") == "yes" {
		err = c.seat.Town.StartNode(c.r.Context())
	} else {
		err = c.seat.Town.KillNode()
	}
	c.facts.stale()
	if err != nil {
		return err
	}
	return c.redirect("/")
}

// openHouse leads to the page of a household, with a link that works once.
func (c *screen) openHouse() error {
	place, err := c.place()
	if err != nil {
		return err
	}
	link, err := c.seat.Town.Enter(c.r.Context(), place)
	if err != nil {
		return err
	}
	http.Redirect(c.w, c.r, link, http.StatusSeeOther)
	return nil
}
