package chain

import "time"

var processBegan = time.Now() //nolint:gochecknoglobals // never changed

// steadyInProcess is for a machine that doesn't tell how long it has been up: it knows how long the program has.
func steadyInProcess(m moment) moment {
	m.up = time.Since(processBegan)
	m.boot = processBegan.UTC().Format(time.RFC3339Nano)
	return m
}
