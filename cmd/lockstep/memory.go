package main

import (
	"context"
	"os"
	"runtime/debug"
	"time"
)

// nodeGarbage is the garbage that a node lets pile up, in per cent of the memory in use: the collector then works a quarter as often as by default.
const nodeGarbage = 400

// boundMemory makes the program use about so much memory, which its environment can overrule: garbage piles up while there is room, and the collector
// works harder near the bound.
func boundMemory(megabytes int) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(megabytes) << 20)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(nodeGarbage)
	}
}

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
