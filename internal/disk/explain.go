// Package disk explains errors of files in words, and measures the room on a disk.
//
// Begin with [Explain].
package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// explained is an error with advice.
type explained struct {
	sentence string
	cause    error
}

func (e *explained) Error() string { return e.sentence + " (" + e.cause.Error() + ")" }
func (e *explained) Unwrap() error { return e.cause }

// Explain puts the cause of an error first, with advice, if the system says that it is about the disk, the rights to a
// file or the limits of the process. path is the folder, or the file, that was used. Other errors come back as they are, and so does nil.
func Explain(path string, err error) error {
	if err == nil || errors.As(err, new(*explained)) {
		return err
	}
	file := path
	if at := (*fs.PathError)(nil); errors.As(err, &at) {
		file = at.Path
	}
	for _, cause := range causes {
		if !cause.is(err) {
			continue
		}
		return &explained{cause.say(path, file), err}
	}
	return err
}

// Failed reports whether an error says that the disk can't be written to or read: to try again at once is of no use.
func Failed(err error) bool { return full(err) || broken(err) || readOnly(err) || denied(err) }

// Full reports whether an error says that no room is left.
func Full(err error) bool { return full(err) }

func anyOf(numbers ...syscall.Errno) func(error) bool {
	return func(err error) bool {
		for _, number := range numbers {
			if errors.Is(err, number) {
				return true
			}
		}
		return false
	}
}

var (
	full     = anyOf(syscall.ENOSPC, syscall.EDQUOT) //nolint:gochecknoglobals // a constant table
	broken   = anyOf(syscall.EIO)                    //nolint:gochecknoglobals // a constant table
	readOnly = anyOf(syscall.EROFS)                  //nolint:gochecknoglobals // a constant table
	denied   = anyOf(syscall.EACCES, syscall.EPERM)  //nolint:gochecknoglobals // a constant table
)

// causes are in order of precedence.
var causes = []struct { //nolint:gochecknoglobals // a constant table
	is  func(error) bool
	say func(path, file string) string
}{
	{full, func(path, _ string) string {
		return fmt.Sprintf("the disk of %s is full%s: make room there, at least %s, and start again; what is committed is not lost",
			path, free(path), Size(RoomToStart))
	}},
	{broken, func(path, _ string) string {
		return fmt.Sprintf("the disk of %s failed to read or write: look at the system's log for the device, and start again when it works; remove nothing", path)
	}},
	{readOnly, func(path, _ string) string {
		return fmt.Sprintf("the file system of %s is read-only: mount it for writing, and look at the system's log for why it is not", path)
	}},
	{denied, func(_, file string) string {
		return fmt.Sprintf("permission denied at %s: run the program as the owner of the files, or give them back to the user who runs it", file)
	}},
	{anyOf(syscall.EMFILE), func(_, _ string) string {
		return fmt.Sprintf("the process may open too few files (%s): raise the limit, by \"ulimit -n 8192\" or LimitNOFILE=8192 in the service", fileLimit())
	}},
	{anyOf(syscall.ENFILE), func(_, _ string) string {
		return "the system has too many open files: raise fs.file-max, or close other programs"
	}},
	{anyOf(syscall.ENOMEM), func(_, _ string) string {
		return "the system gives no more memory: lower memory_mb in node.json, or raise the limit of the process"
	}},
}

func free(path string) string {
	room, err := Free(path)
	if err != nil {
		return ""
	}
	return " (" + Size(room) + " free)"
}
