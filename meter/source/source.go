package source

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"lockstep/internal/plaintext"
)

// A Source delivers the readings of a configuration.
type Source struct {
	config *Config
	log    *slog.Logger
	began  time.Time // with the steady clock's reading
	told   map[string]string
}

// Open returns the source of a checked configuration. Faults that pass by themselves, such as a broker that is away, are logged.
func Open(c *Config, log *slog.Logger) *Source {
	return &Source{config: c, log: log, began: time.Now(), told: map[string]string{}}
}

// Run delivers readings to take, one after another, until the context ends or a file has been read. A broker or a device that goes is
// waited for; an error is returned only for a fault that the user has to mend.
func (s *Source) Run(ctx context.Context, take func(Reading)) error {
	run := map[string]func(context.Context, func(Reading)) error{
		"mqtt": s.runMQTT, "http": s.runHTTP, "modbus": s.runModbus, "csv": s.runCSV, "ocmf": s.runOCMF,
	}[s.config.Type]
	if run == nil {
		return fmt.Errorf("type %q is not known: check the configuration first", s.config.Type)
	}
	err := run(ctx, take)
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// reading returns a reading that arrives now.
func (s *Source) reading(v *Value) Reading {
	now := time.Now()
	return Reading{Value: v.Name, Measures: v.Measures, At: now.UnixMilli(), Steady: now.Sub(s.began).Milliseconds()}
}

// warn logs a fault of a place once, until it is over.
func (s *Source) warn(place, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if s.told[place] != text {
		s.told[place] = text
		s.log.Warn(text, "source", place)
	}
}

// fine ends the fault of a place.
func (s *Source) fine(place string) {
	if s.told[place] != "" {
		s.told[place] = ""
		s.log.Info("in order again", "source", place)
	}
}

// message reads the values of one message, JSON or a bare number, into readings.
func (s *Source) message(values []*Value, message []byte, retained bool, take func(Reading)) {
	var tree any
	var broken error
	for _, v := range values {
		r := s.reading(v)
		r.Retained = retained
		text := string(message)
		if len(v.path) > 0 || v.Serial != "" || v.Time != "" {
			if tree == nil && broken == nil {
				tree, broken = parseMessage(message)
			}
			if broken != nil {
				s.warn(v.Name, "%v", broken)
				continue
			}
		}
		if len(v.path) > 0 {
			var err error
			if text, err = v.path.in(tree); errors.Is(err, errAbsent) {
				continue // messages of one topic may have different members
			} else if err != nil {
				s.warn(v.Name, "%s: %v", v.Path, err)
				continue
			}
		}
		if err := s.complete(v, &r, tree, text); err != nil {
			s.warn(v.Name, "%v", err)
			continue
		}
		s.fine(v.Name)
		take(r)
	}
}

// complete fills in number, serial number and time of a reading.
func (s *Source) complete(v *Value, r *Reading, tree any, text string) (err error) {
	if r.Number, err = v.number(text); err != nil {
		return err
	}
	if p, _ := parsePath(v.Serial); len(p) > 0 { // Check has read it
		if r.Meter, err = p.in(tree); err != nil && !errors.Is(err, errAbsent) {
			return fmt.Errorf("%s: %w", v.Serial, err)
		}
	}
	if p, _ := parsePath(v.Time); len(p) > 0 {
		moment, err := p.in(tree)
		if err != nil {
			return fmt.Errorf("%s: %w", v.Time, err)
		}
		if r.At, err = parseTime(moment); err != nil {
			return fmt.Errorf("%s: %w", v.Time, err)
		}
		r.Own = true
	}
	return nil
}

// secret reads a password or token from its file, which only its owner may read.
func secret(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	return plaintext.ReadPrivate(path, maxSecret)
}

// maxSecret bounds a file that should hold a password or a token.
const maxSecret = 16 << 10
