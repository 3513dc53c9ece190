package plaintext

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"lockstep/types"
)

// ReadPrivate reads a small text that is a secret, without white space around it. It refuses a file that others on this machine may read;
// the service manager keeps those of its credentials folder.
func ReadPrivate(path string, most int64) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if mode := info.Mode(); mode.IsRegular() && mode.Perm()&0o077 != 0 && runtime.GOOS != "windows" && !IsCredential(path) {
		return "", types.Refuse(types.CodeMalformed, "others on this machine may read the secret in %s (mode %04o): run chmod 600 %s, and change the secret if they may have", path, mode.Perm(), path)
	}
	text, err := ReadFile(path, most)
	return strings.TrimSpace(string(text)), err
}

// IsCredential reports whether a file is in the folder that systemd makes for a service's credentials.
func IsCredential(path string) bool {
	folder := os.Getenv("CREDENTIALS_DIRECTORY")
	return folder != "" && filepath.Dir(filepath.Clean(path)) == filepath.Clean(folder)
}
