package trade_test

import (
	"crypto/ed25519"
	"crypto/sha256"

	"lockstep/types"
)

// keyOf is the key of a party of the tests.
func keyOf(name string) types.PublicKey {
	seed := sha256.Sum256([]byte("lockstep test key: " + name))
	return types.PublicKey(ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey))
}

const (
	minute  = types.Duration(60_000)
	noon    = types.Time(1_782_043_200_000) // 2026-06-21T12:00:00Z
	quarter = 15 * minute
)

func sampleSecret() types.Secret { return types.Secret(sha256.Sum256([]byte("lockstep test secret"))) }

func sampleDeadlines() types.Deadlines {
	return types.Deadlines{
		PayBy: noon.Add(10 * minute), DeliverBy: noon.Add(14 * minute), ReadingBy: noon.Add(60 * minute), ConfirmBy: noon.Add(120 * minute),
	}
}

func sampleAgreement() types.Agreement {
	return types.Agreement{
		ChainID: "samplestadt", Producer: keyOf("producer"), Consumer: keyOf("consumer"),
		Goods: types.Goods{
			Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Quantity: 1500, Zone: "feeder 7",
			From: noon.Add(quarter), Until: noon.Add(2 * quarter),
			Flow: types.Flow{Point: types.PointID{1, 2, 3}, Direction: types.DirectionExport},
		},
		Asset: types.AssetID{9}, Price: 45_000, Deposit: 450, Bond: 900, Instalments: 5, Deadlines: sampleDeadlines(), Fallback: &types.Hold{}, Nonce: 7,
	}
}

// sampleTrade is delivered, with two of its five instalments released.
func sampleTrade() types.Trade {
	agreement, secret := sampleAgreement(), sampleSecret()
	return types.Trade{
		Agreement: agreement, Phase: types.PhaseDelivered, Height: 12, Digest: secret.Digest(5), Released: 2, Preimage: types.Secret(secret.Digest(3)),
		Locked: []types.Locked{
			{Part: types.PartPayment, Amount: 27_000},
			{Part: types.PartReturn, Amount: 450},
			{Part: types.PartBond, Amount: 900},
		},
		Steps: []types.Step{
			{Kind: types.StepAgreed, At: noon, Tx: types.TxID{1}}, {Kind: types.StepPaid, At: noon.Add(minute), Tx: types.TxID{2}},
			{Kind: types.StepDelivered, At: noon.Add(2 * minute), Tx: types.TxID{3}},
			{Kind: types.StepReleased, At: noon.Add(3 * minute), Tx: types.TxID{4}},
		},
	}
}
