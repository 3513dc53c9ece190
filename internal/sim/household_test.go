package sim

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/types"
)

// deal is a trade of a slot between a household and another.
func deal(id byte, slot, seller, buyer int, phase types.Phase) Deal {
	return Deal{
		ID: types.TradeID{id}, Slot: slot, Kept: true, Seller: seller, Buyer: buyer, Phase: phase,
		Trade: types.Trade{Agreement: types.Agreement{Price: 100, Deposit: 5, Bond: 5}},
	}
}

func TestHouseholdSteps(t *testing.T) {
	t.Parallel()
	const me, other = 1, 5
	with := func(d Deal, edit func(*Deal)) Deal {
		edit(&d)
		return d
	}
	bought, sold := deal(3, 40, other, me, types.PhaseDelivered), deal(4, 40, me, other, types.PhaseDelivered)
	read := with(bought, func(d *Deal) { d.Ended, d.Read = true, true })
	ended := with(sold, func(d *Deal) { d.Ended = true })
	past := func(d *Deal) { d.Overdue, d.Expired = true, true }
	house := Household{Tariff: 300, FeedIn: 80}
	for _, test := range []struct {
		name string
		deal Deal
		want []Effect
	}{
		{"what came is released", read, []Effect{Confirm{read}}},
		{"not before it was read", bought, nil},
		{"not when it is short", with(read, func(d *Deal) { d.Short = true }), nil},
		{"not by who releases no more", with(read, func(d *Deal) { d.Kept = false }), nil},
		{"a slot that has ended is read", ended, []Effect{Meter{40}}},
		{"not while it runs", sold, nil},
		{"not by who delivers no more", with(ended, func(d *Deal) { d.Kept = false }), nil},
		{"what was read and not released is settled by the seller", with(with(ended, past), func(d *Deal) { d.Read = true }), []Effect{Close{sold}}},
		{"what was not read is settled by the buyer", with(bought, past), []Effect{Close{bought}}},
		{"the seller leaves that to the buyer", with(ended, past), nil},
		{"the buyer leaves the other to the seller", with(read, past), nil},
	} {
		_, effects := house.Step(Memory{}, View{Me: me, Deals: []Deal{test.deal}})
		if diff := cmp.Diff(test.want, effects, cmp.Comparer(sameDeal)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", test.name, diff)
		}
	}
}

func sameDeal(a, b Deal) bool { return a.ID == b.ID && a.Slot == b.Slot }

func TestRecordDemandAfterBreach(t *testing.T) {
	t.Parallel()
	house := Household{Tariff: 300, FeedIn: 80}
	unread := []Deal{deal(1, 40, 2, 1, types.PhaseDelivered), deal(2, 40, 3, 1, types.PhaseDelivered)}
	for i := range unread {
		unread[i].Ended, unread[i].Overdue = true, true
	}
	withheld := []Deal{deal(3, 40, 1, 4, types.PhaseDelivered), deal(4, 41, 1, 4, types.PhaseDelivered)}
	for i := range withheld {
		withheld[i].Ended, withheld[i].Read, withheld[i].Overdue = true, true, true
	}
	need, spare := Outlook{Slot: 60, Need: 7}, Outlook{Slot: 61, Surplus: 9}
	for _, test := range []struct {
		name  string
		deals []Deal
		want  []Effect
	}{
		{"at first none", nil, []Effect{Order{60, types.Bid, 7, 300, 0}, Order{61, types.Sell, 9, 80, 0}}},
		{"one failure is forgiven", unread[:1], []Effect{Order{60, types.Bid, 7, 300, 0}, Order{61, types.Sell, 9, 80, 0}}},
		{"of sellers", unread, []Effect{Order{60, types.Bid, 7, 300, demanded}, Order{61, types.Sell, 9, 80, 0}}},
		{"of buyers", withheld, []Effect{Order{60, types.Bid, 7, 300, 0}, Order{61, types.Sell, 9, 80, demanded}}},
	} {
		before := Memory{}
		memory, _ := house.Step(before, View{Me: 1, Deals: test.deals})
		memory, _ = house.Step(memory, View{Me: 1, Deals: test.deals}) // the same trades seen again count once
		_, effects := house.Step(memory, View{Me: 1, Purse: 7*310 + 9*500, Open: []Outlook{need, spare}})
		if diff := cmp.Diff(test.want, effects); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", test.name, diff)
		}
		if before.undelivered != nil || before.unreleased != nil {
			t.Error("the step changed the memory that it was given")
		}
	}
}

// An order waits for money when the purse can't fund it.
func TestOrderWithoutMoney(t *testing.T) {
	t.Parallel()
	house := Household{Tariff: 300, FeedIn: 80}
	bid, offer := Outlook{Slot: 60, Need: 7}, Outlook{Slot: 61, Surplus: 9}
	for purse, want := range map[types.Amount][]Effect{
		7*310 - 1:         nil,
		7 * 310:           {Order{60, types.Bid, 7, 300, 0}},
		7*310 + 9*500 - 1: {Order{60, types.Bid, 7, 300, 0}},
		7*310 + 9*500:     {Order{60, types.Bid, 7, 300, 0}, Order{61, types.Sell, 9, 80, 0}},
	} {
		_, effects := house.Step(Memory{}, View{Me: 1, Purse: purse, Open: []Outlook{bid, offer}})
		if diff := cmp.Diff(want, effects); diff != "" {
			t.Errorf("a purse of %s: (-want +got)\n%s", purse, diff)
		}
	}
}

func TestHouseholdsOfASeed(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(Households(7), Households(7)); diff != "" {
		t.Errorf("the same seed gives other households:\n%s", diff)
	}
	if cmp.Equal(Households(7), Households(8)) {
		t.Error("another seed gives the same households")
	}
	producers := 0
	for i, house := range Households(1) {
		if house.Roof != NoRoof {
			producers++
		}
		if (house.Roof != NoRoof) != (i < 4) || house.Purse == 0 || house.Annual == 0 {
			t.Errorf("household %d: %+v", i, house)
		}
	}
	if producers != 4 || Households(1)[0].Annual != measuredAnnual || Households(1)[0].Power != measuredPower {
		t.Errorf("%d producers, the first is %+v", producers, Households(1)[0])
	}
}
