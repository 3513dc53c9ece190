package ledgertest

import (
	"testing"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/meter"
	"lockstep/types"
)

// exportRegister is the register of the gateways that [Ledger.Enrol] enrols.
const exportRegister = "01-00:02.08.00*FF"

// Enrol admits the named party as a member, enrols a connection point of it, and returns the flow of the energy that it sells there.
func (l *Ledger) Enrol(t testing.TB, owner string) types.Flow {
	t.Helper()
	gateway := types.PointMeter{
		Form: types.FormNative, Key: ledger.NativeMeterKey(party.Key(gatewayOf(owner))), Export: []string{exportRegister},
	}
	body := l.Body(
		&types.Admit{Operator: party.Key("operator"), Member: types.Member{Key: party.Key(owner), Name: owner}},
		&types.Enrol{Operator: party.Key("operator"), Owner: party.Key(owner), Meter: gateway},
	)
	if err := l.Submit(t.Context(), party.Sign(body, "operator")); err != nil {
		t.Fatal(err)
	}
	return types.Flow{Point: gateway.ID(), Direction: types.DirectionExport}
}

func gatewayOf(owner string) string { return "the gateway of " + owner }

// SoldByMeter has the producer sell energy to the consumer at an auction under meter terms, and returns its flow and the product. The slot is over.
func (l *Ledger) SoldByMeter(t testing.TB) (types.Flow, types.Product) {
	t.Helper()
	flow, product := l.Enrol(t, "producer"), l.NewProduct(0)
	offer := l.NewOrder(product, "producer", 0, types.Sell, 80)
	offer.Flow = flow
	l.Place(t, "consumer", l.NewOrder(product, "consumer", 0, types.Bid, 320))
	l.Place(t, "producer", offer)
	l.Gate(&product)
	l.Advance(product.Until.Since(l.Now()) + 1)
	return flow, product
}

// Read submits records of the named party's meter in one transaction: so much energy in each part of the slot of a product, of which all are as long.
func (l *Ledger) Read(t testing.TB, owner string, flow types.Flow, product *types.Product, quantities ...uint64) {
	t.Helper()
	readings := make([]types.Action, len(quantities))
	part := int64(product.Until.Since(product.From)) / int64(len(quantities))
	for i, quantity := range quantities {
		from := int64(product.From) + int64(i)*part
		record := party.Record(gatewayOf(owner), exportRegister, meter.Native{
			Direction: meter.Export, From: from, Until: from + part, Page: uint64(i) + 1, Form: meter.FormQuantity, End: quantity,
		})
		readings[i] = &types.Reading{Flow: flow, From: product.From, Records: []types.HexBytes{types.HexBytes(record.String())}}
	}
	if err := l.Submit(t.Context(), party.Sign(l.Body(readings...), owner)); err != nil {
		t.Fatal(err)
	}
}
