package index_test

import (
	"cmp"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lockstep/internal/index"
	"lockstep/internal/store"
	"lockstep/trade"
	"lockstep/types"
)

// story is a played world with its index and with all that an answer can be made of by looking at everything.
type story struct {
	*world
	index    *index.Index
	clock    types.Time
	trades   []*types.Trade // oldest first
	auctions []*types.Auction
	orders   map[types.ProductID][]*types.PlacedOrder
	records  map[types.PublicKey]map[types.AssetID]types.Conduct
	stalls   []types.Time // when the chain had stood still, by the ledger clock
}

const mostOpen = 1000

func newStory(t *testing.T, seed uint64) *story {
	s := &story{world: newWorld(t, seed), orders: map[types.ProductID][]*types.PlacedOrder{}, records: map[types.PublicKey]map[types.AssetID]types.Conduct{}}
	s.issueFirst()
	s.play(250, nil)
	last := s.agreement(1, 2) // so that one trade is still unpaid
	s.block(s.agree(last))
	s.index = s.open(filepath.Join(s.t.TempDir(), "story.db"))
	s.index.KeepOpen([]int{0, 2, mostOpen}[seed%3]) // so open trades are in the table, in both, or in memory
	s.follow(s.index)
	s.read(func(snapshot *store.IndexedSnapshot) {
		s.clock = snapshot.Clock().Now()
		skew := types.Duration(0)
		for height := uint64(1); height <= snapshot.Height(); height++ {
			block, err := snapshot.Block(height)
			if err != nil {
				t.Fatal(err)
			}
			if now := block.BlockTime.Since(block.Clock); height > 1 && now > skew {
				s.stalls = append(s.stalls, block.Clock)
			}
			skew = block.BlockTime.Since(block.Clock)
		}
		s.trades, s.auctions = slices.Collect(s.world.trades(snapshot)), s.world.auctions(snapshot)
		for _, auction := range s.auctions {
			for order, err := range snapshot.AuctionedOrders(auction.Product.ID()) {
				if err != nil {
					t.Fatal(err)
				}
				s.orders[auction.Product.ID()] = append(s.orders[auction.Product.ID()], order)
			}
		}
		for n := range parties {
			s.records[party(n)] = map[types.AssetID]types.Conduct{}
			for a := range 2 {
				s.records[party(n)][assetID(a)] = snapshot.Conduct(party(n), assetID(a))
			}
		}
	})
	return s
}

func productOf(a *types.Agreement) types.Product {
	return types.Product{
		Commodity: a.Goods.Commodity, Unit: a.Goods.Unit, Zone: a.Goods.Zone, From: a.Goods.From, Until: a.Goods.Until, Asset: a.Asset,
	}
}

// stalled reports whether the chain stood still between two moments: an outage takes a clock cap of the ledger clock.
func (s *story) stalled(after, until types.Time) bool {
	return slices.ContainsFunc(s.stalls, func(at types.Time) bool { return at > after && at < until.Add(s.params.ClockCap) })
}

// excused reports whether a trade missed its deadline, and the chain stood still in the time for it.
func (s *story) excused(t *types.Trade) bool {
	switch by := &t.Agreement.Deadlines; trade.PhaseAt(t, s.clock) {
	case types.PhaseLapsed:
		return s.stalled(agreedAt(t), by.PayBy)
	case types.PhaseRefunded:
		paid, _ := t.Step(types.StepPaid)
		return s.stalled(paid.At, by.DeliverBy)
	}
	return false
}

func agreedAt(trade *types.Trade) types.Time { return trade.Steps[0].At }

// passes is a filter as its documentation says it.
func (s *story) passes(t *types.Trade, f *index.TradeFilter) bool {
	agreement := &t.Agreement
	product := productOf(agreement)
	at := agreedAt(t)
	switch {
	case f.Party != nil && f.Role != index.Consumer && agreement.Producer == *f.Party:
	case f.Party != nil && f.Role != index.Producer && agreement.Consumer == *f.Party:
	case f.Party != nil:
		return false
	}
	return (f.Product == nil || product.ID() == *f.Product) && (f.Phase == 0 || trade.PhaseAt(t, s.clock) == f.Phase) &&
		at >= f.From && (f.Until == 0 || at < f.Until)
}

// TestTradeQueries: every filter and page size gives the result of a scan of all trades.
func TestTradeQueries(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		s := newStory(t, 9+seed)
		rapid.Check(t, s.checkTradeQuery)
	}
}

func (s *story) checkTradeQuery(t *rapid.T) {
	filter := s.drawTradeFilter(t)
	var want []types.TradeID
	for _, trade := range slices.Backward(s.trades) {
		if s.passes(trade, &filter) {
			want = append(want, trade.ID())
		}
	}
	got := pages(t, rapid.IntRange(1, 40).Draw(t, "limit"), func(page index.Page) ([]index.Trade, string, error) {
		answer, err := s.index.Trades(s.t.Context(), filter, page)
		return answer.Trades, answer.Next, err
	})
	var ids []types.TradeID
	for _, trade := range got {
		ids = append(ids, trade.ID)
	}
	if !slices.Equal(ids, want) {
		t.Fatalf("got %d trades, want %d", len(ids), len(want))
	}
}

func (s *story) drawTradeFilter(t *rapid.T) (f index.TradeFilter) {
	any := s.trades[rapid.IntRange(0, len(s.trades)-1).Draw(t, "trade")]
	if rapid.Bool().Draw(t, "by party") {
		key := rapid.SampledFrom([]types.PublicKey{any.Agreement.Producer, any.Agreement.Consumer, publicKey("nobody")}).Draw(t, "party")
		f.Party, f.Role = &key, rapid.SampledFrom([]index.Role{0, index.Producer, index.Consumer}).Draw(t, "role")
	}
	if rapid.Bool().Draw(t, "by product") {
		product := productOf(&any.Agreement)
		id := product.ID()
		f.Product = &id
	}
	if rapid.Bool().Draw(t, "by phase") {
		f.Phase = types.Phase(rapid.IntRange(1, 10).Draw(t, "phase"))
	}
	if rapid.Bool().Draw(t, "by time") {
		f.From = agreedAt(any) + types.Time(rapid.IntRange(-1, 1).Draw(t, "from"))
	}
	if rapid.Bool().Draw(t, "to time") {
		f.Until = agreedAt(s.trades[rapid.IntRange(0, len(s.trades)-1).Draw(t, "last")]) + types.Time(rapid.IntRange(-1, 1).Draw(t, "until"))
	}
	return f
}

// TestTradeMatchesLedger: every field of a listed trade is that of the trade.
func TestTradeMatchesLedger(t *testing.T) {
	t.Parallel()
	s := newStory(t, 12)
	listed := pages(t, 100, func(page index.Page) ([]index.Trade, string, error) {
		answer, err := s.index.Trades(t.Context(), index.TradeFilter{}, page)
		return answer.Trades, answer.Next, err
	})
	slices.Reverse(listed)
	phases := map[types.Phase]int{}
	for i, deal := range s.trades {
		a, product := &deal.Agreement, productOf(&deal.Agreement)
		want := index.Trade{
			ID: deal.ID(), Phase: trade.PhaseAt(deal, s.clock), Height: deal.Height, AgreedAt: agreedAt(deal), Producer: a.Producer, Consumer: a.Consumer,
			ProductID: product.ID(), Product: product, Quantity: a.Goods.Quantity, Price: a.Price, Deposit: a.Deposit, Bond: a.Bond,
			Terms: types.FallbackKind(a.Fallback), Matched: deal.Steps[0].Kind == types.StepMatched, Instalments: a.Instalments,
			Released: deal.Released, Allotted: deal.Allotted, PayBy: a.Deadlines.PayBy, DeliverBy: a.Deadlines.DeliverBy,
			EndedAt: endOf(deal, s.clock), Excused: s.excused(deal),
		}
		if step, paid := deal.Step(types.StepPaid); paid {
			want.PaidAt = step.At
		}
		if diff := gocmp.Diff(want, listed[i], gocmp.AllowUnexported(types.Product{})); diff != "" {
			t.Fatal(diff)
		}
		phases[want.Phase]++
	}
	if len(phases) != 9 {
		t.Errorf("the story has only the phases %v", phases)
	}
}

func endOf(t *types.Trade, clock types.Time) types.Time {
	kinds := map[types.Phase]types.StepKind{
		types.PhaseReleased: types.StepReleased, types.PhaseSplit: types.StepSplit, types.PhaseSettled: types.StepSettled, types.PhaseAwarded: types.StepAwarded,
	}
	switch phase := trade.PhaseAt(t, clock); phase {
	case types.PhaseLapsed:
		return t.Agreement.Deadlines.PayBy
	case types.PhaseRefunded:
		return t.Agreement.Deadlines.DeliverBy
	default:
		step, _ := t.Step(kinds[phase])
		return step.At
	}
}

// TestMemberQueries: the counts match a scan of all trades, and those of auctions match the record that
// the ledger itself keeps.
func TestMemberQueries(t *testing.T) {
	t.Parallel()
	s := newStory(t, 13)
	excusedInAll := uint64(0)
	for n := range parties {
		key := party(n)
		got := map[types.AssetID]index.Statistics{}
		for _, statistics := range pages(t, 1, func(page index.Page) ([]index.Statistics, string, error) {
			answer, err := s.index.Member(t.Context(), key, page)
			return answer.Assets, answer.Next, err
		}) {
			got[statistics.Asset] = statistics
		}
		for a := range 2 {
			asset := assetID(a)
			producer, consumer, record := s.scanMember(key, asset)
			if diff := gocmp.Diff(index.Statistics{Asset: asset, AsProducer: producer, AsConsumer: consumer}, got[asset]); diff != "" {
				t.Error(diff)
			}
			want := s.records[key][asset]
			excusedInAll += want.Excused
			record.Kept, record.Failed = want.Kept, want.Failed
			if diff := gocmp.Diff(want, record, gocmp.AllowUnexported(types.Conduct{})); diff != "" {
				t.Error(diff)
			}
		}
	}
	if excusedInAll == 0 {
		t.Error("in this story the chain never excused anybody")
	}
}

// scanMember counts a key's trades by a scan of all trades, and the countable part of the ledger's record.
func (s *story) scanMember(key types.PublicKey, asset types.AssetID) (producer, consumer index.Conduct, record types.Conduct) {
	for _, t := range s.trades {
		a, phase, conduct := &t.Agreement, trade.PhaseAt(t, s.clock), &producer
		if a.Consumer == key {
			conduct = &consumer
		}
		if a.Asset != asset || a.Producer != key && a.Consumer != key {
			continue
		}
		tally := map[types.Phase]*index.Tally{
			types.PhaseAgreed: &conduct.Open, types.PhasePaid: &conduct.Open, types.PhaseDelivered: &conduct.Open,
			types.PhaseReleased: &conduct.Released, types.PhaseLapsed: &conduct.Lapsed, types.PhaseRefunded: &conduct.Refunded,
			types.PhaseSettled: &conduct.Settled, types.PhaseAwarded: &conduct.Awarded, types.PhaseSplit: &conduct.Split,
		}[phase]
		tally.Trades++
		tally.Value = tally.Value.Add(types.TotalOf(a.Price))
		if s.excused(t) {
			conduct.Excused++
		}
		if t.Steps[0].Kind != types.StepMatched {
			continue
		}
		switch {
		case phase == types.PhaseRefunded && a.Producer == key && s.excused(t):
			record.Excused++
		case phase == types.PhaseRefunded && a.Producer == key:
			record.Refunds++
		case phase == types.PhaseReleased:
			record.Fills++
		case phase == types.PhaseSettled || phase == types.PhaseAwarded:
			record.Disputes++
			if phase == types.PhaseSettled && a.Producer == key && s.stalled(a.Deadlines.DeliverBy, a.Deadlines.ReadingBy) { // nothing was read
				record.Excused++
			}
		}
	}
	return producer, consumer, record
}

// TestAuctionQueries: every filter, in either direction, gives the result of a scan of all auctions.
func TestAuctionQueries(t *testing.T) {
	t.Parallel()
	s := newStory(t, 14)
	if len(s.auctions) < 20 {
		t.Fatalf("%d auctions are no story", len(s.auctions))
	}
	rapid.Check(t, func(t *rapid.T) {
		any := s.auctions[rapid.IntRange(0, len(s.auctions)-1).Draw(t, "auction")].Product
		other := s.auctions[rapid.IntRange(0, len(s.auctions)-1).Draw(t, "other")].Product
		filter := index.AuctionFilter{Oldest: rapid.Bool().Draw(t, "oldest")}
		if rapid.Bool().Draw(t, "by commodity") {
			filter.Commodity = rapid.SampledFrom([]*string{&any.Commodity, new(string)}).Draw(t, "commodity")
		}
		if rapid.Bool().Draw(t, "by zone") {
			filter.Zone = &any.Zone
		}
		if rapid.Bool().Draw(t, "by asset") {
			filter.Asset = &any.Asset
		}
		if rapid.Bool().Draw(t, "from") {
			filter.From = any.From
		}
		if rapid.Bool().Draw(t, "until") {
			filter.Until = other.From
		}
		var want []index.Auction
		for _, auction := range s.auctions {
			p := &auction.Product
			if (filter.Commodity == nil || *filter.Commodity == p.Commodity) && (filter.Zone == nil || *filter.Zone == p.Zone) &&
				(filter.Asset == nil || *filter.Asset == p.Asset) && p.From >= filter.From && (filter.Until == 0 || p.From < filter.Until) {
				want = append(want, s.scanAuction(auction))
			}
		}
		slices.SortStableFunc(want, func(a, b index.Auction) int { return cmp.Compare(a.Product.From, b.Product.From) })
		if !filter.Oldest {
			slices.Reverse(want)
		}
		got := pages(t, rapid.IntRange(1, 9).Draw(t, "limit"), func(page index.Page) ([]index.Auction, string, error) {
			answer, err := s.index.Auctions(s.t.Context(), filter, page)
			return answer.Auctions, answer.Next, err
		})
		if diff := gocmp.Diff(want, got, gocmp.AllowUnexported(types.Product{})); diff != "" {
			t.Fatal(diff)
		}
		one, held, err := s.index.Auction(s.t.Context(), any.ID())
		if err != nil || !held || one.ProductID != any.ID() {
			t.Fatalf("one by one: %v, %t", err, held)
		}
	})
}

func (s *story) scanAuction(auction *types.Auction) index.Auction {
	a := index.Auction{
		ProductID: auction.Product.ID(), Product: auction.Product, Height: auction.Height, HeldAt: auction.BlockTime, Void: auction.Void,
		Orders: uint64(len(auction.Results)), Trades: uint64(len(auction.Trades)), Rounds: []index.Round{}, RoundCount: uint64(len(auction.Rounds)),
		Lot: auction.Grid.Lot, Deposit: auction.Grid.Deposit, Bond: auction.Grid.Bond, Terms: types.FallbackKind(auction.Grid.Fallback),
	}
	if arbiter, ok := auction.Grid.Fallback.(*types.Arbiter); ok {
		a.Arbiter = &arbiter.Key
	}
	value, volume := new(big.Int), new(big.Int)
	for i, result := range auction.Results {
		order := s.orders[a.ProductID][i].Order
		if result.Excluded != "" {
			a.Excluded++
			continue
		}
		if result.Filled > 0 {
			a.Filled++
		}
		if order.Side == types.Bid {
			a.Demanded = a.Demanded.Add(types.TotalOf(order.Quantity))
		} else {
			a.Offered = a.Offered.Add(types.TotalOf(order.Quantity))
		}
	}
	for _, trade := range auction.Trades {
		value.Add(value, new(big.Int).SetUint64(uint64(trade.Price)))
		volume.Add(volume, new(big.Int).SetUint64(trade.Quantity))
	}
	a.Value, a.Volume = types.Total{Lo: value.Uint64()}, types.Total{Lo: volume.Uint64()}
	if volume.Sign() > 0 {
		a.Average = shorten(new(big.Rat).SetFrac(value, volume).FloatString(9))
	}
	for _, round := range auction.Rounds {
		a.Rounds = append(a.Rounds, index.Round{Sellers: round.Sellers, Buyers: round.Buyers, Price: round.Price, Volume: round.Volume})
	}
	return a
}

func shorten(text string) string { return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") }

// TestFillQueries: fills of a key's orders, with their trades.
func TestFillQueries(t *testing.T) {
	t.Parallel()
	s := newStory(t, 15)
	for n := range parties {
		var want []index.Fill
		for _, auction := range s.auctions {
			for place, result := range auction.Results {
				if result.Owner == party(n) {
					want = append(want, s.scanFill(auction, place))
				}
			}
		}
		slices.Reverse(want)
		filter := index.FillFilter{Owner: party(n)}
		list := func(page index.Page) ([]index.Fill, string, error) {
			answer, err := s.index.Fills(t.Context(), filter, page)
			return answer.Fills, answer.Next, err
		}
		options := gocmp.AllowUnexported(types.Product{})
		if diff := gocmp.Diff(want, pages(t, 7, list), options); diff != "" {
			t.Fatal(diff)
		}
		product := want[len(want)/2].ProductID
		filter.Product = &product
		of := slices.DeleteFunc(slices.Clone(want), func(f index.Fill) bool { return f.ProductID != product })
		if diff := gocmp.Diff(of, pages(t, 1, list), options); diff != "" {
			t.Fatal(diff)
		}
	}
}

func (s *story) scanFill(auction *types.Auction, place int) index.Fill {
	result := auction.Results[place]
	order := s.orders[auction.Product.ID()][place].Order
	f := index.Fill{
		ProductID: auction.Product.ID(), Product: auction.Product, Height: auction.Height, HeldAt: auction.BlockTime, Void: auction.Void,
		Order: order.ID(), Number: order.Number, Side: order.Side, Quantity: order.Quantity, Lot: order.Lot, Limit: order.Limit,
		Standing: result.Standing, Filled: result.Filled, Excluded: result.Excluded, Trades: []index.FillTrade{},
	}
	f.Stake, _ = order.Stake()
	for _, trade := range auction.Trades {
		if int(trade.Bid) != place && int(trade.Offer) != place {
			continue
		}
		f.Count++
		f.Value = f.Value.Add(types.TotalOf(trade.Price))
		f.Trades = append(f.Trades, index.FillTrade{
			ID: trade.Trade, Quantity: trade.Quantity, Price: trade.Price,
			LotPrice: auction.Rounds[trade.Round].Price, Leaf: trade.Leaf,
		})
		if lots := types.Amount(trade.Quantity / order.Lot); order.Side == types.Bid {
			f.Used += trade.Price + lots*auction.Grid.Deposit
		} else {
			f.Used += lots * auction.Grid.Bond
		}
	}
	f.Trades = f.Trades[:min(len(f.Trades), index.MaxFillTrades)]
	return f
}

// TestVolumeQueries: the hours of a market add up to its auctions.
func TestVolumeQueries(t *testing.T) {
	t.Parallel()
	s := newStory(t, 16)
	market := index.Market{Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Zone: "DE-BY", Asset: assetID(0)}
	for _, span := range []index.VolumeSpan{index.Hourly, index.Daily} {
		want := map[types.Time]index.Volume{}
		for _, auction := range s.auctions {
			p := &auction.Product
			if p.Commodity != market.Commodity || p.Zone != market.Zone || p.Asset != market.Asset {
				continue
			}
			starts := p.From / types.Time(span) * types.Time(span)
			one, sum := s.scanAuction(auction), want[starts]
			want[starts] = index.Volume{
				Starts: starts, Auctions: sum.Auctions + 1, Orders: sum.Orders + one.Orders, Trades: sum.Trades + one.Trades,
				Volume: sum.Volume.Add(one.Volume), Value: sum.Value.Add(one.Value),
			}
		}
		for _, oldest := range []bool{false, true} {
			got := pages(t, 1, func(page index.Page) ([]index.Volume, string, error) {
				answer, err := s.index.Volumes(t.Context(), index.VolumeFilter{Market: market, Span: span, Oldest: oldest}, page)
				return answer.Volumes, answer.Next, err
			})
			if len(got) != len(want) || !slices.IsSortedFunc(got, func(a, b index.Volume) int {
				return cmp.Compare(a.Starts, b.Starts) * map[bool]int{true: 1, false: -1}[oldest]
			}) {
				t.Fatalf("got %d spans of %d", len(got), len(want))
			}
			for _, volume := range got {
				sum := want[volume.Starts]
				if sum.Volume.Lo > 0 {
					sum.Average = shorten(new(big.Rat).SetFrac(sum.Value.Big(), sum.Volume.Big()).FloatString(9))
				}
				if diff := gocmp.Diff(sum, volume); diff != "" {
					t.Error(diff)
				}
			}
		}
	}
}

func TestQueryRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	x := w.open(filepath.Join(t.TempDir(), "index.db"))
	key := party(0)
	for _, bad := range []index.Page{{Limit: -1}, {Limit: index.MaxLimit + 1}, {After: "!"}, {After: "AAAA"}} {
		_, e1 := x.Trades(t.Context(), index.TradeFilter{}, bad)
		_, e2 := x.Auctions(t.Context(), index.AuctionFilter{}, bad)
		_, e3 := x.Fills(t.Context(), index.FillFilter{Owner: key}, bad)
		_, e4 := x.Member(t.Context(), key, bad)
		_, e5 := x.Volumes(t.Context(), index.VolumeFilter{Span: index.Daily}, bad)
		for _, err := range []error{e1, e2, e3, e4, e5} {
			if types.CodeOf(err) != types.CodeMalformed {
				t.Errorf("%+v: %v", bad, err)
			}
		}
	}
	if _, err := x.Trades(t.Context(), index.TradeFilter{Party: &key, Role: 7}, index.Page{}); err != nil {
		t.Errorf("a key that nobody knows has no trades in any role: %v", err)
	}
	if _, err := x.Volumes(t.Context(), index.VolumeFilter{Span: 7}, index.Page{}); types.CodeOf(err) != types.CodeMalformed {
		t.Error(err)
	}
}
