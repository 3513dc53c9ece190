package index_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"testing"
	"time"

	"lockstep/internal/index"
	"lockstep/types"
)

// city is a made-up chain of a city that trades by auction: every block holds one for each of its zones, and each trade
// is released in the block after. It replaces a store, and answers the questions of an index.
type city struct {
	height   uint64 // the last block there is
	products map[types.ProductID][2]uint64
}

const (
	cityZones   = 10
	zoneTrades  = 100
	blockTrades = cityZones * zoneTrades
	households  = 100_000
	citySlot    = types.Time(900_000)
	cityStart   = types.Time(1_780_000_200_000)
)

func number(n uint64, what string) (id [32]byte) {
	id = sha256.Sum256(fmt.Appendf(nil, "%s %d", what, n))
	binary.BigEndian.PutUint64(id[24:], n) // so that it can be found again
	return id
}

func (c *city) product(block, zone uint64) types.Product {
	from := cityStart + types.Time(block)*citySlot
	return types.Product{
		Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Zone: fmt.Sprintf("zone %d", zone),
		From: from, Until: from + citySlot, Asset: assetID(0),
	}
}

func clockOf(block uint64) types.Time { return cityStart + types.Time(block)*citySlot - 300_000 }

// household is a party of the n-th trade. Of the producers every third is one and the same, a large one.
func household(n uint64, side types.Side) types.PublicKey {
	if side == types.Sell && n%3 == 0 {
		return number(0, "household")
	}
	return number(1+(n*7919+uint64(side)*3)%households, "household")
}

func (c *city) trade(n uint64) *types.Trade {
	block := n/blockTrades + 1
	product := c.product(block, n/zoneTrades%cityZones)
	deadline := clockOf(block) + 4*citySlot
	trade := &types.Trade{
		Height: block, Phase: types.PhaseDelivered,
		Steps: []types.Step{{Kind: types.StepMatched, At: clockOf(block)}, {Kind: types.StepPaid, At: clockOf(block)}, {Kind: types.StepDelivered, At: clockOf(block)}},
		Agreement: types.Agreement{
			Producer: household(n, types.Sell), Consumer: household(n, types.Bid), Goods: product.Goods(1000+n%500, types.Flow{}), Asset: product.Asset,
			Price: types.Amount(25 + n%10), Deposit: 1, Bond: 1, Instalments: 1, Fallback: &types.Meter{}, Nonce: n,
			Deadlines: types.Deadlines{PayBy: deadline, DeliverBy: deadline, ReadingBy: deadline, ConfirmBy: deadline},
		},
	}
	if c.height > block {
		trade.Phase, trade.Released = types.PhaseReleased, 1
		trade.Steps = append(trade.Steps, types.Step{Kind: types.StepReleased, At: clockOf(block + 1)})
	}
	return trade
}

func (c *city) History() (uint64, types.Hash)    { return 0, types.Hash{} }
func (c *city) Standing() iter.Seq[*types.Trade] { return func(func(*types.Trade) bool) {} }
func (c *city) Gate() types.Duration             { return 0 }

func (c *city) Trade(id types.TradeID) (*types.Trade, error) {
	return c.trade(binary.BigEndian.Uint64(id[24:])), nil
}

func (*city) Base() uint64 { return 0 }

func (c *city) Block(height uint64) (*index.Block, error) {
	if height > c.height {
		return nil, nil
	}
	block := &index.Block{Height: height, BlockTime: clockOf(height), Clock: clockOf(height), Commitment: number(height, "block")}
	for zone := range uint64(cityZones) {
		product := c.product(height, zone)
		id := product.ID()
		c.products[id] = [2]uint64{height, zone}
		block.Cleared = append(block.Cleared, id)
	}
	for age, step := range []types.Stepped{
		{Event: types.EventMatched.Number(), Phase: types.PhaseDelivered}, {Event: types.EventReleased.Number(), Phase: types.PhaseReleased, Released: 1},
	} {
		for i := range uint64(blockTrades) {
			if n := (height-1-uint64(age))*blockTrades + i; height > uint64(age) {
				step := step
				step.Trade = number(n, "trade")
				block.Outcomes = append(block.Outcomes, types.Outcome{Height: height, At: clockOf(height), Effects: []types.Effect{&step}})
			}
		}
	}
	return block, nil
}

func (c *city) Auction(id types.ProductID) (*types.Auction, error) {
	block, zone := c.products[id][0], c.products[id][1]
	auction := &types.Auction{
		Product: c.product(block, zone), Height: block, BlockTime: clockOf(block), Clock: clockOf(block),
		Grid:   types.DefaultGrids()[0],
		Rounds: []types.Round{{Price: 3}},
	}
	for i := range uint64(zoneTrades) {
		n := (block-1)*blockTrades + zone*zoneTrades + i
		for _, side := range []types.Side{types.Bid, types.Sell} {
			auction.Results = append(auction.Results, types.Result{Owner: household(n, side), Order: number(2*n+uint64(side), "order"), Filled: 1000 + n%500})
		}
		auction.Trades = append(auction.Trades, types.MatchTrade{
			Trade: number(n, "trade"), Bid: uint32(2 * i), Offer: uint32(2*i + 1), Quantity: 1000 + n%500, Price: types.Amount(25 + n%10),
		})
	}
	return auction, nil
}

func (c *city) AuctionedOrders(id types.ProductID) iter.Seq2[*types.PlacedOrder, error] {
	return func(yield func(*types.PlacedOrder, error) bool) {
		block, zone := c.products[id][0], c.products[id][1]
		for i := range uint64(2 * zoneTrades) {
			n := (block-1)*blockTrades + zone*zoneTrades + i/2
			order := types.Order{Side: types.Side(1 + i%2), Quantity: 1000 + n%500, Lot: 1, Limit: 3, Deposit: 10, Bond: 500}
			if !yield(&types.PlacedOrder{Order: order}, nil) {
				return
			}
		}
	}
}

// openCity makes an index that has followed so many blocks: each as it is made, or all of them from the end, as a rebuild.
func openCity(b *testing.B, blocks uint64, live bool) (x *index.Index, file string, took time.Duration) {
	b.Helper()
	file = filepath.Join(b.TempDir(), "index.db")
	c := &city{products: map[types.ProductID][2]uint64{}}
	x, err := index.Open(file, types.Hash{}, c, quiet)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { closeIndex(b, x) })
	if !live {
		c.height = blocks
	}
	began := time.Now()
	for at := uint64(0); at < blocks; {
		if live {
			c.height++
		}
		done, err := x.Advance(b.Context(), c)
		if err != nil {
			b.Fatal(err)
		}
		at += uint64(done)
	}
	return x, file, time.Since(began)
}

// BenchmarkFollow follows blocks of 1,000 new trades and 1,000 steps of earlier ones: each as it is made, in a batch of its
// own, or all at once.
func BenchmarkFollow(b *testing.B) {
	for _, live := range []bool{true, false} {
		b.Run(map[bool]string{true: "live", false: "rebuild"}[live], func(b *testing.B) {
			blocks := uint64(b.N)
			_, _, took := openCity(b, blocks, live)
			b.ReportMetric(float64(blocks*blockTrades)/took.Seconds(), "trades/s")
			b.ReportMetric(float64(took.Milliseconds())/float64(blocks), "ms/block")
		})
	}
}

// BenchmarkQueries asks an index of a million trades; with -short, of fifty thousand.
func BenchmarkQueries(b *testing.B) {
	blocks := uint64(1000)
	if testing.Short() {
		blocks = 50
	}
	x, file, took := openCity(b, blocks, false)
	info, err := os.Stat(file)
	if err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	if err := x.Verify(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Logf("%d trades: %d MB, %.0f trades/s, verified in %s", blocks*blockTrades, info.Size()>>20, float64(blocks*blockTrades)/took.Seconds(), time.Since(began))
	for _, q := range cityQueries(x, blocks) {
		b.Run(q.name, func(b *testing.B) {
			for b.Loop() {
				if found, err := q.ask(b); err != nil || found < q.least {
					b.Fatal(found, err)
				}
			}
		})
	}
}

// cityQuery is a question whose answer has at least so many entries.
type cityQuery struct {
	name  string
	least int
	ask   func(b *testing.B) (int, error)
}

func cityQueries(x *index.Index, blocks uint64) []cityQuery {
	large, small := number(0, "household"), household(1, types.Bid)
	largeKey := types.PublicKey(large)
	middle := new(city).product(blocks/2, 3)
	productID := middle.ID()
	trades := func(name string, least int, filter index.TradeFilter) cityQuery {
		return cityQuery{name, least, func(b *testing.B) (int, error) {
			answer, err := x.Trades(b.Context(), filter, index.Page{})
			return len(answer.Trades), err
		}}
	}
	auctions := func(name string, filter index.AuctionFilter) cityQuery {
		return cityQuery{name, 10, func(b *testing.B) (int, error) {
			answer, err := x.Auctions(b.Context(), filter, index.Page{})
			return len(answer.Auctions), err
		}}
	}
	fills := func(name string, least int, key types.PublicKey) cityQuery {
		return cityQuery{name, least, func(b *testing.B) (int, error) {
			answer, err := x.Fills(b.Context(), index.FillFilter{Owner: key}, index.Page{})
			return len(answer.Fills), err
		}}
	}
	return []cityQuery{
		trades("trades/all", 100, index.TradeFilter{}),
		trades("trades/time", 100, index.TradeFilter{From: clockOf(blocks / 4), Until: clockOf(blocks / 2)}),
		trades("trades/phase", 100, index.TradeFilter{Phase: types.PhaseDelivered}),
		trades("trades/phase of none", 0, index.TradeFilter{Phase: types.PhaseSettled}),
		trades("trades/product", 100, index.TradeFilter{Product: &productID}),
		trades("trades/party", 1, index.TradeFilter{Party: &small}),
		trades("trades/large party", 100, index.TradeFilter{Party: &largeKey}),
		trades("trades/large party by phase", 100, index.TradeFilter{Party: &largeKey, Phase: types.PhaseReleased}),
		trades("trades/large party by phase of none", 0, index.TradeFilter{Party: &largeKey, Phase: types.PhaseSplit}),
		trades("trades/large party by product", 30, index.TradeFilter{Party: &largeKey, Product: &productID}),
		trades("trades/large party by all", 30, index.TradeFilter{
			Party: &largeKey, Role: index.Producer, Product: &productID, Phase: types.PhaseReleased, From: clockOf(1), Until: clockOf(blocks),
		}),
		auctions("auctions/all", index.AuctionFilter{}),
		auctions("auctions/oldest", index.AuctionFilter{Oldest: true}),
		auctions("auctions/zone", index.AuctionFilter{Zone: &middle.Zone}),
		auctions("auctions/market and time", index.AuctionFilter{
			Commodity: &middle.Commodity, Zone: &middle.Zone, Asset: &middle.Asset, From: middle.From - 40*citySlot, Until: middle.From, Oldest: true,
		}),
		{"auction", 1, func(b *testing.B) (int, error) {
			_, held, err := x.Auction(b.Context(), productID)
			return map[bool]int{true: 1}[held], err
		}},
		fills("fills/party", 1, small),
		fills("fills/large party", 100, largeKey),
		{"member/large party", 1, func(b *testing.B) (int, error) {
			answer, err := x.Member(b.Context(), largeKey, index.Page{})
			return len(answer.Assets), err
		}},
		{"volumes/days", 1, func(b *testing.B) (int, error) {
			market := index.Market{Commodity: middle.Commodity, Unit: middle.Unit, Zone: middle.Zone, Asset: middle.Asset}
			answer, err := x.Volumes(b.Context(), index.VolumeFilter{Market: market, Span: index.Hourly}, index.Page{})
			return len(answer.Volumes), err
		}},
	}
}
