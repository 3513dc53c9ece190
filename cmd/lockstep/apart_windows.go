package main

import (
	"os/exec"
	"syscall"
)

// apart keeps an interrupt from the terminal away from a process that this program ends by itself.
func apart(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
