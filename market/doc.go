// Package market clears a call auction: at one price for all, the most is traded that the limits allow.
//
// It is a pure function of a set of orders: their order of arrival, or in a file, gives nobody an advantage, and anyone with the orders
// can recompute the result. [Clear] clears one book; [Auction] holds the auction of a product of the ledger, by the same code. All
// numbers are whole: lots of goods, and ticks of the price of a lot. Nothing is rounded.
//
// # The rule
//
// An owner's own bids and offers that would meet each other are netted first, best against best, so that nobody trades with itself.
// One that names a smallest fill is left out instead.
//
// The price is one at which most is traded; among several, one with the smallest imbalance between demand and supply; among those, the
// price at the market's pressure: with surplus supply the lowest, with surplus demand the highest, else the middle, rounded down to a
// tick. The short side is served in full. On the long side better limits come first; at the last limit that gets something the lots are
// shared in proportion. Fills are whole lots: each owner gets its exact share, rounded up or down, however many orders it makes of it.
//
// Ties follow the SHA-256 of the product and the owner. Nothing in it can be chosen by the proposer of a block.
//
// # Smallest fills
//
// An order that names a smallest fill gets at least that or nothing. Orders are left out in three steps: those that could not have it
// even if no other of their side named one; then, one by one, the order at the margin whose exact share is too small and that asks for
// the largest part of its lots; then those that trade nothing. Afterwards those left out are tried again, best limit first, bids and
// offers in turn, until none can join: one joins that would get its smallest fill while all that take part keep theirs. So an order that
// does not trade has no effect on price and fills. Which orders should take part is a stated rule, not an optimum, since that is a
// knapsack.
//
// # Few pairs
//
// The fills of each side, largest first, are laid side by side, which makes fewer pairs than there are orders. An order makes only so
// many trades. Where these are too few to place all fills, the smallest ones, of which nothing was placed, are left out, if that places
// more; if not, the orders whose trades are used up go on with as many lots as they placed. Then the market is cleared again, a few
// times at most. Lots without a place in the end are not filled. In an auction of the ledger, orders that were left unserved that way are
// cleared again by themselves.
package market
