package index

// Tamper changes what the index holds, as a damaged disk would.
func (x *Index) Tamper(statement string) error {
	_, err := x.db.write.Exec(statement)
	return err
}
