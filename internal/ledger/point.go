package ledger

import (
	"lockstep/types"
	"lockstep/types/canon"
)

// A kWh is sold once, by the meter that counts it: a connection point has one meter at a time, each direction of it has one
// closed form, and of the points on one path at most one sells a direction in a slot (docs/adr/0019).

// meterUse tells at which point a meter is, or was.
type meterUse struct{ Point types.PointID }

// Fields is the stored form, see [canon.Value].
func (m *meterUse) Fields(c *canon.Coder) {
	c.Array(1)
	c.Bytes("point", m.Point[:])
}

// directions are those that a point can sell.
func directions() [2]types.Direction {
	return [2]types.Direction{types.DirectionImport, types.DirectionExport}
}

// enrol registers a connection point with its first meter. A meter is registered at one point, once, ever: it stays so when the
// point is retired or has another meter.
func (x *execution) enrol(a *types.Enrol) error {
	if err := x.needOperator(a.Operator); err != nil {
		return err
	}
	if err := checkMeter(&a.Meter); err != nil {
		return err
	}
	if _, member := get[types.Member](x.State, memberKey(a.Owner)); !member {
		return types.Refuse(types.CodeMember, "%s is not a member", a.Owner)
	}
	if from := a.Meter.From; from != 0 {
		if err := x.checkBoundary(from); err != nil {
			return err
		}
	}
	id := a.Meter.ID()
	if _, used := get[meterUse](x.State, meterKey(id)); used {
		return types.Refuse(types.CodeMeterExists, "meter %q of this key", a.Meter.Serial)
	}
	point := &types.Point{Owner: a.Owner, Parent: a.Parent, Meters: []types.PointMeter{a.Meter}}
	path, err := x.pathOf(point)
	if err != nil {
		return err
	}
	if err := x.sell(point, path, &types.PointMeter{}, &a.Meter); err != nil {
		return err
	}
	x.put(meterKey(id), &meterUse{id})
	x.put(pointKey(id), point)
	x.emit(types.EventRegistered, types.Event{Tx: x.tx.ID()}, a.Owner)
	return nil
}

// exchange gives a point another meter from the beginning of a slot on that has not begun. Readings of earlier slots are judged
// by the meter that it had, and claims of later ones keep their places.
func (x *execution) exchange(a *types.Exchange) error {
	if err := x.needOperator(a.Operator); err != nil {
		return err
	}
	if err := checkMeter(&a.Meter); err != nil {
		return err
	}
	point, err := x.pointInUse(a.Point)
	if err != nil {
		return err
	}
	last := point.Last()
	if err := x.checkBoundary(a.Meter.From); err != nil {
		return err
	}
	switch {
	case a.Meter.From <= last.From:
		return types.Refuse(types.CodePoint, "the point has a meter from %s on, and changes are made in order: not from %s on", last.From, a.Meter.From)
	case len(point.Meters) == types.MaxExchanges:
		return types.Refuse(types.CodePoint, "the point has had its %d meters: retire it and enrol another", types.MaxExchanges)
	}
	id := a.Meter.ID()
	if use, used := get[meterUse](x.State, meterKey(id)); used && use.Point != a.Point {
		return types.Refuse(types.CodeMeterExists, "meter %q of this key is at point %s", a.Meter.Serial, use.Point)
	}
	path, err := x.pathOf(point)
	if err != nil {
		return err
	}
	if err := x.sell(point, path, last, &a.Meter); err != nil {
		return err
	}
	next := *point
	next.Meters = append(append([]types.PointMeter{}, point.Meters...), a.Meter)
	x.put(meterKey(id), &meterUse{a.Point})
	x.put(pointKey(a.Point), &next)
	x.emit(types.EventRegistered, types.Event{Tx: x.tx.ID()}, point.Owner)
	return nil
}

// retire keeps a point out of agreements recorded from now on. Those that are recorded go on as they are.
func (x *execution) retire(a *types.Retire) error {
	if err := x.needOperator(a.Operator); err != nil {
		return err
	}
	point, err := x.pointInUse(a.Point)
	if err != nil {
		return err
	}
	path, err := x.pathOf(point)
	if err != nil {
		return err
	}
	for _, d := range directions() {
		if len(point.Last().Registers(d)) > 0 {
			x.endBelow(path, d, x.now.Add(x.params.Horizon))
		}
	}
	next := *point
	next.RetiredAt = x.now
	x.put(pointKey(a.Point), &next)
	x.emit(types.EventRegistered, types.Event{Tx: x.tx.ID()}, point.Owner)
	return nil
}

func (s *State) pointInUse(id types.PointID) (*types.Point, error) {
	point, known := get[types.Point](s, pointKey(id))
	if !known || point.RetiredAt != 0 {
		return nil, types.Refuse(types.CodeMeterUnknown, "connection point %s is not in use", id)
	}
	return point, nil
}

// checkBoundary wants the beginning of a slot that has not begun, so that no reading changes its meter, and not too far away.
func (x *execution) checkBoundary(from types.Time) error {
	now := x.clock.BlockTime
	switch {
	case from <= now || from > now.Add(x.params.Horizon):
		return types.Refuse(types.CodePoint, "a meter is a point's from the beginning of a slot on that is still to come, at most %s ahead: %s is not, at %s",
			x.params.Horizon, from, now)
	case uint64(from)%uint64(x.params.Slot) != 0:
		return types.Refuse(types.CodePoint, "%s is not the beginning of a slot of %s", from, x.params.Slot)
	}
	return nil
}

// pathOf returns the points above one, from its parent up. A point keeps its place from enrolment on.
func (s *State) pathOf(point *types.Point) (path []types.PointID, err error) {
	for parent := point.Parent; parent != (types.PointID{}); {
		above, known := get[types.Point](s, pointKey(parent))
		switch {
		case !known:
			return nil, types.Refuse(types.CodePoint, "the parent %s is not an enrolled point", parent)
		case len(path) == types.MaxDepth-1:
			return nil, types.Refuse(types.CodePoint, "there would be more than %d points on the path", types.MaxDepth)
		}
		path, parent = append(path, parent), above.Parent
	}
	return path, nil
}

// sell checks that no other point on the path sells a direction of the new meter from its beginning on. It then counts the change at
// the points above: a direction that only the meter before sold ends at that moment.
func (x *execution) sell(point *types.Point, path []types.PointID, before, after *types.PointMeter) error {
	from := max(after.From, x.clock.BlockTime)
	for _, d := range directions() {
		if len(after.Registers(d)) == 0 {
			continue
		}
		if below := point.Below(d); below.Open > 0 || below.Until > from {
			return types.Refuse(types.CodePoint, "a sub-meter below the point sells %s: the same kWh can't be sold above it", d)
		}
		for _, id := range path {
			if above, _ := get[types.Point](x.State, pointKey(id)); above.SellsFrom(d, from, x.params.Horizon) {
				return types.Refuse(types.CodePoint, "point %s, above this one, sells %s: the same kWh can't be sold below it", id, d)
			}
		}
	}
	for _, d := range directions() {
		switch sold, sells := len(before.Registers(d)) > 0, len(after.Registers(d)) > 0; {
		case sold && !sells:
			x.endBelow(path, d, after.From)
		case sells && !sold:
			x.changeBelow(path, d, func(below *types.Below) { below.Open++ })
		}
	}
	return nil
}

// endBelow notes above that a point stops selling a direction.
func (x *execution) endBelow(path []types.PointID, d types.Direction, until types.Time) {
	x.changeBelow(path, d, func(below *types.Below) {
		below.Open--
		below.Until = max(below.Until, until)
	})
}

func (x *execution) changeBelow(path []types.PointID, d types.Direction, change func(*types.Below)) {
	for _, id := range path {
		above, _ := get[types.Point](x.State, pointKey(id))
		next := *above
		change(next.Below(d))
		x.put(pointKey(id), &next)
	}
}

// checkFlow lets only the owner sell energy at a point, only while the point is in use, and only in a direction that its meter
// counts in the slot.
func (s *State) checkFlow(producer types.PublicKey, flow types.Flow, from types.Time) error {
	if flow.IsZero() {
		return nil
	}
	point, ok := get[types.Point](s, pointKey(flow.Point))
	if !ok || point.Owner != producer || point.RetiredAt != 0 {
		return types.Refuse(types.CodeMeterUnknown, "connection point %s is not registered to %s, or is retired", flow.Point, producer)
	}
	if len(point.RegistersAt(flow.Direction, from)) == 0 {
		return types.Refuse(types.CodeMeterUnknown, "connection point %s does not sell %s in the slot of %s", flow.Point, flow.Direction, from)
	}
	return nil
}
