// Package meter judges signed meter records: their signer, their completeness, and the energy that they prove.
//
// Start with [ParseKey] and [Verify]: a meter's public key and its records in, one [Report] out. A file of records is
// cut up by [SplitRecords]. A caller that wants one record at a time, as a ledger does, uses [ParseOCMF],
// [Record.CheckSignature] and [Measure]. Records of a gateway of ours are [Native]; [VerifyNative] is their Verify.
//
// Everything here is a pure function of its arguments and gives the same verdict on every machine. There is no clock,
// no randomness, no floating point and no state, because nodes of a ledger must agree on each verdict.
//
// # The two forms
//
// OCMF is the Open Charge Metering Format of SAFE e.V., versions 0.1 to 1.4 (github.com/SAFE-eV, OCMF-en.md, "the
// standard" below): a line OCMF|payload|signature, signed with ECDSA over SHA-256 of the payload's bytes as they came.
// [Native] is a fixed binary layout of ours under Ed25519, for gateways that can choose.
//
// # Three verdicts
//
// They are separate, and a report is billable only when all three are good.
//
// Signature, of each record: valid, invalid (readable, and not signed by this key in the one form we accept), or
// unreadable (not a record, or one that names something we do not know). One written rule decides on acceptance, or
// nodes would differ: a DER signature must be canonical, and one of exactly twice the curve's size is r and s side by
// side. The key names the curve if it is a SubjectPublicKeyInfo, and the record must agree; a bare point takes the
// record's curve.
//
// Sequence, of all records in the order given: single (one record), ok, or broken. Records are ok when they come from
// one meter (gateway and meter serial), when each page follows the last of its context by exactly one (T for
// transactions and F for fiscal readings count apart), and when no total register runs backwards from one page to the
// next. A repeated page, a gap and a page out of order are all broken. The verdict is on the records' statements; it is
// evidence only with valid signatures.
//
// Quantity, in Wh and exact, or refused with a reason. Pages are taken in page order and each counts once. In the
// transaction context a begin (B) opens and an end (E, L, R, A or P) closes, in the same record or in a later one; a reading
// between them never falls; the quantity is the sum over the transactions, end minus begin. A begin or a whole
// transaction that is stated a second time, with the same times and values, counts once. A transaction that lacks its
// begin or its end is no quantity. Fiscal readings have no transactions: there the quantity is the last reading minus
// the first, and where both contexts are given the fiscal one is left out, because it reads the same energy. One bad
// reading refuses everything: a status other than G, an error flag on energy, an exception (X) that is not about time
// alone. Flag t spoils the time only.
//
// Times are read in every form of ISO 8601 that has one meaning and that meters write, see parseTime. An identification level
// that is an error (MISMATCH, INVALID, OUTDATED, UNKNOWN) says that the meter found no user, and nothing of the energy,
// which was measured: the quantity counts, the identification does not, and the report says so.
//
// Records often read several registers. Import comes before export, and export before a register whose identification
// says nothing ("1-b"); in each direction energy at the device, compensated for the cable's loss (C field 98, B1, B3,
// C1, C3), comes before energy at the mains; a total comes before the sum of its tariffs. Registers that remain side by
// side must agree, and the billed register must be in every record with energy readings. [Measurement] has the
// other registers too, so a producer's export is one look-up away. Units other than Wh and kWh are not energy and are
// ignored.
//
// [RecordReport.Usable] is the quantity verdict on one record alone, where half a transaction is enough: a begin record
// is usable, but only the report of the set that has its end too is billable.
package meter
