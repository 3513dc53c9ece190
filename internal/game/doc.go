// Package game plays the trade game on the real ledger, in two ways.
//
// [Explore] tries everything: it lets the parties of a [Scene] do anything in any order on the shipped rules, and compares
// every state that can be reached with what the protocol promises. What breaks a promise comes back as a [Story].
//
// [Solve] asks what pays: it builds the game of a [Terms] from the same rules and solves it by backward induction, so that
// people can see before they sign whether honesty is the best that a selfish partner can do, and what they stand to lose
// if the partner is malicious.
package game
