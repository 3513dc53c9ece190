package page

import (
	"testing"

	"lockstep/trade"
	"lockstep/types"
)

// The picture of a settled trade divides the money that was still locked: the instalments that were released before are gone from it.
func TestDivisionAfterInstalments(t *testing.T) {
	t.Parallel()
	settled := &types.Trade{
		Phase: types.PhaseSettled, Released: 2, Allotted: 10, Steps: []types.Step{{Kind: types.StepDelivered, At: 1}, {Kind: types.StepSettled, At: 2}},
		Agreement: types.Agreement{
			Producer: types.PublicKey{1}, Consumer: types.PublicKey{2}, Price: 100, Deposit: 10, Bond: 5, Instalments: 4, Fallback: &types.Meter{},
			Goods: types.Goods{Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Quantity: 40},
		},
	}
	status := trade.StatusAt(settled, 3, 10, types.PublicKey{1})
	if status.Phase != types.PhaseSettled {
		t.Fatal(status.Phase)
	}
	shares, err := new(screen).division(t.Context(), settled, &status)
	if err != nil || !shares.known || shares.producer != 1 || shares.consumer != 64 { // of 115, 50 were released
		t.Errorf("%+v %v", shares, err)
	}
}
