package runner

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"lockstep/internal/agent"
	"lockstep/internal/atomicfile"
	"lockstep/wallet"
)

// maxProposals bounds the files of a folder that are read at a time.
const maxProposals = 256

const proposalEnd = ".proposal"

// proposals brings new files of the folder to the agent.
func (r *Runner) proposals() (found []agent.Proposed) {
	if r.Splits == "" {
		return nil
	}
	entries, err := os.ReadDir(r.Splits)
	if err != nil {
		return nil // its disk may be away: nothing was taken back
	}
	there := map[string]bool{}
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), proposalEnd) && len(there) < maxProposals {
			there[filepath.Join(r.Splits, entry.Name())] = true
		}
	}
	for _, file := range slices.Sorted(maps.Keys(r.read)) {
		if !there[file] {
			delete(r.read, file)
			found = append(found, takenBack(file))
		}
	}
	for _, file := range slices.Sorted(maps.Keys(there)) {
		content, err := readAtMost(file, wallet.MaxProposalBytes)
		if err != nil || r.read[file] == string(content) {
			continue
		}
		r.read[file] = string(content)
		p, err := wallet.ParseProposal(content)
		if err != nil || p.Agreement() != nil {
			r.Log.Warn("a file is no proposal to split a trade", "file", file, "error", err)
			found = append(found, takenBack(file))
			continue
		}
		toProducer, toConsumer := p.Shares()
		found = append(found, agent.Proposed{Split: agent.Split{
			Trade: p.Trade(), ToProducer: toProducer, ToConsumer: toConsumer, Signed: p.SignedBy(r.Setup.Key), Complete: p.Complete(), File: file, Bytes: string(content),
		}})
	}
	return found
}

// takenBack is the event of a file that proposes nothing any more: the agent forgets its earlier proposal.
func takenBack(file string) agent.Proposed { return agent.Proposed{Split: agent.Split{File: file}} }

// signSplit signs a proposal and writes it back into its file. The wallet refuses one that is out of date, or of another trade.
func (r *Runner) signSplit(ctx context.Context, s agent.Sign) {
	if r.DryRun {
		return
	}
	known, err := r.context(ctx)
	if err != nil {
		return // it is signed with a later view
	}
	p, err := wallet.ParseProposal([]byte(s.Split.Bytes))
	if err == nil {
		p, err = r.Signer.Wallet().SignProposal(known, p, &s.Trade.Trade)
	}
	if err == nil {
		err = atomicfile.Replace(s.Split.File, p.Encode())
	}
	if err != nil {
		r.Log.Warn("a split can't be signed", "file", s.Split.File, "error", err)
		_ = os.Rename(s.Split.File, s.Split.File+".refused")
		r.mu.Lock()
		r.state, _ = agent.Step(r.state, takenBack(s.Split.File)) // it is not tried again with each view
		r.mu.Unlock()
	}
}
