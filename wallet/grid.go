package wallet

import (
	"fmt"
	"math/big"
	"slices"

	"lockstep/types"
)

// OffGrid refuses a value of an order that is not on the grid of its product, and names the nearest values that are. Its code is that of
// the ledger, [types.CodeOrder].
type OffGrid struct {
	Limit   bool     // it is the limit; else a quantity
	Lot     uint64   // units of the goods
	Step    uint64   // of the limit, in smallest units of money for a lot; of a quantity, in units of the goods
	Nearest []uint64 // in steps' units: the one below and the one above, or the only one
}

func (e *OffGrid) Error() string {
	near := fmt.Sprint(e.Nearest[0])
	if len(e.Nearest) > 1 {
		near += fmt.Sprintf(" and %d", e.Nearest[1])
	}
	if e.Limit {
		return fmt.Sprintf("%s: the limit is not a whole number of steps of %d for a lot of %d units, or above the ceiling; the nearest for a lot: %s",
			types.CodeOrder, e.Step, e.Lot, near)
	}
	return fmt.Sprintf("%s: the quantity is not a whole number of lots of %d units; the nearest: %s", types.CodeOrder, e.Lot, near)
}

// Unwrap gives the refusal its code.
func (e *OffGrid) Unwrap() error {
	return types.Refuse(types.CodeOrder, "it is not on the grid of its product")
}

// LotPrice returns the limit of an order, which is for a lot, from the price of one unit of the goods. A price that is not on the grid is
// refused by an [OffGrid].
func LotPrice(grid *types.Grid, price types.Rate) (types.Amount, error) {
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(price.Exponent)), nil)
	exact := new(big.Int).Mul(new(big.Int).SetUint64(price.Mantissa), new(big.Int).SetUint64(grid.Lot))
	step := new(big.Int).Mul(scale, new(big.Int).SetUint64(uint64(grid.Tick)))
	steps, rest := new(big.Int).QuoRem(exact, step, new(big.Int))
	most := uint64(grid.Ceiling / grid.Tick)
	off := &OffGrid{Limit: true, Lot: grid.Lot, Step: uint64(grid.Tick)}
	switch {
	case !steps.IsUint64() || steps.Uint64() > most || steps.Uint64() == most && rest.Sign() > 0:
		off.Nearest = []uint64{uint64(grid.Ceiling)}
		return 0, off
	case rest.Sign() > 0:
		below := steps.Uint64() * uint64(grid.Tick)
		off.Nearest = []uint64{below, below + uint64(grid.Tick)}
		if below == 0 {
			off.Nearest = off.Nearest[1:]
		}
		return 0, off
	}
	return types.Amount(steps.Uint64() * uint64(grid.Tick)), nil
}

// CheckLots refuses a quantity that is not a whole number of lots by an [OffGrid]; none may be above the most.
func CheckLots(grid *types.Grid, quantity, most uint64) error {
	below := quantity - quantity%grid.Lot
	if below == quantity {
		return nil
	}
	off := &OffGrid{Lot: grid.Lot, Step: grid.Lot, Nearest: []uint64{below, below + grid.Lot}}
	if below == 0 {
		off.Nearest = off.Nearest[1:]
	} else if below > most-min(most, grid.Lot) {
		off.Nearest = slices.Clip(off.Nearest[:1])
	}
	return off
}

// AtLimit returns the agreement that an order would come to if it were matched in full and at its limit. No match costs its owner more. The
// other side is not known before the auction: its key there stands for anybody's.
func AtLimit(params *types.Params, order *types.Order) (types.Agreement, error) {
	grid, ok := params.Grid(&order.Product)
	if !ok {
		return types.Agreement{}, types.Refuse(types.CodeProduct, "this ledger has no lots and ticks for %s in %s of asset %s",
			order.Product.Commodity, order.Product.Unit, order.Product.Asset)
	}
	stranger := order.Owner
	stranger[0] ^= 1
	match := types.Match{
		Product: &order.Product, Grid: grid, Producer: order.Owner, Consumer: stranger, Flow: order.Flow, Lots: order.Lots(),
		Price: order.Limit, Begin: order.Product.Gate(params),
	}
	if order.Side == types.Bid {
		match.Producer, match.Consumer = stranger, order.Owner
	}
	return match.Agreement(params)
}
