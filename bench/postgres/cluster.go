package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// cluster is a throw-away PostgreSQL server that listens on a Unix socket in its own folder and nowhere else.
type cluster struct {
	folder     string // holds data/, the socket and the log
	binaries   string
	version    string
	credential *syscall.Credential // nil: as the caller
}

// settings are those of a database that keeps its promises, with enough memory and log for a short run not to be
// interrupted by a checkpoint.
func settings() string {
	return `
listen_addresses = ''
fsync = on
synchronous_commit = on
full_page_writes = on
shared_buffers = 512MB
max_wal_size = 8GB
checkpoint_timeout = 30min
max_connections = 100
`
}

// startCluster makes a cluster in a new folder below parent, and starts it. PostgreSQL refuses root, which therefore runs it as
// the user "postgres", or "nobody" where there is none.
func startCluster(ctx context.Context, parent string) (_ *cluster, err error) {
	c := &cluster{}
	if c.binaries, err = findBinaries(); err != nil {
		return nil, err
	}
	if err := c.chooseUser(); err != nil {
		return nil, err
	}
	if c.folder, err = os.MkdirTemp(parent, "lockstep-bench-postgres-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.stop())
		}
	}()
	if c.credential != nil {
		if err := os.Chown(c.folder, int(c.credential.Uid), int(c.credential.Gid)); err != nil {
			return nil, err
		}
	}
	if c.version, err = c.run(ctx, "postgres", "--version"); err != nil {
		return nil, err
	}
	if _, err := c.run(ctx, "initdb", "-D", c.data(), "-U", "bench", "--auth=trust", "--encoding=UTF8", "--locale=C"); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(c.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	if _, err := file.WriteString(settings()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	_, err = c.run(ctx, "pg_ctl", "-D", c.data(), "-w", "-l", filepath.Join(c.folder, "log"), "-o", "-k "+c.folder, "start")
	return c, err
}

func (c *cluster) data() string { return filepath.Join(c.folder, "data") }

// address is the address that a client dials.
func (c *cluster) address() string {
	return "host=" + c.folder + " user=bench dbname=postgres sslmode=disable"
}

// stop ends the server, if it runs, and removes the folder.
func (c *cluster) stop() error {
	var err error
	if _, gone := os.Stat(filepath.Join(c.data(), "postmaster.pid")); gone == nil {
		_, err = c.run(context.Background(), "pg_ctl", "-D", c.data(), "-w", "-m", "immediate", "stop")
	}
	return errors.Join(err, os.RemoveAll(c.folder))
}

func (c *cluster) run(ctx context.Context, name string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, filepath.Join(c.binaries, name), args...)
	command.Dir = c.folder
	// A group of its own: a Ctrl-C at the terminal is ours to handle, the server is stopped in order.
	command.SysProcAttr = &syscall.SysProcAttr{Credential: c.credential, Setpgid: true}
	// pg_ctl leaves the server behind with these files open, so they can't be pipes that we wait for.
	output, err := os.CreateTemp("", "lockstep-bench-output-")
	if err != nil {
		return "", err
	}
	defer os.Remove(output.Name())
	defer output.Close()
	command.Stdout, command.Stderr = output, output
	failure := command.Run()
	text, err := os.ReadFile(output.Name())
	if err != nil {
		return "", err
	}
	if failure != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), failure, strings.TrimSpace(string(text)))
	}
	return strings.TrimSpace(string(text)), nil
}

func (c *cluster) chooseUser() error {
	if os.Geteuid() != 0 {
		return nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		account, err = user.Lookup("nobody")
	}
	if err != nil {
		return fmt.Errorf("PostgreSQL refuses to run as root, and there is no user postgres or nobody: run this as another user: %w", err)
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	c.credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return err
}

// findBinaries is where initdb lies: Debian keeps it out of the PATH, in a folder of each version.
func findBinaries() (string, error) {
	folders, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	slices.SortFunc(folders, func(a, b string) int { return major(a) - major(b) })
	if len(folders) > 0 {
		return filepath.Dir(folders[len(folders)-1]), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errors.New("PostgreSQL is not installed: apt-get install postgresql")
	}
	return filepath.Dir(path), nil
}

func major(path string) int {
	number, err := strconv.Atoi(strings.Split(path, "/")[4])
	if err != nil {
		return 0
	}
	return number
}

// onDisk reports whether a folder's files outlive a power cut once synced: not those of a file system in memory.
func onDisk(folder string) (bool, error) {
	const tmpfs, ramfs = 0x01021994, 0x858458f6
	var stat syscall.Statfs_t
	if err := syscall.Statfs(folder, &stat); err != nil {
		return false, fmt.Errorf("file system of %s: %w", folder, err)
	}
	return int64(stat.Type) != tmpfs && int64(stat.Type) != ramfs, nil
}
