package page

import (
	"sync"
	"time"
)

// shared is an answer that all readers share. A reader gets one that is a little old at once, while a fresh one is made beside it; only the first, and
// one after a pause, wait.
type shared[T any] struct {
	mu     sync.Mutex // held while a reader waits for the first
	state  sync.Mutex // guards the fields below
	value  T
	known  bool
	at     time.Time
	making bool
	turn   int // of the ledger that is asked: a late answer of another one is dropped
}

// oldest is the greatest age of an answer that is served while a fresh one is made.
const oldest = 30 * time.Second

// get returns the answer. It is as good as new for a time; then it is made again.
func (s *shared[T]) get(now func() time.Time, life time.Duration, fetch func() (T, error)) (T, error) {
	if value, ok := s.ready(now, life, fetch); ok {
		return value, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if value, ok := s.ready(now, life, fetch); ok { // another reader has waited for it
		return value, nil
	}
	s.state.Lock()
	turn := s.turn
	s.state.Unlock()
	value, err := fetch()
	if err == nil {
		s.put(value, now(), turn)
	}
	return value, err
}

// ready returns the answer that is there, if it is not too old.
func (s *shared[T]) ready(now func() time.Time, life time.Duration, fetch func() (T, error)) (value T, ok bool) {
	s.state.Lock()
	defer s.state.Unlock()
	age := now().Sub(s.at)
	if !s.known || age >= oldest+life {
		return value, false
	}
	if age >= life && !s.making {
		s.making = true
		go func(turn int) {
			fresh, err := fetch()
			s.state.Lock()
			s.making = false
			s.state.Unlock()
			if err == nil {
				s.put(fresh, now(), turn)
			}
		}(s.turn)
	}
	return s.value, true
}

func (s *shared[T]) put(value T, at time.Time, turn int) {
	s.state.Lock()
	defer s.state.Unlock()
	if s.turn == turn {
		s.value, s.known, s.at = value, true, at
	}
}

// forget drops the answer.
func (s *shared[T]) forget() {
	s.state.Lock()
	defer s.state.Unlock()
	s.known, s.turn = false, s.turn+1
}
