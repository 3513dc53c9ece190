package flat

import (
	"strconv"
	"time"

	"lockstep/trade"
	"lockstep/types"
)

// Row is one effect of an outcome. Sums are whole numbers of the asset's smallest unit, quantities of the unit of the goods; times are by the ledger clock
// in UTC, but those of a slot, which are block time. A column that has no meaning for the effect is null.
type Row struct {
	Leaf   uint64    `parquet:"leaf" json:"leaf" doc:"index of the leaf in the log of outcomes"`
	Place  uint32    `parquet:"place" json:"place" doc:"of the effect in its leaf, from 0"`
	Height uint64    `parquet:"height" json:"height" doc:"of the block"`
	At     time.Time `parquet:"at,timestamp(millisecond)" json:"at" doc:"ledger clock of the block"`
	Tx     *string   `parquet:"tx,optional" json:"tx,omitempty" doc:"the transaction; null when the clock or an auction did it"`
	Effect string    `parquet:"effect,dict" json:"effect" doc:"begun, noted, step, ended, matched, cleared or governed"`
	Event  *string   `parquet:"event,optional,dict" json:"event,omitempty" doc:"the kind of the event, such as paid; null when a further part of a trade was spent"`

	Trade    *string `parquet:"trade,optional" json:"trade,omitempty" doc:"ID of the trade"`
	Phase    *string `parquet:"phase,optional,dict" json:"phase,omitempty" doc:"of the trade, after the effect"`
	Released *uint32 `parquet:"released,optional" json:"released,omitempty" doc:"instalments released so far"`
	Allotted *uint64 `parquet:"allotted,optional" json:"allotted,omitempty,string" doc:"quantity allotted by readings, once settled"`
	Locked   *uint64 `parquet:"locked,optional" json:"locked,omitempty,string" doc:"sum that the trade still locks"`

	Producer    *string    `parquet:"producer,optional" json:"producer,omitempty" doc:"key"`
	Consumer    *string    `parquet:"consumer,optional" json:"consumer,omitempty" doc:"key"`
	Asset       *string    `parquet:"asset,optional,dict" json:"asset,omitempty" doc:"ID of the asset that is paid in"`
	Price       *uint64    `parquet:"price,optional" json:"price,omitempty,string" doc:"of all goods"`
	Deposit     *uint64    `parquet:"deposit,optional" json:"deposit,omitempty,string" doc:"of the consumer"`
	Bond        *uint64    `parquet:"bond,optional" json:"bond,omitempty,string" doc:"of the producer"`
	Commodity   *string    `parquet:"commodity,optional,dict" json:"commodity,omitempty" doc:"of the goods"`
	Unit        *string    `parquet:"unit,optional,dict" json:"unit,omitempty" doc:"of the goods"`
	Zone        *string    `parquet:"zone,optional,dict" json:"zone,omitempty" doc:"of the goods"`
	Quantity    *uint64    `parquet:"quantity,optional" json:"quantity,omitempty,string" doc:"of the goods"`
	SlotFrom    *time.Time `parquet:"slot_from,optional,timestamp(millisecond)" json:"slot_from,omitempty" doc:"begin of the slot of the goods; null without a slot"`
	SlotUntil   *time.Time `parquet:"slot_until,optional,timestamp(millisecond)" json:"slot_until,omitempty" doc:"its end"`
	Terms       *string    `parquet:"terms,optional,dict" json:"terms,omitempty" doc:"hold, meter or arbiter"`
	Instalments *uint32    `parquet:"instalments,optional" json:"instalments,omitempty" doc:"of the payment"`
	AgreedAt    *time.Time `parquet:"agreed_at,optional,timestamp(millisecond)" json:"agreed_at,omitempty" doc:"when it was agreed, or matched by an auction"`
	PaidAt      *time.Time `parquet:"paid_at,optional,timestamp(millisecond)" json:"paid_at,omitempty" doc:"null when it never was"`
	DeliveredAt *time.Time `parquet:"delivered_at,optional,timestamp(millisecond)" json:"delivered_at,omitempty" doc:"null when it never was"`
	DividedAt   *time.Time `parquet:"divided_at,optional,timestamp(millisecond)" json:"divided_at,omitempty" doc:"when its money was released, split, settled or awarded"`
	PayBy       *time.Time `parquet:"pay_by,optional,timestamp(millisecond)" json:"pay_by,omitempty" doc:"deadline"`
	DeliverBy   *time.Time `parquet:"deliver_by,optional,timestamp(millisecond)" json:"deliver_by,omitempty" doc:"deadline"`
	ConfirmBy   *time.Time `parquet:"confirm_by,optional,timestamp(millisecond)" json:"confirm_by,omitempty" doc:"deadline"`

	Product *string `parquet:"product,optional" json:"product,omitempty" doc:"ID of the product of an auction"`
	Orders  *uint32 `parquet:"orders,optional" json:"orders,omitempty" doc:"of a cleared auction"`
	Rounds  *uint32 `parquet:"rounds,optional" json:"rounds,omitempty" doc:"of a cleared auction"`
	Void    *string `parquet:"void,optional" json:"void,omitempty" doc:"why no auction was held"`
	Round   *uint32 `parquet:"round,optional" json:"round,omitempty" doc:"of a match: the round that made it, from 0"`
	Bid     *uint32 `parquet:"bid,optional" json:"bid,omitempty" doc:"of a match: place of the bid among the orders"`
	Offer   *uint32 `parquet:"offer,optional" json:"offer,omitempty" doc:"of a match: place of the offer among the orders"`
	Subject *string `parquet:"subject,optional" json:"subject,omitempty" doc:"of a note: ID of the offer or the product; of the begin: hash of the parameters; of a decision of operators: its number"`
}

// The values of the column effect.
const (
	effectBegun    = "begun"
	effectNoted    = "noted"
	effectStep     = "step"
	effectEnded    = "ended"
	effectMatched  = "matched"
	effectCleared  = "cleared"
	effectGoverned = "governed"
)

// Rows returns the rows of an outcome, the leaf at an index. With stories alone, only those of trades that ended.
func Rows(leaf uint64, o *types.Outcome, storiesAlone bool) (rows []Row) {
	for place, effect := range o.Effects {
		r := Row{Leaf: leaf, Place: uint32(place), Height: o.Height, At: o.At.Std()}
		if o.Tx != (types.TxID{}) {
			r.Tx = given(o.Tx.String())
		}
		switch e := effect.(type) {
		case *types.Begun:
			r.Effect, r.Subject = effectBegun, given(e.Params.String())
		case *types.Noted:
			r.Effect, r.Event = effectNoted, given(e.Event.String())
			if e.Subject != (types.Hash{}) {
				r.Subject = given(e.Subject.String())
			}
		case *types.Stepped:
			r.step(e)
		case *types.Ended:
			r.story(e)
		case *types.Matched:
			r.match(e)
		case *types.Cleared:
			r.cleared(e)
		case *types.Governed:
			r.Effect, r.Subject = effectGoverned, given(strconv.FormatUint(e.Number, 10))
		}
		if !storiesAlone || r.Effect == effectEnded {
			rows = append(rows, r)
		}
	}
	return rows
}

func given[T any](value T) *T { return &value }

func number[T ~uint8 | ~uint16 | ~int](value T) *uint32 { return given(uint32(value)) }

func moment(t types.Time) *time.Time {
	if t == 0 {
		return nil
	}
	return given(t.Std())
}

// text is null for an empty one.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (r *Row) step(e *types.Stepped) {
	r.Effect, r.Event, r.Trade, r.Phase = effectStep, text(e.Event.String()), given(e.Trade.String()), given(e.Phase.String())
	r.Released, r.Allotted, r.Locked = number(e.Released), &e.Allotted, lockedSum(e.Locked)
}

func lockedSum(parts []types.Locked) *uint64 {
	t := types.Trade{Locked: parts}
	return given(uint64(t.LockedSum()))
}

func (r *Row) story(e *types.Ended) {
	t, a := e.Trade, &e.Trade.Agreement
	r.Effect, r.Event, r.Trade, r.Phase = effectEnded, text(e.Event.String()), given(t.ID().String()), given(t.Phase.String())
	r.Released, r.Allotted, r.Locked = number(t.Released), &t.Allotted, lockedSum(t.Locked)
	r.Producer, r.Consumer, r.Asset = given(a.Producer.String()), given(a.Consumer.String()), given(a.Asset.String())
	r.Price, r.Deposit, r.Bond = given(uint64(a.Price)), given(uint64(a.Deposit)), given(uint64(a.Bond))
	r.goods(a.Goods.Commodity, a.Goods.Unit, a.Goods.Zone, a.Goods.From, a.Goods.Until)
	r.Quantity, r.Terms, r.Instalments = &a.Goods.Quantity, given(types.FallbackKind(a.Fallback)), number(a.Instalments)
	r.PayBy, r.DeliverBy, r.ConfirmBy = moment(a.Deadlines.PayBy), moment(a.Deadlines.DeliverBy), moment(a.Deadlines.ConfirmBy)
	for _, step := range t.Steps {
		switch step.Kind {
		case types.StepAgreed, types.StepMatched:
			r.AgreedAt = moment(step.At)
		case types.StepPaid:
			r.PaidAt = moment(step.At)
		case types.StepDelivered:
			r.DeliveredAt = moment(step.At)
		case types.StepReleased, types.StepSplit, types.StepSettled, types.StepAwarded:
			if step.Kind == trade.EndingStep(t.Phase) {
				r.DividedAt = moment(step.At)
			}
		case types.StepCollected, types.StepReturned, types.StepRefunded: // of its parts
		}
	}
}

func (r *Row) goods(commodity, unit, zone string, from, until types.Time) {
	r.Commodity, r.Unit, r.Zone, r.SlotFrom, r.SlotUntil = &commodity, &unit, text(zone), moment(from), moment(until)
}

func (r *Row) match(e *types.Matched) {
	m := &e.Match
	r.Effect, r.Product, r.Trade = effectMatched, given(e.Product.String()), given(m.Trade.String())
	r.Quantity, r.Price, r.Round, r.Bid, r.Offer = &m.Quantity, given(uint64(m.Price)), given(m.Round), given(m.Bid), given(m.Offer)
}

func (r *Row) cleared(e *types.Cleared) {
	r.Effect, r.Product, r.Asset = effectCleared, given(e.Product.ID().String()), given(e.Product.Asset.String())
	r.goods(e.Product.Commodity, e.Product.Unit, e.Product.Zone, e.Product.From, e.Product.Until)
	r.Orders, r.Rounds, r.Void = &e.Orders, number(len(e.Rounds)), text(e.Void)
}
