// Package disktest gives a test a small disk of its own, to fill.
package disktest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// inside tells the test binary that it was started again, with a mount table of its own.
const inside = "LOCKSTEP_TEST_DISK"

// Run runs a test in a process of its own, with a folder that is a disk of so many bytes. It needs the right to mount, which
// root has, in CI too; without it the test is skipped.
func Run(t *testing.T, size string, test func(dir string)) {
	t.Helper()
	if os.Getenv(inside) == t.Name() {
		dir := t.TempDir()
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
			t.Fatalf("mount a disk: %v", err)
		}
		defer func() { _ = unix.Unmount(dir, unix.MNT_DETACH) }()
		test(dir)
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a disk to fill")
	}
	command := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.count=1")
	command.Env = append(os.Environ(), inside+"="+t.Name())
	command.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	switch output, err := command.CombinedOutput(); {
	case errors.Is(err, syscall.EPERM):
		t.Skip("this machine lets nobody mount a disk to fill")
	case err != nil:
		t.Fatalf("%v\n%s", err, output)
	}
}

// Fill leaves no room on a disk. The function that it returns gives it back.
func Fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	name := filepath.Join(dir, "filled")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	for size := 1 << 20; size > 0; {
		if _, err := file.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}

// ReadOnly makes a disk read-only.
func ReadOnly(t *testing.T, dir string) {
	t.Helper()
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
}
