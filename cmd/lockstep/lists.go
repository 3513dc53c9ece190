package main

import (
	"fmt"
	"iter"
)

// mostFlag bounds a list: others can make any list of a ledger long.
type mostFlag struct {
	Most int `help:"Most items to list." default:"100" placeholder:"N"`
}

// mostLooked bounds the items that a list examines to find the wanted ones.
const mostLooked = 20_000

// list collects the wanted items of a sequence, and reports on standard error that it left others out.
func list[T any](a *app, items iter.Seq2[T, error], most mostFlag, wanted func(*T) bool) ([]T, error) {
	if most.Most < 1 {
		return nil, misuse("--most %d: list one or more", most.Most)
	}
	found, looked := []T{}, 0
	for item, err := range items {
		if err != nil {
			return nil, err
		}
		if looked++; looked > mostLooked {
			fmt.Fprintf(a.err, "Only the first %d were looked at.\n", mostLooked)
			break
		}
		if !wanted(&item) {
			continue
		}
		if len(found) == most.Most {
			fmt.Fprintf(a.err, "There are more than these %d: see more of them with --most.\n", most.Most)
			break
		}
		found = append(found, item)
	}
	return found, nil
}

// all wants every item.
func all[T any](*T) bool { return true }
