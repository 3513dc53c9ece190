//go:build !clockshift

package chain

import "time"

func wallClock() time.Time { return time.Now().Round(0) }
