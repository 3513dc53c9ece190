package sim

import "fmt"

// ProfileError is a fault in a file of measured figures, with the remedy.
type ProfileError struct {
	Line   int // 1 is the header; 0: the file as a whole
	Detail string
}

func (e *ProfileError) Error() string {
	if e.Line == 0 {
		return "profiles: " + e.Detail
	}
	return fmt.Sprintf("profiles line %d: %s", e.Line, e.Detail)
}

func badLine(line int, format string, args ...any) error {
	return &ProfileError{Line: line, Detail: fmt.Sprintf(format, args...)}
}

// OptionError is an option that can't be played, with the possible values.
type OptionError struct{ Detail string }

func (e *OptionError) Error() string { return e.Detail }

func badOption(format string, args ...any) error {
	return &OptionError{Detail: fmt.Sprintf(format, args...)}
}
