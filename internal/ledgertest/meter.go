package ledgertest

import (
	"testing"

	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"

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

// Read submits records of the named party's meter in one transaction: so much energy in each part of the slot of a product, of which all are as long.
func (l *Ledger) Read(t testing.TB, owner string, flow types.Flow, product *types.Product, quantities ...uint64) {
	t.Helper()
	register, err := meter.ParseOBIS(exportRegister)
	if err != nil {
		t.Fatal(err)
	}
	readings := make([]types.Action, len(quantities))
	part := int64(product.Until.Since(product.From)) / int64(len(quantities))
	for i, quantity := range quantities {
		from := int64(product.From) + int64(i)*part
		n := meter.Native{
			Meter: party.Key(gatewayOf(owner)), Register: register, Direction: meter.Export, From: from, Until: from + part,
			Page: uint64(i) + 1, Form: meter.FormQuantity, End: quantity,
		}
		record := meter.SignedNative{Native: n, Signature: [64]byte(ed25519.Sign(party.PrivateKey(gatewayOf(owner)), n.Bytes()))}
		readings[i] = &types.Reading{Flow: flow, From: product.From, Records: []types.HexBytes{types.HexBytes(record.String())}}
	}
	if err := l.Submit(t.Context(), party.Sign(l.Body(readings...), owner)); err != nil {
		t.Fatal(err)
	}
}
