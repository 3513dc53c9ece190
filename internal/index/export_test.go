package index

// Tamper changes the content of the index, as a damaged disk would.
func (x *Index) Tamper(statement string) error {
	_, err := x.db.write.Exec(statement)
	return err
}

// Busy keeps the index from its queries, as a reset that waits for a long query does.
func (x *Index) Busy() (free func()) {
	x.mu.Lock()
	return x.mu.Unlock
}

// KeepOpen bounds the open trades in memory.
func (x *Index) KeepOpen(most int) { x.openLimit = most }

// Open counts the open trades in memory and in the table.
func (x *Index) Open() (memory, table int, err error) {
	err = x.db.write.QueryRow("SELECT count(*) FROM trades WHERE phase <= 3").Scan(&table)
	return len(x.db.open.byID), table, err
}

// Count answers a question with one number.
func (x *Index) Count(question string, args ...any) (n int, err error) {
	err = x.db.write.QueryRow(question, args...).Scan(&n)
	return n, err
}
