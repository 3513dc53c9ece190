// Package game plays the trade game on the real ledger, in two ways.
//
// [Explore] tries everything: it lets the parties of a [Scene] do anything in any order on the shipped rules, and compares
// every reachable state with the promises of the protocol. A broken promise comes back as a [Story].
//
// [Solve] finds the moves that pay: it builds the game of a [Terms] from the same rules and solves it by backward induction, so that
// people can see before they sign whether honesty is the best move of a selfish partner, and how much they can lose
// if the partner is malicious.
package game
