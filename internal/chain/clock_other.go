//go:build !linux

package chain

// readClocks reads the machine's clocks.
func readClocks() moment { return steadyInProcess(moment{wall: wallClock()}) }
