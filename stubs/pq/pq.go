// Package pq stands in for the driver of PostgreSQL, see stubs/README.md.
package pq

// Arrays of a database.
type (
	BoolArray  []bool
	Int64Array []int64
)

// Array returns the list.
func Array(list any) any { return list }

// CopyIn is an empty statement.
func CopyIn(string, ...string) string { return "" }
