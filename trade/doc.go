// Package trade is the trade machine: the rules of one trade, from the agreement to the last coin, as protocol section 3 and 4
// state them. It decides for every program which moves are possible in a trade, for which side and until when.
//
// The package is pure: it does no I/O, reads no clock, and changes no value that a caller passes in, unless [Evidence] allows it.
package trade
