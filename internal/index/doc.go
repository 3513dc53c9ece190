// Package index answers questions that the ledger's state does not: trades by party, product, phase and time, prices and volumes of
// auctions, fills of orders, and the conduct of members. It follows the committed blocks into SQLite.
//
// Start with [Open], then [Index.Advance] for every batch of blocks. Everything here follows from the blocks and the trades
// and auctions that the store keeps, so an index can be thrown away at any time and built again, and comes out the same
// ([Index.Digest]). Nothing of value depends on it: the rules never ask it.
//
// Each answer is of one height, tells which, and comes in pages that a cursor connects.
package index
