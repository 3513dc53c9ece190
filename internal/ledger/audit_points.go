package ledger

import (
	"fmt"

	"lockstep/types"
)

// auditPoints checks the registry: each point stands under the name of its first meter, each meter is at one point, on no path do two
// points sell a direction in the end, and the counts of the points below are right.
func auditPoints(reader Reader) error {
	type below struct {
		open  uint32
		until types.Time
	}
	counted := map[types.PointID]map[types.Direction]below{}
	var finding error
	from, to := kindRange(kindPoint)
	reader.Ascend(from, to, func(key string, value Value) bool {
		point := decoded(key, value).(*types.Point)
		id := types.PointID([]byte(key[1:]))
		if finding = auditPoint(reader, id, point); finding != nil {
			return false
		}
		for parent := point.Parent; parent != (types.PointID{}); {
			above, known := reader.Point(parent)
			if !known {
				finding = fmt.Errorf("audit: point %s is below %s, which is not enrolled", id, parent)
				return false
			}
			for _, d := range directions() {
				sells := sellsInTheEnd(point, d)
				if sells && sellsInTheEnd(above, d) {
					finding = fmt.Errorf("audit: points %s and %s sell %s on one path", parent, id, d)
					return false
				}
				if counted[parent] == nil {
					counted[parent] = map[types.Direction]below{}
				}
				count := counted[parent][d]
				if sells {
					count.open++
				}
				for i := 1; i < len(point.Meters); i++ {
					if len(point.Meters[i-1].Registers(d)) > 0 && len(point.Meters[i].Registers(d)) == 0 {
						count.until = max(count.until, point.Meters[i].From)
					}
				}
				counted[parent][d] = count
			}
			parent = above.Parent
		}
		return true
	})
	if finding != nil {
		return finding
	}
	for point := range all[types.Point](reader, kindPoint) {
		for _, d := range directions() {
			count := counted[point.ID()][d]
			if got := point.Below(d); got.Open != count.open || got.Until < count.until {
				return fmt.Errorf("audit: below point %s, %d sell %s and others until %s; it counts %d, until %s", point.ID(), count.open, d, count.until,
					got.Open, got.Until)
			}
		}
	}
	return nil
}

// sellsInTheEnd reports whether a point that is in use sells a direction by its last meter.
func sellsInTheEnd(point *types.Point, d types.Direction) bool {
	return point.RetiredAt == 0 && len(point.Last().Registers(d)) > 0
}

func auditPoint(reader Reader, id types.PointID, point *types.Point) error {
	if len(point.Meters) == 0 || point.ID() != id {
		return fmt.Errorf("audit: point %s is not named by its first meter", id)
	}
	if _, member := reader.Member(point.Owner); !member {
		return fmt.Errorf("audit: the owner of point %s is not a member", id)
	}
	for i := range point.Meters {
		m := &point.Meters[i]
		if use, known := reader.PointOf(m); !known || use != id {
			return fmt.Errorf("audit: meter %q of point %s is noted at point %s", m.Serial, id, use)
		}
		if i > 0 && m.From <= point.Meters[i-1].From {
			return fmt.Errorf("audit: meter %q of point %s does not come after the one before", m.Serial, id)
		}
	}
	return nil
}
