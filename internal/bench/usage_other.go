//go:build !unix

package bench

// ownUsage is not known on this system.
func ownUsage() (usage, error) { return usage{}, nil }

// processUsage is not known on this system.
func processUsage(int) (usage, error) { return usage{}, nil }
