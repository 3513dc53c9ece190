// Command mutate measures what the tests of the trade rules notice. It changes one comparison, bound, operand or branch at a time,
// in a copy that only the compiler sees, and runs the ordinary tests of the packages that rely on the rule. A mutant that passes
// them all is a survivor: add a test that fails for it, or explain in equivalent.txt why no test can tell it from the original.
//
//	go run ./internal/mutate              # every mutant: make mutants
//	go run ./internal/mutate -sample 20   # a seeded sample
//	go run ./internal/mutate -list        # print the mutants and run nothing
package main
