package httpapi

import (
	"strconv"
	"strings"
	"time"

	"lockstep/types"
)

// These types are parameters that are neither numbers nor texts of package types. huma reads a struct by its UnmarshalText.

const (
	longestWait = 30 * time.Second // of a request, for a transaction to become final
	submitWait  = 10 * time.Second // of a submission without a wait
)

// wait is the time to wait for a transaction to become final. huma supports no default for such a type.
type wait struct {
	given bool
	span  time.Duration
}

func (w *wait) UnmarshalText(text []byte) error {
	span, err := time.ParseDuration(string(text))
	if err != nil || span < 0 || span > longestWait {
		return types.Refuse(types.CodeMalformed, "not a time to wait: write it as 10s, at most %s; 0 does not wait", longestWait)
	}
	*w = wait{true, span}
	return nil
}

// or returns the time to wait, or another if none was given.
func (w wait) or(other time.Duration) time.Duration {
	if w.given {
		return w.span
	}
	return other
}

// height is the height of a block; zero is the latest.
type height struct{ number uint64 }

func (h *height) UnmarshalText(text []byte) error {
	if string(text) == "latest" {
		return nil
	}
	number, err := strconv.ParseUint(string(text), 10, 64)
	if err != nil || number == 0 {
		return types.Refuse(types.CodeMalformed, "not the height of a block: write a number from 1 on, or 'latest'")
	}
	h.number = number
	return nil
}

// moment is a time in a question. (huma reads a type whose kind is a number as a number.)
type moment struct{ types.Time }

// direction is a direction in a question.
type direction struct{ types.Direction }

// phase is a phase in a question.
type phase struct{ types.Phase }

// amount is a sum in a question.
type amount struct{ types.Amount }

// outpoint is the address of an output in a path.
type outpoint struct{ types.Outpoint }

func (o *outpoint) UnmarshalText(text []byte) error {
	tx, index, found := strings.Cut(string(text), ":")
	number, err := strconv.ParseUint(index, 10, 32)
	if !found || err != nil || o.Tx.UnmarshalText([]byte(tx)) != nil {
		return types.Refuse(types.CodeMalformed, "not the address of an output: write the transaction's id, a colon and the index there")
	}
	o.Index = uint32(number)
	return nil
}
