package ledger

import (
	"fmt"

	"lockstep/types"
)

// auditStakes counts the money that orders and standing offers have locked, and that of auctions whose trades are not all made.
func auditStakes(reader Reader, sums Sums) error {
	for placed := range reader.PlacedOrders() {
		stake, ok := placed.Order.Stake()
		if !ok {
			return fmt.Errorf("audit: order %s locks more than can be counted", placed.Order.ID())
		}
		if err := sums.count(placed.Order.Product.Asset, stake, inOrders); err != nil {
			return fmt.Errorf("audit: order %s: %w", placed.Order.ID(), err)
		}
	}
	for offer := range reader.Offers() {
		if offer.Stake == 0 {
			continue
		}
		if err := sums.count(offer.Offer.Asset, offer.Stake, inOrders); err != nil {
			return fmt.Errorf("audit: offer %s: %w", offer.Offer.ID(), err)
		}
	}
	for auction := range all[held](reader, kindHeld) {
		if auction.Pending == 0 {
			continue
		}
		if err := sums.count(auction.Product.Asset, auction.Pending, inOrders); err != nil {
			return fmt.Errorf("audit: the auction of product %s: %w", auction.Product.ID(), err)
		}
	}
	return nil
}

// slotCounts are the counters of a slot, found one by one.
type slotCounts struct {
	agreed uint32
	open   uint16
	orders uint8
}

// auditSlots compares the counters of the slots with the trades and orders themselves.
func auditSlots(reader Reader) error {
	found := map[[32]byte]slotCounts{}
	count := func(flow types.Flow, from types.Time, add func(*slotCounts)) {
		if flow.IsZero() {
			return
		}
		at := slotID(flow, from)
		counts := found[at]
		add(&counts)
		found[at] = counts
	}
	for t := range reader.Trades() {
		_, delivered := t.Step(types.StepDelivered)
		count(t.Agreement.Goods.Flow, t.Agreement.Goods.From, func(c *slotCounts) {
			if delivered {
				c.open++
			} else {
				c.agreed++
			}
		})
	}
	for placed := range reader.PlacedOrders() {
		count(placed.Order.Flow, placed.Order.Product.From, func(c *slotCounts) { c.orders++ })
	}
	for slot := range all[types.Slot](reader, kindSlot) {
		at := slotID(slot.Flow, slot.From)
		if have := found[at]; have != (slotCounts{slot.Agreed, slot.Open, slot.Orders}) {
			return fmt.Errorf("audit: the slot of %s at point %s counts %d agreements, %d open claims and %d orders, there are %d, %d and %d",
				slot.From, slot.Flow.Point, slot.Agreed, slot.Open, slot.Orders, have.agreed, have.open, have.orders)
		}
		delete(found, at)
	}
	for at := range found { // any order: one finding is enough
		return fmt.Errorf("audit: slot %x has trades or orders and is not in the state", at)
	}
	return nil
}
