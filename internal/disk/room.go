package disk

import (
	"fmt"
	"os"
	"path/filepath"
)

// Room that a node needs on its disk, in bytes.
const (
	RoomToStart = 32 << 20 // to begin: its databases write before they do anything else
	RoomToRun   = 16 << 20 // below it a running node stops in order, rather than in the middle of a block
	RoomToWarn  = 1 << 30  // below it a node warns
)

// usualFiles is as many open files as a node ever makes use of.
const usualFiles = 8192

// CheckRoom returns an error when there is too little room to start a node in a folder.
func CheckRoom(dir string) error { return check(dir, RoomToStart) }

// CheckRunning returns an error when so little room is left that a running node must stop.
func CheckRunning(dir string) error { return check(dir, RoomToRun) }

func check(dir string, need uint64) error {
	room, err := Free(dir)
	if err != nil || room >= need { // a system that doesn't tell how much room it has isn't in the way
		return nil
	}
	return &explained{
		fmt.Sprintf("the disk of %s is full: %s free, %s needed; make room there and start again; what is committed is not lost",
			dir, Size(room), Size(RoomToStart)),
		errFull,
	}
}

// Warning is a sentence when a node's disk runs full, else empty.
func Warning(dir string) string {
	room, err := Free(dir)
	if err != nil || room >= RoomToWarn {
		return ""
	}
	return fmt.Sprintf("the disk of %s has %s left; below %s the node stops", dir, Size(room), Size(RoomToRun))
}

// Size writes a number of bytes for people.
func Size(bytes uint64) string {
	switch {
	case bytes >= 1<<30:
		return fmt.Sprintf("%.1f GB", float64(bytes)/(1<<30))
	case bytes >= 1<<20:
		return fmt.Sprintf("%d MB", bytes>>20)
	default:
		return fmt.Sprintf("%d kB", bytes>>10)
	}
}

// existing is the nearest folder above a path that is there.
func existing(path string) string {
	for {
		if _, err := os.Stat(path); err == nil || path == filepath.Dir(path) {
			return path
		}
		path = filepath.Dir(path)
	}
}
