//go:build !unix

package load

// ownUsage is not known on this system.
func ownUsage() (usage, error) { return usage{}, nil }

// processUsage is not known on this system.
func processUsage(int) (usage, error) { return usage{}, nil }
