// Command mutate measures whether the tests of the trade rules detect changed rules. It changes one comparison, bound, operand or branch
// at a time, in an overlay that only the compiler reads. It then runs the ordinary tests of the packages that rely on the rule. A mutant
// that passes all tests is a survivor: add a test that fails for it, or explain in equivalent.txt why no test can distinguish it from the
// original.
//
//	go run ./internal/mutate              # every mutant: make mutants
//	go run ./internal/mutate -sample 20   # a seeded sample
//	go run ./internal/mutate -names FILE  # the mutants that a file names, as the survivors of an earlier run
//	go run ./internal/mutate -list        # print the mutants and run nothing
package main
