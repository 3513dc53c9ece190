// Package game solves the trade game. [Solve] builds the game of a [Terms] from the rules of the ledger and solves it by backward induction:
// before a signature, people see whether honesty is the best move of a selfish partner, and how much they can lose to a malicious one.
package game
