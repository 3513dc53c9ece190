//go:build unix

package bench

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// ownUsage returns the resources that this process has used, the client in it included.
func ownUsage() (usage, error) {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return usage{}, fmt.Errorf("what this process has used: %w", err)
	}
	unit := int64(1024)
	if runtime.GOOS == "darwin" { // counts in bytes
		unit = 1
	}
	return usage{cpu: time.Duration(r.Utime.Nano() + r.Stime.Nano()), rss: r.Maxrss * unit}, nil
}

// clockTicks a second is how Linux counts the time of other processes, on every machine that Go runs on.
const clockTicks = 100

// processUsage returns the resources that another process has used. Only Linux reports them.
func processUsage(pid int) (usage, error) {
	var used usage
	folder := fmt.Sprintf("/proc/%d/", pid)
	stat, err := os.ReadFile(folder + "stat")
	if runtime.GOOS != "linux" {
		return used, nil
	}
	if err != nil {
		return used, fmt.Errorf("what a node has used: %w", err)
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]) // the name before can hold spaces
	const userTime, systemTime = 11, 12
	if len(fields) <= systemTime {
		return used, fmt.Errorf("%sstat can't be read: %q", folder, stat)
	}
	for _, field := range [][]byte{fields[userTime], fields[systemTime]} {
		ticks, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return used, fmt.Errorf("%sstat: %w", folder, err)
		}
		used.cpu += time.Duration(ticks) * time.Second / clockTicks
	}
	status, err := os.ReadFile(folder + "status")
	if err != nil {
		return used, fmt.Errorf("what a node has used: %w", err)
	}
	if _, peak, found := bytes.Cut(status, []byte("VmHWM:")); found {
		var kilobytes int64
		if _, err := fmt.Sscan(string(peak), &kilobytes); err != nil {
			return used, fmt.Errorf("%sstatus: %w", folder, err)
		}
		used.rss = kilobytes * 1024
	}
	return used, nil
}
