//go:build !unix

package notify

import "os"

// lock does nothing: these systems refuse to replace a file that another program has open.
func lock(*os.File) error { return nil }
