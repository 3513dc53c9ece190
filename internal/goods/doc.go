// Package goods sells goods that are not energy: a file or a licence key, named by its SHA-256 in the note of an offer, is sealed to the
// buyer's key, opened, checked, and only then released.
//
// [Next] decides the step of a party, as a pure function of the trade and of the party's own findings. [Seal] and [Open] are the two ends of
// the way. [Flowed] gives the instalments that are due while goods flow, as in a charging session.
package goods
