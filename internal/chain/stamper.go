package chain

import (
	"errors"
	"fmt"

	"github.com/cometbft/cometbft/privval"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"
)

// stamper signs the engine's votes and proposals. It gives a vote this node's time instead of the wall clock's; the engine derives block
// times from it.
type stamper struct {
	*privval.FilePV
	custody *custody
	clock   *clock
	failure *failure
	stop    <-chan struct{}
	signed  func(*cmtproto.Vote) // is told of each signed vote, or nil
}

var errSignerStopped = errors.New("the node is stopping and signs nothing more")

// SignVote signs a vote.
func (s *stamper) SignVote(chainID string, vote *cmtproto.Vote) (err error) {
	defer s.report(&err)
	if s.stopped() {
		return errSignerStopped
	}
	vote.Timestamp = s.clock.stamp()
	s.custody.mu.Lock()
	defer s.custody.mu.Unlock()
	if err := s.custody.allow(vote.Height); err != nil {
		return err
	}
	if err := s.FilePV.SignVote(chainID, vote); err != nil {
		return err
	}
	if s.signed != nil {
		s.signed(vote)
	}
	return nil
}

// SignProposal signs a proposal. When the program stopped between signing a proposal and logging it, the engine asks again after the restart,
// at a later time. The key file then returns the first signature, which the engine considers invalid for the later time. Block and round
// are the same, so SignProposal also signs the later one: the two can't mislead other validators.
func (s *stamper) SignProposal(chainID string, proposal *cmtproto.Proposal) (err error) {
	defer s.report(&err)
	if s.stopped() { // the signature would not be recorded
		return errSignerStopped
	}
	s.custody.mu.Lock()
	defer s.custody.mu.Unlock()
	if err := s.custody.allow(proposal.Height); err != nil {
		return err
	}
	asked := proposal.Timestamp
	if err := s.FilePV.SignProposal(chainID, proposal); err != nil || proposal.Timestamp.Equal(asked) {
		return err
	}
	proposal.Timestamp = asked
	proposal.Signature, err = s.Key.PrivKey.Sign(cmttypes.ProposalSignBytes(chainID, proposal))
	return err
}

func (s *stamper) stopped() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}

// report turns the panic of a state file that can't be written into a failure of the node: no signature leaves it unrecorded.
func (s *stamper) report(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("write down what is signed: %w", asError(r))
		s.failure.set(*err)
	}
}

func asError(r any) error {
	if err, ok := r.(error); ok {
		return err
	}
	return fmt.Errorf("%v", r)
}
