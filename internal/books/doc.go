// Package books keeps a household's account of its trades: a journal in CSV, a line for each trade that ended, and a statement of a month
// in CSV and plain text.
//
// [EntryOf] computes a party's line from the trade alone, in whole smallest units and by the rules of package trade. [Fetch] collects the
// lines of a period from a node. Nothing is rounded, and each sum of a [Statement] can be added up again from its lines. Fees of
// transactions and payments outside of trades are not in it.
package books
