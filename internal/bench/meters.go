package bench

import (
	"context"
	"fmt"
	"slices"

	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"

	"lockstep/internal/ledger"
	"lockstep/meter"
	"lockstep/types"
)

// exported is the register that the gateways of a city read: energy into the grid, A-B:C.D.E*F as 1-0:2.8.0*255.
var exported = meter.OBIS{1, 0, 2, 8, 0, 255} //nolint:gochecknoglobals // a constant

func meterOf(gateway *party) types.PointMeter {
	return types.PointMeter{Form: types.FormNative, Key: ledger.NativeMeterKey(gateway.key), Export: []string{exported.String()}}
}

func flowOf(gateway *party) types.Flow {
	m := meterOf(gateway)
	return types.Flow{Point: m.ID(), Direction: types.DirectionExport}
}

// recordOf is a gateway's signed record of the energy in the slot of a product.
func recordOf(gateway *party, product *types.Product, quantity uint64) types.HexBytes {
	record := meter.Native{
		Meter: gateway.key, Register: exported, Direction: meter.Export, From: int64(product.From), Until: int64(product.Until),
		Page: 1, Form: meter.FormQuantity, End: quantity,
	}
	signed := meter.SignedNative{Native: record, Signature: [64]byte(ed25519.Sign(gateway.private, record.Bytes()))}
	return types.HexBytes(signed.String())
}

// enrolled is how many producers one transaction admits, each with its connection point.
const enrolled = 32

// enrol admits the producers as members with their connection points.
func (c *city) enrol(ctx context.Context) error {
	c.o.Progress(Progress{What: "enrolling the meters"})
	c.world.begin = signingTime()
	var producers []*household
	for _, h := range c.households {
		if !h.bids {
			producers = append(producers, h)
		}
	}
	parts := slices.Collect(slices.Chunk(producers, enrolled))
	txs := make([]*types.Tx, len(parts))
	shared(len(parts), func(i int) {
		var actions []types.Action
		for _, h := range parts[i] {
			actions = append(actions,
				&types.Admit{Operator: c.world.issuer.key, Member: types.Member{Key: h.key, Name: fmt.Sprint("household ", h.index)}},
				&types.Enrol{Operator: c.world.issuer.key, Owner: h.key, Meter: meterOf(h.meter)})
		}
		txs[i] = c.world.sign(types.Body{Actions: actions}, c.world.issuer)
	})
	if _, err := run(ctx, c.node, single(txs), c.o.Clients, plan{}); err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	return nil
}
