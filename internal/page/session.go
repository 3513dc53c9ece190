package page

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net"
	"net/http"
	"sync"
	"time"
)

// sessions are the browsers that have signed in. They are kept in memory alone and end with the program.
type sessions struct {
	idle time.Duration
	now  func() time.Time

	mu      sync.Mutex
	open    map[[sha256.Size]byte]*session // by the hash of the cookie
	tickets map[[sha256.Size]byte]time.Time
	failed  int       // sign-ins in a row
	until   time.Time // no sign-in is tried before
}

// session is one signed-in browser.
type session struct {
	csrf string // in every form
	last time.Time

	mu   sync.Mutex
	used map[string]bool // numbers of the forms that were sent: each moves money once
}

const (
	ticketLife   = 10 * time.Minute
	mostSessions = 64
	mostTickets  = 64
	mostForms    = 4096
)

func newSessions(idle time.Duration, now func() time.Time) *sessions {
	if idle <= 0 {
		idle = DefaultIdle
	}
	return &sessions{idle: idle, now: now, open: map[[sha256.Size]byte]*session{}, tickets: map[[sha256.Size]byte]time.Time{}}
}

// randomText returns 256 random bits as text.
func randomText() string {
	var bits [32]byte
	_, _ = rand.Read(bits[:]) // never fails, see crypto/rand
	return base64.RawURLEncoding.EncodeToString(bits[:])
}

// ticket returns a token that begins one session.
func (s *sessions) ticket() string {
	token := randomText()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.tickets) >= mostTickets {
		clear(s.tickets)
	}
	s.tickets[sha256.Sum256([]byte(token))] = s.now().Add(ticketLife)
	return token
}

// redeem begins a session for a ticket, once.
func (s *sessions) redeem(token string) (cookie string, ok bool) {
	key := sha256.Sum256([]byte(token))
	s.mu.Lock()
	until, known := s.tickets[key]
	delete(s.tickets, key)
	fresh := known && !s.now().After(until)
	s.mu.Unlock()
	if !fresh {
		return "", false
	}
	return s.begin(), true
}

// begin begins a session and returns its cookie.
func (s *sessions) begin() (cookie string) {
	cookie = randomText()
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.open) >= mostSessions {
		var oldest [sha256.Size]byte
		var last time.Time
		for key, one := range s.open { // in any order: the oldest is one and the same
			if last.IsZero() || one.last.Before(last) {
				oldest, last = key, one.last
			}
		}
		delete(s.open, oldest)
	}
	s.failed, s.until = 0, time.Time{}
	s.open[sha256.Sum256([]byte(cookie))] = &session{csrf: randomText(), last: s.now(), used: map[string]bool{}}
	return cookie
}

// of returns the session of a request and keeps it alive; nil when there is none, or when it was idle for too long. The stream of
// a tab in the background keeps no session alive.
func (s *sessions) of(r *http.Request, keep bool) *session {
	cookie, err := r.Cookie(cookieName(r))
	if err != nil {
		return nil
	}
	key := sha256.Sum256([]byte(cookie.Value))
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.open[key]
	now := s.now()
	if one == nil || now.Sub(one.last) > s.idle {
		delete(s.open, key)
		return nil
	}
	if keep {
		one.last = now
	}
	return one
}

func (s *sessions) end(r *http.Request) {
	if cookie, err := r.Cookie(cookieName(r)); err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.open, sha256.Sum256([]byte(cookie.Value)))
	}
}

func (s *sessions) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.open)
	clear(s.tickets)
}

func (s *sessions) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, one := range s.open { // in any order: a count
		if s.now().Sub(one.last) <= s.idle {
			n++
		}
	}
	return n
}

// wait returns how long a sign-in must wait: it grows with each wrong passphrase.
func (s *sessions) wait() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(0, s.until.Sub(s.now()))
}

// wrong counts a wrong passphrase.
func (s *sessions) wrong() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed++
	if s.failed > freeTries {
		s.until = s.now().Add(min(longestWait, time.Second<<min(s.failed-freeTries, 6)))
	}
}

const (
	freeTries   = 4
	longestWait = time.Minute
)

// cookieName is the name of the session's cookie. Browsers keep the cookies of all ports of a machine together, so it has the port.
func cookieName(r *http.Request) string {
	_, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		port = "0"
	}
	return "lockstep-" + port
}

// setCookie gives a browser its session.
func setCookie(w http.ResponseWriter, r *http.Request, value string) {
	cookie := &http.Cookie{
		Name: cookieName(r), Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https",
	}
	if value == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(w, cookie)
}

// valid reports whether a form carries the token of its session.
func (s *session) valid(token string) bool {
	return subtle.ConstantTimeCompare([]byte(token), []byte(s.csrf)) == 1
}

// once reports whether a form is sent for the first time.
func (s *session) once(number string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if number == "" || s.used[number] || len(s.used) >= mostForms {
		return false
	}
	s.used[number] = true
	return true
}

// again allows a form to be sent once more: it has moved nothing.
func (s *session) again(number string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.used, number)
}
