package main

import (
	"context"
	"fmt"
	"math/bits"
	"slices"
	"sort"
	"strings"
	"time"

	"lockstep/client/wire"
	"lockstep/trade/words"
	"lockstep/types"
	"lockstep/wallet"
)

type offerCmd struct {
	Post   offerPostCmd   `cmd:"" help:"Post a standing offer."`
	List   offerListCmd   `cmd:"" help:"List the standing offers."`
	Cancel offerCancelCmd `cmd:"" help:"Withdraw the rest of an offer."`
}

// termsFlags describe goods and terms, for an offer or an agreement.
type termsFlags struct {
	Commodity     string        `help:"Commodity of the goods." default:"energy"`
	Unit          string        `help:"Unit of the goods; \"item\" for one thing." default:"Wh"`
	Quantity      string        `help:"Quantity, such as 2kWh; a number alone counts units. Of \"item\" it is 1." placeholder:"QUANTITY"`
	Zone          string        `help:"Place of delivery." placeholder:"TEXT"`
	From          *types.Time   `help:"Begin of the slot; by default the first quarter-hour that begins after deliver-by." placeholder:"TIME"`
	Until         *types.Time   `help:"End of the slot; by default a quarter-hour later." placeholder:"TIME"`
	Note          string        `help:"A public description, up to 512 bytes." placeholder:"TEXT"`
	Asset         string        `help:"Asset of the payment, by its code or its id." required:"" placeholder:"ASSET"`
	Instalments   uint16        `help:"Number of instalments in which the payment is released." default:"1"`
	PayWithin     time.Duration `help:"Time from now until pay-by." default:"15m"`
	DeliverWithin time.Duration `help:"Time from pay-by until deliver-by." default:"15m"`
	ReadWithin    time.Duration `help:"Time from deliver-by until reading-by; with a connection point, from the end of the slot." default:"15m"`
	ConfirmWithin time.Duration `help:"Time from reading-by until confirm-by." default:"15m"`
	Fallback      string        `help:"Terms if the last secret is not known by confirm-by: hold, meter or arbiter. By default meter for energy that a meter of the seller measures, else hold." enum:",hold,meter,arbiter" default:"" placeholder:"TERMS"`
	Arbiter       string        `help:"Key of the arbiter." placeholder:"KEY"`
	pointFlags
	yesFlag
}

const quarterHour = types.Duration(15 * 60 * 1000)

// describe returns the goods and the deadlines that the flags describe; now is the ledger clock.
func (f *termsFlags) describe(now types.Time, params *types.Params) (types.Goods, types.Deadlines, error) {
	goods := types.Goods{Commodity: f.Commodity, Unit: unitOf(f.Unit), Zone: f.Zone, Note: f.Note}
	var d types.Deadlines
	var err error
	if goods.Quantity, err = f.quantity(); err != nil {
		return goods, d, err
	}
	d.PayBy = now.Add(types.DurationOf(f.PayWithin))
	d.DeliverBy = d.PayBy.Add(types.DurationOf(f.DeliverWithin))
	goods.Flow = f.flow()
	slot := f.slot(params)
	if f.Commodity == types.CommodityEnergy || f.From != nil {
		goods.From = firstSlot(d.DeliverBy, slot)
		if f.From != nil {
			goods.From = *f.From
		}
		goods.Until = goods.From.Add(slot)
		if f.Until != nil {
			goods.Until = *f.Until
		}
	}
	d.ReadingBy = d.DeliverBy.Add(types.DurationOf(f.ReadWithin))
	if !goods.Flow.IsZero() {
		d.ReadingBy = goods.Until.Add(types.DurationOf(f.ReadWithin))
	}
	d.ConfirmBy = d.ReadingBy.Add(types.DurationOf(f.ConfirmWithin))
	return goods, d, nil
}

// slot returns the length of the slots of the goods: the ledger's where a meter counts, else a quarter-hour.
func (f *termsFlags) slot(params *types.Params) types.Duration {
	if flow := f.flow(); !flow.IsZero() {
		return params.Slot
	}
	return quarterHour
}

// quantity returns the quantity of the flags.
func (f *termsFlags) quantity() (uint64, error) {
	if f.Quantity == "" {
		if f.Unit == types.UnitItem {
			return 1, nil
		}
		return 0, misuse("the quantity is missing: give --quantity, such as %s", quantityForms(f.Unit))
	}
	return parseQuantity("--quantity", f.Quantity, f.Unit)
}

func (f *termsFlags) fallback() (types.Fallback, error) {
	switch f.Fallback {
	case meterTerms:
		return &types.Meter{}, nil
	case arbiterTerms:
		key, err := types.ParseKey(f.Arbiter)
		if err != nil {
			return nil, misuse("arbiter terms need --arbiter: %w", err)
		}
		return &types.Arbiter{Key: key}, nil
	}
	return &types.Hold{}, nil
}

type offerPostCmd struct {
	walletFlags
	termsFlags
	priceFlags
	Price   string `help:"Price by quantity: 30ct/kWh, 0.30/kWh or 45EUR/MWh for energy; a number alone is for one unit of anything else." required:"" placeholder:"PRICE"`
	Deposit string `help:"Deposit, as a share of the price." default:"10%"`
	Bond    string `help:"Bond that the producer stakes, as a share of the price." default:"10%"`
	Stake   bool   `help:"Lock the bond of the whole quantity with the offer, so that takers see it. The bond is rounded up to a whole number of smallest units for each unit of the goods. What is not taken comes back."`
	MinFill string `help:"Smallest quantity that may be taken, such as 0.5kWh; by default the smallest that the instalments allow." placeholder:"QUANTITY"`
}

func (c *offerPostCmd) Run(ctx context.Context, a *app) error {
	s, err := a.session(ctx, &c.walletFlags)
	if err != nil {
		return err
	}
	offer, err := c.offer(ctx, s)
	if err != nil {
		return err
	}
	d, err := s.draft(ctx)
	if err != nil {
		return err
	}
	id, err := d.Post(offer, c.Stake)
	if err != nil {
		return err
	}
	w := &words.Printer{}
	p := plan{ask: "Offer " + describeGoods(w, &offer.Goods) + " at " + s.limit(offer.Asset, offer.Goods.Unit, offer.Price)}
	if whole, err := offer.Agreement(offer.Goods.Quantity, types.PublicKey{}, 0); err == nil {
		whole.Producer = s.account.Key()
		p.worst = s.risks(whole)
		if c.Stake {
			p.ask += ", and lock your bond of " + s.money(offer.Asset, whole.Bond)
		}
	}
	p.odd = s.odd(ctx, &c.priceFlags, &offer.Goods, offer.Asset, exactly(offer.Price))
	receipt, err := s.send(ctx, d, c.yesFlag, p)
	if err != nil {
		return err
	}
	posted := struct {
		Offer   types.OfferID `json:"offer"`
		Receipt wire.Receipt  `json:"receipt"`
	}{id, receipt}
	return a.show(posted, func(p *page) {
		p.line("Offered %s at %s.", describeGoods(w, &offer.Goods), s.limit(offer.Asset, offer.Goods.Unit, offer.Price))
		if c.Stake {
			p.line("Its bond is locked.")
		}
		p.line("Offer %s stands until %s.", id, s.deadline(w, offer.Deadlines.PayBy, s.status.Clock))
	})
}

func (c *offerPostCmd) offer(ctx context.Context, s *session) (types.Offer, error) {
	asset, err := s.asset(ctx, c.Asset)
	if err != nil {
		return types.Offer{}, err
	}
	price, err := parsePrice("--price", c.Price, c.Unit, &asset)
	if err != nil {
		return types.Offer{}, err
	}
	deposit, err := shareOf(price, c.Deposit)
	if err != nil {
		return types.Offer{}, err
	}
	if deposit.Mantissa == 0 && price.Mantissa != 0 {
		return types.Offer{}, misuse("--deposit %q is nothing: the deposit is the consumer's reason to release; give a share of the price, such as 10%%", c.Deposit)
	}
	bond, err := shareOf(price, c.Bond)
	if err == nil && c.Stake {
		bond, err = c.stakable(bond, &asset)
	}
	if err != nil {
		return types.Offer{}, err
	}
	goods, deadlines, fallback, err := c.resolve(ctx, s, s.account.Key())
	if err != nil {
		return types.Offer{}, err
	}
	minFill, err := c.minFill(price, goods.Quantity)
	if err != nil {
		return types.Offer{}, err
	}
	return types.Offer{
		Goods: goods, Asset: asset.ID(), Price: price, Deposit: deposit, Bond: bond, MinFill: minFill,
		Instalments: c.Instalments, Deadlines: deadlines, Fallback: fallback,
	}, nil
}

// stakable returns the bond of one unit of goods as a whole number of smallest units, as that of a staked offer must be.
func (c *offerPostCmd) stakable(bond types.Rate, asset *types.Asset) (types.Rate, error) {
	one := types.Rate{Mantissa: 1}
	if exactly(bond).Cmp(exactly(one)) < 0 { // rounded up it would be more than the user means
		return bond, misuse("--stake needs a bond of at least one smallest unit of %s for each %s, %s of the price are %s: raise --bond, or use an asset with more than %d decimal places",
			asset.Code, name(unitOf(c.Unit)), c.Bond, bond, asset.Decimals)
	}
	whole, ok := bond.Cost(1)
	if !ok {
		return bond, misuse("--bond %q is more than the ledger can count", c.Bond)
	}
	return types.Rate{Mantissa: uint64(whole)}, nil
}

// minFill returns the smallest fill: that of the flag, else the smallest quantity whose price has at least one unit of money for
// each instalment.
func (c *offerPostCmd) minFill(price types.Rate, whole uint64) (uint64, error) {
	if c.MinFill != "" {
		return parseQuantity("--min-fill", c.MinFill, c.Unit)
	}
	worth := func(quantity int) bool {
		cost, ok := price.Cost(uint64(quantity))
		return !ok || cost >= types.Amount(c.Instalments)
	}
	smallest := sort.Search(int(whole), worth)
	return min(max(uint64(smallest), 1), whole), nil
}

// shareOf returns a percentage of a rate.
func shareOf(rate types.Rate, percent string) (types.Rate, error) {
	share, err := types.ParseRate(strings.TrimSuffix(percent, "%"))
	if err != nil {
		return share, &usageError{err}
	}
	hi, mantissa := bits.Mul64(rate.Mantissa, share.Mantissa)
	if hi != 0 {
		return rate, misuse("%s of the price has too many digits", percent)
	}
	return scaleRate(types.Rate{Mantissa: mantissa}, -int(rate.Exponent)-int(share.Exponent)-2)
}

// scaleRate multiplies a rate by a power of ten and makes it canonical.
func scaleRate(rate types.Rate, shift int) (types.Rate, error) {
	exponent := int(rate.Exponent) - shift
	for ; exponent < 0; exponent++ {
		hi, lo := bits.Mul64(rate.Mantissa, 10)
		if hi != 0 {
			return rate, misuse("the price is more than the ledger can count")
		}
		rate.Mantissa = lo
	}
	for exponent > 0 && rate.Mantissa%10 == 0 {
		rate.Mantissa /= 10
		exponent--
	}
	if exponent > types.MaxExponent {
		return rate, misuse("the price has more decimal places than the ledger can count")
	}
	rate.Exponent = uint8(exponent)
	return rate, nil
}

func parseAmount(text string, decimals uint8) (types.Amount, error) {
	amount, err := types.ParseAmount(text, decimals)
	if err != nil {
		return 0, &usageError{err}
	}
	return amount, nil
}

type offerListCmd struct {
	lookFlags
	Zone string `help:"Only offers of this zone." placeholder:"TEXT"`
	mostFlag
}

func (c *offerListCmd) Run(ctx context.Context, a *app) error {
	s, err := c.visitor(ctx, a)
	if err != nil {
		return err
	}
	var others zones
	offers, err := list(a, s.node.AllOffers(ctx), c.mostFlag, func(o *wire.Offer) bool { return others.wanted(c.Zone, o.Offer.Goods.Zone) })
	if err != nil {
		return err
	}
	return a.show(offers, func(p *page) {
		if len(offers) == 0 {
			p.line("No offer%s stands now.%s", map[bool]string{true: " in this zone"}[c.Zone != ""], others.hint())
			return
		}
		staked := slices.ContainsFunc(offers, func(o wire.Offer) bool { return o.Stake > 0 })
		head := []string{"left", "price", "from", "stands", "terms", "offer"}
		if staked {
			head = slices.Insert(head, 2, "bond locked")
		}
		p.row(head...)
		for _, o := range offers {
			row := []string{leftOf(&o), s.limit(o.Offer.Asset, o.Offer.Goods.Unit, o.Offer.Price), slotBegin(&o.Offer.Goods),
				about(&words.Printer{}, o.Offer.Deadlines.PayBy, s.status.Clock), types.FallbackKind(o.Offer.Fallback), short(o.ID)}
			if staked {
				row = slices.Insert(row, 2, s.stakeOf(&o))
			}
			p.row(row...)
		}
	})
}

// stakeOf formats the bond that is locked with an offer.
func (s *session) stakeOf(o *wire.Offer) string {
	if o.Stake == 0 {
		return "no"
	}
	return s.money(o.Offer.Asset, o.Stake)
}

// leftOf formats the remaining quantity of an offer.
func leftOf(o *wire.Offer) string {
	goods := o.Offer.Goods
	goods.Quantity = o.Remaining
	return listedAmount(&words.Printer{}, &goods)
}

type offerCancelCmd struct {
	walletFlags
	yesFlag
	Offer types.OfferID `arg:"" help:"The offer's id."`
}

func (c *offerCancelCmd) Run(ctx context.Context, a *app) error {
	return a.transact(ctx, &c.walletFlags, c.yesFlag, func(s *session, d *wallet.Draft) (plan, error) {
		offer, err := s.node.Offer(ctx, c.Offer)
		if err != nil {
			return plan{}, err
		}
		return plan{
			ask: fmt.Sprintf("Cancel offer %s", c.Offer), done: fmt.Sprintf("Cancelled offer %s", c.Offer), free: true,
		}, d.Cancel(c.Offer, &offer.Offer)
	})
}
