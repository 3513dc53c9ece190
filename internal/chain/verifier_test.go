package chain

import (
	"testing"

	"lockstep/types"
)

// TestVerifierStop: all submissions are answered, queued and later ones.
func TestVerifierStop(t *testing.T) {
	t.Parallel()
	v := newVerifier(0, nil)
	all := &submissionGroup{errs: make([]error, 3), done: make(chan struct{})}
	all.left.Store(3)
	some := make([]submission, 3)
	for i := range some {
		some[i] = submission{tx: types.NewTx(types.Body{}), of: all, at: i}
	}
	v.submit(some[:2]...)
	if err := v.offer(some[0].tx); err != nil {
		t.Error(err)
	}
	v.close()
	v.submit(some[2])
	<-all.done
	for _, err := range all.errs {
		wantCode(t, err, types.CodeUnavailable)
	}
}
