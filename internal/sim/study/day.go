package study

import (
	"context"
	"errors"

	"lockstep/client/wire"
	"lockstep/internal/ledger"
	"lockstep/internal/sim"
	"lockstep/types"
)

// Demonstration is the scenario of the demonstration's day: the twelve households of a town on a day of a season.
func Demonstration(season string, seed uint64) Scenario {
	s := Default()
	s.Name, s.Town, s.Season, s.Seed, s.Households, s.Rules = "town", true, season, seed, sim.TownSize, nil
	return s
}

// Day plays a day of the demonstration and reports it. With an error after the day it returns the report too, as far as it got.
func Day(scenario Scenario, options Options) (report *sim.Report, err error) {
	scenario.Slots = sim.SlotsPerDay
	err = play(scenario, options, func(w *world) error {
		evening, err := w.evening()
		report = evening.Report()
		return err
	})
	return report, err
}

// evening reads all that the ledger has of the day.
func (w *world) evening() (*sim.Evening, error) {
	e := &sim.Evening{
		Profile: w.profile, Households: w.scenario.townHouses(), Clock: w.now.Clock, Blocks: w.chain.store.Height(), Txs: w.chain.txs,
	}
	e.Quarters = sim.Quarters(e.Profile, e.Households)
	for _, quarter := range e.Quarters {
		from := w.product(quarter)
		e.Products = append(e.Products, types.Product{
			Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Zone: zone, From: from, Until: from.Add(w.chain.params.Slot), Asset: w.money.ID(),
		})
	}
	checked, checkErr := w.chain.store.Check()
	e.State = checked.Sums[w.money.ID()]
	return e, errors.Join(checkErr, w.readMoney(e), w.readTrades(e), w.readAuctions(e))
}

// readMoney asks for the issued money and for the balance of each key, the issuer's too.
func (w *world) readMoney(e *sim.Evening) error {
	asset, err := w.chain.Asset(context.Background(), w.money.ID())
	e.API = ledger.Sum{Issued: asset.Issued, Fees: asset.Fees}
	add := func(balance wire.Balance) {
		e.API.Spendable, e.API.Locked, e.API.InOrders = e.API.Spendable+balance.Spendable, e.API.Locked+balance.Locked, e.API.InOrders+balance.InOrders
	}
	for _, p := range w.players {
		balance, failed := w.chain.Balance(context.Background(), p.account.Key(), w.money.ID())
		err = errors.Join(err, failed)
		e.Keys, e.Held = append(e.Keys, p.account.Key()), append(e.Held, balance.Spendable)
		add(balance)
	}
	own, failed := w.chain.Balance(context.Background(), w.issuer.Key(), w.money.ID())
	add(own)
	return errors.Join(err, failed)
}

// readTrades reads each trade once, by its seller.
func (w *world) readTrades(e *sim.Evening) error {
	for _, p := range w.players {
		for t, err := range w.chain.trades(p.account.Key()) {
			if err != nil {
				return err
			}
			if t.Trade.Agreement.Producer == p.account.Key() {
				e.Trades = append(e.Trades, t)
			}
		}
	}
	return nil
}

// readAuctions reads the auctions with their orders.
func (w *world) readAuctions(e *sim.Evening) (err error) {
	snapshot, err := w.chain.store.Snapshot()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, snapshot.Close()) }()
	for i := range e.Products {
		id := e.Products[i].ID()
		var next sim.Auctioned
		if next.Result, err = snapshot.Auction(id); err != nil {
			return err
		}
		for placed, err := range snapshot.AuctionedOrders(id) {
			if err != nil {
				return err
			}
			next.Orders = append(next.Orders, placed.Order)
		}
		e.Auctions = append(e.Auctions, next)
	}
	return nil
}

// townHouses are the households of the demonstration.
func (s *Scenario) townHouses() []sim.Household {
	houses := sim.Households(s.Seed)
	if s.Honest {
		return sim.Honest(houses)
	}
	return houses
}
