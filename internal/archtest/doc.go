// Package archtest tests the architecture: no package imports upwards, pure packages stay pure, and a few habits hold in
// every package. Which packages a package may import, package-level variables and init functions are checked by
// golangci-lint, whose rules TestLinterRules tests.
//
// Start with the table in floors.go, which matches docs/architecture.md; purity.go and habits.go hold the other rules. They
// read the source alone, so they also judge packages that do not compile yet.
package archtest
