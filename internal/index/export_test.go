package index

// Tamper changes the content of the index, as a damaged disk would.
func (x *Index) Tamper(statement string) error {
	_, err := x.db.write.Exec(statement)
	return err
}
