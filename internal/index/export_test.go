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
