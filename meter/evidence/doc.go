// Package evidence reads the files in which charging stations and their operators hand on signed meter records, and compares the
// records with the unsigned statements beside them.
//
// Start with [Read], which recognises a file by its content and returns its charging sessions, and [Judge], which returns one
// [Verdict] for each check of a session. [ParseKey] reads a public key in each form of the field.
//
// # Files
//
// A charge detail record of OCPI with signed_data (2.2 to 2.3), alone, in a list or in the envelope of a response; a log of OCPP 1.6
// or 2.x with signed meter values, as messages, as lines with a prefix, or as JSON of any other shape around them; the XML container of
// the transparency software of S.A.F.E.; records in OCMF, one a line. A text within them may be wrapped in base64, in hex or in JSON,
// and that again.
//
// OCPI does not say how an OCMF record is divided over plain_data and signed_data (github.com/ocpi/ocpi issue 550), so three
// layouts are in use: [LayoutTwice], [LayoutStripped] and [LayoutSplit].
//
// # Verdicts
//
// Each check stands alone: a session with a good signature and a wrong total keeps its good signature. Package meter judges
// signature, sequence and quantity, by the rules of the ledger. The other checks compare the signed records with the statements
// of the file, which nobody signed.
//
// A record is restored when transport changed the bytes around or between the signed text: line ends, the spelling of the signature
// algorithm, the halves of a split record. A restored form counts only if the signature is valid over it, so no restoration can make
// a record out of a forgery. [Judgement.Lines] has the restored records, which a ledger accepts.
//
// The package has no clock, no files and no network: the same bytes have the same verdicts everywhere.
package evidence
