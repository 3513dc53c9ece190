// Package archtest holds the architecture as rules that a test can break: who may import whom, what the pure packages
// must not do, and a few habits of the whole module.
//
// Start with the table in floors.go, which reads like the one in the architecture document; purity.go and habits.go hold
// the other rules. They work on the source alone, so they also judge packages that don't compile yet.
package archtest
