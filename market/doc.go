// Package market clears a call auction: at one price for all, the most is traded that the limits allow.
//
// [Clear] is the whole of it. It is a pure function of a set of orders: their order of arrival, or in a file, gives nobody an
// advantage, and anyone with the orders can recompute the result. Quantities are whole numbers, prices exact decimals.
//
// # The rule
//
// An owner's own bids and offers that would meet each other are netted first, best against best, so that nobody trades with
// itself. The price is the one at which most is traded; among several, one that leaves the smallest imbalance between
// demand and supply; among those, the middle of the interval, which is exact. The short side is served in full. On
// the long side better limits come first; at the last limit that gets something, the quantity is shared pro rata, by largest
// remainder, ties by ID.
//
// An order that names a smallest fill gets at least that or nothing. One whose share would be less is left out, first the one
// that asks for the largest part of its quantity, and the auction is computed again without it. So the result is always an
// auction like any other, of the orders that take part: it trades the most of them, has the highest welfare, and leaves no
// pair of them unserved that would trade at the price. Which orders should take part is a stated rule, not an optimum, since
// that is a knapsack.
package market
