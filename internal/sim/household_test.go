package sim

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
