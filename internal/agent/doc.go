// Package agent trades for a household by itself. It decides by one pure function, [Step]: the state and an event give the next state and
// the effects to carry out. It has no clock, no network and no keys; a runner brings events and carries effects out.
//
// The agent remembers nothing that matters. Each [View] of the ledger brings its orders, trades and money, and Step compares them with
// the household's wishes: it makes the orders, payments, deliveries, readings, releases, settlements and collections that are missing. So a
// restart at any moment, without any file, goes on where the ledger is. Package trade alone knows the rules of a trade.
//
// Two transactions made from one view can't both get on the ledger, since each spends the same coin, the view's anchor
// (docs/adr/0033). So a lost answer, a restart or a second agent of the same seed can order, take or pay nothing twice.
package agent
