package sim

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"slices"

	"lockstep/internal/ledger"
	"lockstep/meter"
	"lockstep/trade"
	"lockstep/types"
	"lockstep/wallet"
)

// gateway stands beside a producer's meter and signs the energy that went out in a slot.
type gateway struct {
	key  ed25519.PrivateKey
	flow types.Flow // the export of its owner's point
	page uint64     // of its last record
}

// reading holds a gateway's readings of a slot on the ledger.
type reading struct {
	wh    uint64
	short map[types.TradeID]bool // trades whose part of it is less than the agreed delivery
}

// register counts the export into the grid.
const register = "01-00:02.08.00*FF"

func newGateway() (*gateway, error) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	g := &gateway{key: key}
	enrolled := g.meter()
	g.flow = types.Flow{Point: enrolled.ID(), Direction: types.DirectionExport}
	return g, nil
}

func (g *gateway) public() [32]byte { return [32]byte(g.key.Public().(ed25519.PublicKey)) }

// meter is how an operator enrols it.
func (g *gateway) meter() types.PointMeter {
	return types.PointMeter{Form: types.FormNative, Key: ledger.NativeMeterKey(g.public()), Export: []string{register}}
}

// sign makes the record of a slot.
func (g *gateway) sign(product *types.Product, wh uint64) (types.HexBytes, error) {
	obis, err := meter.ParseOBIS(register)
	if err != nil {
		return nil, err
	}
	g.page++
	record := meter.Native{
		Meter: g.public(), Register: obis, Direction: meter.Export,
		From: int64(product.From), Until: int64(product.Until), Page: g.page, Form: meter.FormQuantity, End: wh,
	}
	signed := meter.SignedNative{Native: record, Signature: [64]byte(ed25519.Sign(g.key, record.Bytes()))}
	return types.HexBytes(signed.String()), nil
}

// post puts the gateway's signed readings of a slot into a draft of its owner.
func (c *community) post(draft *wallet.Draft, m *member, slot int) error {
	product := c.product(slot)
	record, err := m.gateway.sign(&product, c.metered(m, slot))
	if err != nil {
		return err
	}
	draft.Read(m.gateway.flow, product.From, record)
	return nil
}

// reading compares the metered energy of a seller in a slot with its deliveries, trade by trade, by the ledger's rule.
func (c *community) reading(m *member, view View, slot int) reading {
	read := reading{wh: c.metered(m, slot), short: map[types.TradeID]bool{}}
	known := types.Slot{Readings: []types.SlotReading{{Quantity: read.wh}}}
	for _, deal := range view.Deals {
		if deal.Slot == slot && deal.Seller == view.Me && deal.Phase == types.PhaseDelivered {
			known.Claims = append(known.Claims, types.Claim{Height: deal.Trade.Height, Trade: deal.ID, Quantity: deal.Trade.Agreement.Goods.Quantity})
		}
	}
	slices.SortFunc(known.Claims, func(a, b types.Claim) int {
		return cmp.Or(cmp.Compare(a.Height, b.Height), bytes.Compare(a.Trade[:], b.Trade[:]))
	})
	for _, claim := range known.Claims {
		read.short[claim.Trade] = trade.Allot(&known, claim.Trade) < claim.Quantity
	}
	return read
}
