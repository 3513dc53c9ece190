package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"io"
	"net/http"
	"strings"
	"time"

	"lockstep/types"
)

// BackupPath is where a node gives the operator of its machine a backup.
const BackupPath = "/v1/backup"

// serveBackup serves the backup of the node to its own token on its own machine: the API's document describes no route for operators.
func (s *server) serveBackup(mux *http.ServeMux) {
	if s.backup == nil {
		return
	}
	mux.HandleFunc("POST "+BackupPath, func(w http.ResponseWriter, r *http.Request) {
		if !clientOf(r.Context()).network.Addr().IsLoopback() || !s.ownToken(r) {
			writeProblem(w, newProblem(http.StatusUnauthorized, types.CodeToken, "a backup is for the operator of the node: run lockstep node backup on its machine"))
			return
		}
		control := http.NewResponseController(w)
		out := &patient{to: w, control: control}
		err := control.SetReadDeadline(time.Time{}) // the server's own would end the answer
		if err == nil {
			if err = s.backup(r.Context(), out); err == nil {
				return
			}
			s.log.Error("a backup failed", "error", err)
		}
		if out.begun {
			panic(http.ErrAbortHandler) // so that nobody takes it for whole
		}
		writeProblem(w, newProblem(http.StatusServiceUnavailable, types.CodeUnavailable, "the node can't give a backup now: "+err.Error()))
	})
}

// ownToken reports whether a request has the node's own token.
func (s *server) ownToken(r *http.Request) bool {
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	hash := sha256.Sum256([]byte(strings.TrimLeft(given, " ")))
	return s.token != nil && strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(hash[:], s.token[:]) == 1
}

// patient writes an answer that takes as long as it takes, to a reader that goes on reading.
type patient struct {
	to      io.Writer
	control *http.ResponseController
	begun   bool
}

// Write implements [io.Writer].
func (p *patient) Write(piece []byte) (int, error) {
	if err := p.control.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	p.begun = true
	return p.to.Write(piece)
}
