// Package explore tests the rules of the ledger against the protocol. [Explore] lets the parties of a [Scene] do anything in any order, and
// compares every reachable state with the promises of the protocol. A broken promise is returned as a [Story]. Only tests use it.
package explore
