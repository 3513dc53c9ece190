package sim

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/types"
)

// quote is an offer of so many Wh at a whole price.
func quote(seller int, price, left uint64) Quote {
	return Quote{Seller: seller, Left: left, Terms: types.Offer{
		Price: types.Rate{Mantissa: price}, Deposit: percentOf(price, depositPercent), Bond: percentOf(price, bondPercent), Instalments: 1,
	}}
}

// purchase is a [Buy] in short.
type purchase struct {
	Seller   int
	Quantity uint64
}

func TestBuyingIsCheapestFirst(t *testing.T) {
	t.Parallel()
	quotes := []Quote{quote(0, 210, 100), quote(1, 190, 60), quote(2, 200, 100), quote(3, 200, 100)}
	failed := Memory{broken: map[int]int{1: patience}}
	for _, test := range []struct {
		name   string
		memory Memory
		view   View
		want   []purchase
	}{
		{"met by the cheapest", Memory{}, View{Me: 9, Need: 50, Purse: 1_000_000}, []purchase{{1, 50}}},
		{"the next when it is used up", Memory{}, View{Me: 9, Need: 100, Purse: 1_000_000}, []purchase{{1, 60}, {2, 40}}},
		{"all there is", Memory{}, View{Me: 9, Need: 1000, Purse: 1_000_000}, []purchase{{1, 60}, {2, 100}, {3, 100}, {0, 100}}},
		{"never one's own", Memory{}, View{Me: 1, Need: 50, Purse: 1_000_000}, []purchase{{2, 50}}},
		{"never from who failed twice", failed, View{Me: 9, Need: 50, Purse: 1_000_000}, []purchase{{2, 50}}},
		{"once is forgiven", Memory{broken: map[int]int{1: 1}}, View{Me: 9, Need: 50, Purse: 1_000_000}, []purchase{{1, 50}}},
		{"no more than can be paid", Memory{}, View{Me: 9, Need: 100, Purse: 12_540}, []purchase{{1, 60}}},
		{"nothing without money", Memory{}, View{Me: 9, Need: 100}, nil},
		{"nothing without need", Memory{}, View{Me: 9, Purse: 1_000_000}, nil},
	} {
		test.view.Moment, test.view.Quotes = Taking, quotes
		house := Household{}
		_, effects := house.Step(test.memory, test.view)
		var got []purchase
		for _, effect := range effects {
			buy := effect.(Buy)
			got = append(got, purchase{buy.Quote.Seller, buy.Quantity})
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", test.name, diff)
		}
	}
}

func TestHouseholdsKeepTheirWordAsLongAsTheyDo(t *testing.T) {
	t.Parallel()
	const me, other = 1, 5
	paid := Deal{Seller: me, Buyer: other, Phase: types.PhasePaid, Trade: types.Trade{Agreement: types.Agreement{Bond: 10}}}
	delivered := Deal{Seller: other, Buyer: me, Phase: types.PhaseDelivered}
	house := Household{Price: 200, DeliversUntil: 48, ReleasesUntil: 56}
	for _, test := range []struct {
		name   string
		memory Memory
		view   View
		want   []Effect
	}{
		{"surplus is offered, dearer away from noon", Memory{}, View{Moment: Offering, Slot: 60, Surplus: 7}, []Effect{Sell{7, 202}}},
		{"no surplus, no offer", Memory{}, View{Moment: Offering, Need: 7}, nil},
		{"a paid trade is delivered", Memory{}, View{Moment: Delivering, Slot: 47, Purse: 10}, []Effect{HandOver{paid}}},
		{"but not from its hour on", Memory{}, View{Moment: Delivering, Slot: 48, Purse: 10}, nil},
		{"nor without money for the bond", Memory{}, View{Moment: Delivering, Slot: 47, Purse: 9}, nil},
		{"nor to who kept a secret", Memory{broken: map[int]int{other: 1}}, View{Moment: Delivering, Slot: 47, Purse: 10}, nil},
		{"a delivered trade is released", Memory{}, View{Moment: Releasing, Slot: 55}, []Effect{Confirm{delivered}}},
		{"but not from its hour on", Memory{}, View{Moment: Releasing, Slot: 56}, nil},
	} {
		test.view.Me, test.view.Deals = me, []Deal{paid, delivered}
		_, effects := house.Step(test.memory, test.view)
		if diff := cmp.Diff(test.want, effects); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", test.name, diff)
		}
	}
}

func TestHouseholdsRememberWhoBrokeItsWord(t *testing.T) {
	t.Parallel()
	house, before := Household{}, Memory{broken: map[int]int{2: 1}}
	after, _ := house.Step(before, View{Moment: Looking, Me: 1, Deals: []Deal{
		{Seller: 2, Buyer: 1, Phase: types.PhasePaid},      // paid and got nothing
		{Seller: 3, Buyer: 1, Phase: types.PhaseDelivered}, // its own secret is out or not: no fault of the seller
		{Seller: 1, Buyer: 4, Phase: types.PhaseDelivered}, // delivered and saw no secret
		{Seller: 1, Buyer: 5, Phase: types.PhasePaid},      // did not deliver itself
		{Seller: 1, Buyer: 6, Phase: types.PhaseReleased},
	}})
	if diff := cmp.Diff(map[int]int{2: 2, 4: 1}, after.broken); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if before.broken[2] != 1 {
		t.Error("the step changed the memory that it was given")
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
