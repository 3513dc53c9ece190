// Package trade is the trade machine: the rules of one trade, from the agreement to the last coin, as protocol section 3
// and 4 state them. Every program that asks what may be done in a trade, by whom and until when, asks this package.
//
// The package is pure: it does no I/O, asks no clock, and changes no value that it was given.
package trade
