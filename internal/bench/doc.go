// Package bench measures a ledger: it makes whole trades, signs them before the clock starts, sends them through one layer of
// the system or all of it, and says how many a second became final, how long each took, its cost, and which part of
// the machine was the limit.
//
// Start with [Run], which does one measurement and returns a [Report]; [Grow] and [Overload] are measurements of their own.
// The transactions are made in world.go and pair.go, pure functions of a seed; each mode sends them to a target (target.go);
// runner.go sends, waits for finality and counts; limits.go measures the limit of each part alone.
package bench
