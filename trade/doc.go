// Package trade is the trade machine: the rules of one trade, from the agreement to the last coin, as protocol section 3 and 4
// state them. It decides for every program which moves are possible in a trade, for which side and until when.
//
// Where each question is answered:
//
//   - who may spend a part of a trade, and why the return is locked like the payment: [Owner];
//   - who may act now, and until when: [Moves], from the table of windows in moves.go;
//   - the effect of a step on the money: [Apply], [Spend] and [Effect];
//   - the phase after a deadline has passed: [PhaseAt];
//   - everything that a person asks about a trade: [StatusAt], in words by package words;
//   - the sums and risks to show before a step: [Consent].
//
// The package is pure: it does no I/O, reads no clock, and changes no value that a caller passes in, unless [Evidence] allows it.
package trade
