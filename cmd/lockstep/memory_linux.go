package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// releasePages gives the pages of the program's own file back that only its start has touched. The kernel reads a page again when it is
// needed. Only mappings without changed pages are given back, so no content is lost.
func releasePages() {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer maps.Close()
	var from, until uintptr
	ours := false
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		line := lines.Text()
		var begin, end uintptr
		var mode string
		if n, _ := fmt.Sscanf(line, "%x-%x %s", &begin, &end, &mode); n == 3 {
			from, until, ours = begin, end, strings.HasSuffix(line, " "+program) && mode[0] == 'r' && !strings.Contains(mode, "w")
		} else if ours && strings.HasPrefix(line, "Anonymous:") && strings.HasSuffix(strings.TrimSpace(line), " 0 kB") {
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, from, until-from, unix.MADV_DONTNEED) // advice, which may be refused
		}
	}
}
