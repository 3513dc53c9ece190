package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/goods"
	"lockstep/internal/light"
	"lockstep/meter/source"
	"lockstep/trade"
	"lockstep/types"
	"lockstep/wallet"
)

type goodsCmd struct {
	Offer  goodsOfferCmd  `cmd:"" help:"Offer a file for sale, named by its SHA-256."`
	Sell   goodsSellCmd   `cmd:"" help:"Sell the files of a folder by themselves: record the delivery of each file that is paid for, and seal it to its buyer."`
	Open   goodsOpenCmd   `cmd:"" help:"As the buyer: open a sealed file, check that it is the agreed one, and release with --release."`
	Charge goodsChargeCmd `cmd:"" help:"As the buyer: release instalment by instalment as the goods flow past your own meter, as in a charging session."`
}

type goodsOfferCmd struct {
	walletFlags
	priceFlags
	File          string        `arg:"" help:"The file." type:"existingfile"`
	Price         string        `help:"Price of the file." required:"" placeholder:"PRICE"`
	Asset         string        `help:"Asset of the payment, by its code or its id." required:"" placeholder:"ASSET"`
	Commodity     string        `help:"Kind of goods, as it is listed." default:"file"`
	Deposit       string        `help:"Deposit, as a share of the price." default:"10%"`
	Bond          string        `help:"Bond that you stake, as a share of the price." default:"10%"`
	PayWithin     time.Duration `help:"Time from now until pay-by." default:"24h"`
	DeliverWithin time.Duration `help:"Time from pay-by until deliver-by." default:"15m"`
	yesFlag
}

func (c *goodsOfferCmd) Run(ctx context.Context, a *app) error {
	note, err := goods.NoteOf(c.File)
	if err != nil {
		return err
	}
	post := offerPostCmd{
		walletFlags: c.walletFlags, priceFlags: c.priceFlags, Price: c.Price, Deposit: c.Deposit, Bond: c.Bond,
		termsFlags: termsFlags{
			Commodity: c.Commodity, Unit: types.UnitItem, Note: note.String(), Asset: c.Asset, Instalments: 1, PayWithin: c.PayWithin,
			DeliverWithin: c.DeliverWithin, ReadWithin: quarterHour.Std(), ConfirmWithin: quarterHour.Std(), yesFlag: c.yesFlag,
		},
	}
	return post.Run(ctx, a)
}

type goodsSellCmd struct {
	walletFlags
	yesFlag
	proofFlags
	Folder string `arg:"" help:"Folder with the files." type:"existingdir"`
	Sealed string `help:"Folder for the sealed files, TRADE.age for each trade." required:"" type:"existingdir" placeholder:"DIR"`
	Listen string `help:"Serve the sealed files by HTTP at this address, under the names of their trades." placeholder:"HOST:PORT"`
	Once   bool   `help:"Serve the trades that are paid now, and end."`
}

// betweenPasses bounds the time between two looks at the trades: an event brings the next one at once.
const betweenPasses = 30 * time.Second

func (c *goodsSellCmd) Run(ctx context.Context, a *app) error {
	s, err := a.session(ctx, &c.walletFlags)
	if err != nil {
		return err
	}
	ask := fmt.Sprintf("Deliver each file of %s that is paid for, seal it to its buyer, and lock the bond of its trade", c.Folder)
	leave, err := s.consent(c.yesFlag, plan{ask: ask, done: "sold"}, wallet.Cost{})
	if err != nil {
		return err
	}
	if !leave.given {
		return notAccepted()
	}
	if c.Listen != "" {
		stop, err := serveSealed(c.Listen, c.Sealed)
		if err != nil {
			return err
		}
		defer stop()
	}
	shop := &goods.Shop{Node: s.node, Account: s.signer, Stock: c.Folder, Sealed: c.Sealed}
	shop.Prove = func(ctx context.Context, t *wire.Trade, shows bool) error {
		step := light.Deliver
		if shows {
			step = light.HandOver
		}
		_, err := s.prove(ctx, step, t, c.proofFlags)
		return err
	}
	asked := map[types.TradeID]bool{}
	defer a.tellWhenStill(ctx, s.node)()
	for {
		sales, err := shop.Pass(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // interrupted
		}
		failed := err
		for _, sale := range sales {
			if err := a.sale(&sale, asked); err != nil {
				return err
			}
			failed = errors.Join(failed, sale.Error)
		}
		if c.Once {
			return failed
		}
		if failed != nil {
			a.logger().Warn("a sale waits for the next pass", "why", failed)
		}
		awaitEvent(ctx, s.node, s.account.Key(), betweenPasses)
	}
}

// sale prints a step of a shop; a trade that needs its owner is printed once.
func (a *app) sale(sale *goods.Sale, asked map[types.TradeID]bool) error {
	if sale.Error != nil || sale.Step == goods.Ask && asked[sale.Trade] {
		return nil
	}
	asked[sale.Trade] = true
	return a.show(sale, func(p *page) {
		if sale.Step == goods.Ask {
			p.line("Trade %s needs you: no file of the folder is its goods. Deliver by hand: %s", sale.Trade, a.next("trade deliver", sale.Trade.String()))
			return
		}
		p.line("Trade %s is delivered: its file is sealed to the buyer in %s.", sale.Trade, sale.File)
	})
}

// awaitEvent waits for the next event of a key, or for a time at most.
func awaitEvent(ctx context.Context, node *client.Client, key types.PublicKey, most time.Duration) {
	ctx, stop := context.WithTimeout(ctx, most)
	defer stop()
	for _, err := range node.Events(ctx, client.EventsOptions{Key: key}) {
		if err == nil {
			return
		}
	}
	<-ctx.Done() // the node is away: don't ask it in a loop
}

// serveSealed serves a folder of sealed files until its result is called.
func serveSealed(address, folder string) (stop func(), err error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("can't serve sealed files at %s: %w; choose another --listen HOST:PORT", address, err)
	}
	server := &http.Server{Handler: goods.Handler(folder), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	go func() { _ = server.Serve(listener) }() // ends with the command
	return func() { _ = server.Close() }, nil
}

type goodsOpenCmd struct {
	tradeFlags
	yesFlag
	proofFlags
	From    string `arg:"" help:"The sealed file, its http or https address, or - for standard input."`
	Out     string `help:"Folder for the opened file." default:"." type:"existingdir" placeholder:"DIR"`
	Release bool   `help:"Release the payment once the file is found to be the agreed one."`
}

func (c *goodsOpenCmd) Run(ctx context.Context, a *app) error {
	s, t, err := c.begin(ctx, a)
	if err != nil {
		return err
	}
	agreed, named := goods.ParseNote(t.Trade.Agreement.Goods.Note)
	if !named {
		return types.Refuse(types.CodeGoods, "the note of trade %s names no SHA-256, so no program can tell whether the goods are the agreed ones: look at them, then %s",
			c.Trade, a.next("trade release", c.Trade.String()))
	}
	path := filepath.Join(c.Out, agreed.FileName(c.Trade))
	if err := c.open(ctx, a, s, path, agreed); err != nil {
		if wallet.ReasonOf(err) == wallet.ReasonSealed {
			err = fmt.Errorf("%w; nothing was written or released, and your money stays locked: ask the seller for the right file", err)
		}
		return err
	}
	if goods.Next(&t.Trade, t.Clock, s.account.Key(), goods.View{Seen: goods.Agreed}) == goods.Release && c.Release {
		release := tradeReleaseCmd{tradeFlags: c.tradeFlags, yesFlag: c.yesFlag, proofFlags: c.proofFlags}
		return release.Run(ctx, a)
	}
	return a.show(struct {
		File string `json:"file"`
		Note string `json:"note"`
	}{path, agreed.String()}, func(p *page) {
		p.line("Opened %s: it is the agreed file, by its SHA-256.", path)
		if !c.Release && t.Phase == types.PhaseDelivered {
			p.line("Release the payment: %s", a.next("trade release", c.Trade.String()))
		}
	})
}

// open opens the sealed file, unless an earlier run has done so.
func (c *goodsOpenCmd) open(ctx context.Context, a *app, s *session, path string, agreed goods.Note) error {
	if there, err := goods.NoteOf(path); err == nil && there.Sum == agreed.Sum {
		return nil
	}
	sealed, err := c.sealed(ctx, a)
	if err != nil {
		return err
	}
	defer sealed.Close()
	return goods.Open(sealed, path, s.account, agreed)
}

// longestFetch bounds the time to get a sealed file.
const longestFetch = time.Hour

// sealed opens the source of the sealed file.
func (c *goodsOpenCmd) sealed(ctx context.Context, a *app) (io.ReadCloser, error) {
	if c.From == "-" {
		return io.NopCloser(a.in), nil
	}
	if !strings.HasPrefix(c.From, "http://") && !strings.HasPrefix(c.From, "https://") {
		return os.Open(c.From)
	}
	address, err := url.Parse(c.From)
	if err != nil || address.Host == "" {
		return nil, misuse("%q is not the address of a file", c.From)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, misuse("%q is not the address of a file", c.From)
	}
	response, err := (&http.Client{Timeout: longestFetch}).Do(request)
	if err != nil {
		return nil, fmt.Errorf("the sealed file can't be fetched from %s: %w", address.Host, errors.Unwrap(err))
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("the sealed file can't be fetched from %s: it answers %s; the seller may not have sealed it yet, try again", address.Host, response.Status)
	}
	return response.Body, nil
}

type goodsChargeCmd struct {
	tradeFlags
	yesFlag
	proofFlags
	Source string `arg:"" help:"Configuration of your own meter in YAML, as for \"meter watch\"."`
	Value  string `help:"The value that counts the goods; by default the first." placeholder:"NAME"`
}

func (c *goodsChargeCmd) Run(ctx context.Context, a *app) error {
	s, t, err := c.begin(ctx, a)
	if err != nil {
		return err
	}
	text, err := a.input(c.Source, maxSourceFile)
	if err != nil {
		return err
	}
	config, err := source.Load(text)
	if err != nil {
		return types.Refuse(types.CodeMalformed, "%s: %v", c.Source, err)
	}
	value, err := c.value(config)
	if err != nil {
		return err
	}
	agreement := &t.Trade.Agreement
	if agreement.Goods.Unit != types.UnitWattHour {
		return types.Refuse(types.CodeGoods, "trade %s is about %s, a meter counts Wh", c.Trade, agreement.Goods.Unit)
	}
	p := s.release(&t.Trade, agreement.Instalments, trade.AskRelease)
	p.ask = fmt.Sprintf("Release each of the %d instalments once its share of the energy came past %s", agreement.Instalments, name(value.Name))
	leave, err := s.consent(c.yesFlag, p, wallet.Cost{})
	if err != nil {
		return err
	}
	return c.follow(ctx, a, s, &t, config, value, leave)
}

// value returns the chosen value of the source.
func (c *goodsChargeCmd) value(config *source.Config) (*source.Value, error) {
	for i := range config.Values {
		if v := &config.Values[i]; v.Name == c.Value || c.Value == "" {
			return v, nil
		}
	}
	return nil, misuse("%s has no value %q", c.Source, c.Value)
}

// follow releases instalments as the energy comes. Energy of released instalments counts as received before, so that a session goes on
// after a restart.
func (c *goodsChargeCmd) follow(ctx context.Context, a *app, s *session, t *wire.Trade, config *source.Config, value *source.Value, leave leave) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	agreement := &t.Trade.Agreement
	before := new(big.Rat).SetFrac64(int64(t.Trade.Released), int64(agreement.Instalments))
	before.Mul(before, new(big.Rat).SetUint64(agreement.Goods.Quantity))
	series := config.NewSeries(value, time.Hour)
	var failed error
	err := source.Open(config, a.logger()).Run(ctx, func(r source.Reading) {
		if r.Value != value.Name || failed != nil {
			return
		}
		series.Take(r)
		due := trade.Flowed(agreement, wholeWh(before, series.Slots()))
		if due <= t.Trade.Released {
			return
		}
		now, err := s.node.Trade(ctx, c.Trade)
		if err != nil {
			a.logger().Warn("an instalment waits for the node", "why", err)
			return
		}
		*t = now
		if due > t.Trade.Released {
			failed = c.pay(ctx, a, s, t, due, leave)
			if types.CodeOf(failed) == types.CodeUnavailable {
				a.logger().Warn("an instalment waits for the node", "why", failed)
				failed = nil // the next reading tries it again
			}
		}
		if failed != nil || t.Trade.Released == agreement.Instalments {
			stop()
		}
	})
	if failed != nil || err == nil || ctx.Err() != nil {
		return failed
	}
	return types.Refuse(types.CodeMalformed, "%v", err)
}

// pay releases up to instalment k.
func (c *goodsChargeCmd) pay(ctx context.Context, a *app, s *session, t *wire.Trade, k uint16, leave leave) error {
	known, err := s.known(ctx)
	if err != nil {
		return err
	}
	if _, err := s.prove(ctx, light.Release, t, c.proofFlags); err != nil {
		return err
	}
	tx, err := s.account.Release(known, c.Trade, &t.Trade, k)
	if err != nil {
		return err
	}
	if _, err := s.submit(ctx, tx, leave); err != nil {
		return err
	}
	t.Trade.Released = k
	return a.show(struct {
		Released    uint16 `json:"released"`
		Instalments uint16 `json:"instalments"`
	}{k, t.Trade.Agreement.Instalments}, func(p *page) {
		p.line("Released instalment %d of %d.", k, t.Trade.Agreement.Instalments)
	})
}

// wholeWh is the energy so far, rounded down to whole Wh.
func wholeWh(before *big.Rat, slots []source.Sum) uint64 {
	total := new(big.Rat).Set(before)
	for i := range slots {
		total.Add(total, slots[i].Import)
	}
	whole := new(big.Int).Quo(total.Num(), total.Denom())
	if !whole.IsUint64() {
		return types.MaxQuantity
	}
	return whole.Uint64()
}
