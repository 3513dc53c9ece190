// Package receipt writes and verifies receipts: text files that prove to a third person how a trade ended.
//
// [Receipt.Text] is the file, [Parse] reads it, and [Receipt.Verify] checks every part offline against a [chain.Trust], with a verdict for each part.
// A trust file ([TrustText], [ReadTrust]) holds the headers by which a reader follows the set of validators.
//
// Each line of both files has a name, values and a short sum of the line. The sums find accidents and name the line; forgeries are found by hashes and
// signatures.
package receipt
