package main

import (
	"context"
	"runtime/debug"
	"time"
)

// agentMemory is the heap that an agent is content with, in bytes: the collector works harder near it.
const agentMemory = 24 << 20

// thrift makes the program keep little memory until the context ends: for an agent, which does little and runs for years on a small box.
// Unlocking a wallet takes much for a second, which is given back at once.
func thrift(ctx context.Context) {
	debug.SetGCPercent(40)
	debug.SetMemoryLimit(agentMemory)
	again := time.NewTicker(5 * time.Minute)
	defer again.Stop()
	for {
		debug.FreeOSMemory()
		releasePages()
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		}
	}
}
