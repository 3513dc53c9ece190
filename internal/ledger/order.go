package ledger

import "lockstep/types"

// place puts an order into the book of its product and locks its stake: all that the order can cost. An order of a number that the
// owner has in the book replaces the one there, whose stake comes to the transaction.
func (x *execution) place(a *types.Place) error {
	order := &a.Order
	if err := order.Check(&x.params); err != nil {
		return err
	}
	product := &order.Product
	if opens, gate := product.Opens(&x.params), product.Gate(&x.params); x.clock.BlockTime < opens || x.clock.BlockTime > gate {
		return types.Refuse(types.CodeBookClosed, "orders for this product are taken from %s to %s, the block is of %s", opens, gate, x.clock.BlockTime)
	}
	if err := x.checkEntry(order); err != nil {
		return err
	}
	id := product.ID()
	if err := order.CheckLate(&x.params, x.clock.BlockTime, func(number uint8) *types.Order {
		if placed, there := get[types.PlacedOrder](x.State, orderKey(id, order.Owner, number)); there {
			return &placed.Order
		}
		return nil
	}); err != nil {
		return err
	}
	at := orderKey(id, order.Owner, order.Number)
	if old, replaces := get[types.PlacedOrder](x.State, at); replaces {
		if err := x.release(&old.Order); err != nil {
			return err
		}
	} else if err := x.enter(id, order); err != nil {
		return err
	}
	if err := x.offerSlot(id, order); err != nil {
		return err
	}
	stake, _ := order.Stake() // fits: checked
	if err := x.debit(product.Asset, stake); err != nil {
		return err
	}
	x.need(order.Owner)
	x.put(at, &types.PlacedOrder{Order: *order, Tx: x.tx.ID(), Height: x.clock.Height})
	x.emitOrder(types.EventOrdered, id, order.Owner)
	return nil
}

// enter gives a new order its place in the book, which opens with the first one.
func (x *execution) enter(id types.ProductID, order *types.Order) error {
	product := &order.Product
	book, open := get[types.Book](x.State, bookKey(id))
	if !open {
		book = &types.Book{Product: *product}
		x.put(gateKey(product.Gate(&x.params), id), &mark{})
		x.useAsset(product.Asset)
	}
	if book.Orders == x.params.MarketOf(product).MaxOrders {
		return types.Refuse(types.CodeBookFull, "the product has its %d orders", book.Orders)
	}
	x.put(bookKey(id), &types.Book{Product: *product, Orders: book.Orders + 1})
	if !x.ofMembers() {
		return nil
	}
	if err := checkRoom(order.Owner, x.usage(order.Owner).Orders, x.params.Entries.Orders, "orders"); err != nil {
		return err
	}
	if err := x.checkTrades(order.Owner); err != nil { // what it would be matched to
		return err
	}
	x.editUsage(order.Owner, func(u *types.Usage) { u.Orders++ })
	return nil
}

// release takes the stake of an order out of it, for the transaction to spend, and the order from its slot.
func (x *execution) release(order *types.Order) error {
	x.leaveOffer(order, false)
	stake, _ := order.Stake()
	return x.credit(order.Product.Asset, stake)
}

// checkEntry checks the owner of an order against the state.
func (x *execution) checkEntry(order *types.Order) error {
	if _, known := get[types.AssetState](x.State, assetKey(order.Product.Asset)); !known {
		return types.Refuse(types.CodeAssetUnknown, "asset %s", order.Product.Asset)
	}
	if x.params.MarketOf(&order.Product).Entry == types.EntryMembers {
		if _, member := get[types.Member](x.State, memberKey(order.Owner)); !member {
			return types.Refuse(types.CodeMember, "only members place orders on this ledger, %s is none", order.Owner)
		}
	}
	if err := x.checkEntrant(order.Owner); err != nil {
		return err
	}
	return x.checkFlow(order.Owner, order.Flow, order.Product.From)
}

// withdraw takes an order out of its book again, up to one smallest window before the gate. Its stake comes to the transaction.
func (x *execution) withdraw(a *types.Withdraw) error {
	at := orderKey(a.Product, a.Owner, a.Number)
	book, open := get[types.Book](x.State, bookKey(a.Product)) // an order goes with its book
	var placed *types.PlacedOrder
	if open {
		placed, open = get[types.PlacedOrder](x.State, at)
	}
	if !open {
		return types.Refuse(types.CodeOrderUnknown, "order %d of %s for product %s does not stand", a.Number, a.Owner, a.Product)
	}
	gate, last := book.Product.Gate(&x.params), book.Product.Withdrawable(&x.params)
	if x.clock.BlockTime > last {
		return types.Refuse(types.CodeBookClosed, "orders could be withdrawn until %s, the block is of %s: until the gate closes at %s they can only be improved",
			last, x.clock.BlockTime, gate)
	}
	x.need(a.Owner)
	x.remove(at)
	if err := x.release(&placed.Order); err != nil {
		return err
	}
	x.endOrders([]heldOrder{{Owner: a.Owner}})
	if book.Orders == 1 {
		x.leaveAsset(book.Product.Asset)
		x.remove(bookKey(a.Product))
		x.remove(gateKey(gate, a.Product))
	} else {
		x.put(bookKey(a.Product), &types.Book{Product: book.Product, Orders: book.Orders - 1})
	}
	x.emitOrder(types.EventWithdrawn, a.Product, a.Owner)
	return nil
}

func (s *State) mustBook(id types.ProductID) *types.Book {
	book, ok := get[types.Book](s, bookKey(id))
	if !ok {
		panic("ledger: product " + id.String() + " has orders and no book")
	}
	return book
}

func (x *execution) emitOrder(kind types.EventKind, product types.ProductID, owner types.PublicKey) {
	x.emit(kind, types.Event{Tx: x.tx.ID(), Product: product}, owner)
}
