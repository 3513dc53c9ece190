package node

import (
	"context"
	"fmt"
	"time"

	"lockstep/client/wire"
	"lockstep/internal/chain"
	"lockstep/internal/disk"
	"lockstep/internal/query"
	"lockstep/types"
)

// ordering adapts the chain of a node to [query.Chain].
type ordering struct {
	*chain.Chain
	node *Node
}

// Outcome implements [query.Chain].
func (o ordering) Outcome(id types.TxID) (query.Outcome, bool, error) {
	outcome, known, err := o.Chain.Outcome(id)
	return query.Outcome(outcome), known, err
}

// Await implements [query.Chain].
func (o ordering) Await(ctx context.Context, id types.TxID) (query.Outcome, error) {
	outcome, err := o.Chain.Await(ctx, id)
	return query.Outcome(outcome), err
}

// SignedHeader implements [query.Chain].
func (o ordering) SignedHeader(height uint64) (wire.SignedHeader, error) {
	signed, err := o.Chain.SignedHeader(height)
	return signedOf(&signed), err
}

// LightBlock implements [query.Chain].
func (o ordering) LightBlock(height uint64) (wire.LightBlock, error) {
	light, err := o.Chain.LightBlock(height)
	return wire.LightBlock{SignedHeader: signedOf(&light.SignedHeader), Hash: light.Hash, Validators: light.Validators}, err
}

func signedOf(s *chain.SignedHeader) wire.SignedHeader {
	return wire.SignedHeader{Height: s.Height, Header: s.Header, Commit: s.Commit}
}

// Status implements [query.Chain]. It adds the state of the node beside its chain.
func (o ordering) Status() query.Status {
	chain := o.Chain.Status()
	status := query.Status{
		Waiting: chain.Waiting, Peers: chain.Peers, Validators: chain.Validators, Genesis: chain.Genesis, Node: chain.Node, SinceBlock: chain.SinceBlock,
		Halted: chain.Halted, Troubles: append(chain.Troubles, o.node.troubles()...),
		Beginning: chain.Beginning, OnDisk: o.node.store.OnDisk(), CertEnds: o.node.certs.end(),
	}
	if o.node.index != nil {
		status.Index, status.IndexFrom = o.node.index.Height(), o.node.index.From()
	}
	if room, err := disk.Free(o.node.dir); err == nil { // where the system doesn't tell, nothing is known
		status.DiskFree = room
	}
	status.DiskFullIn, _ = o.node.pace.FullIn()
	return status
}

// fullWarning is how long before the disk is full, at its pace, that is a trouble of the node.
const fullWarning = 7 * 24 * time.Hour

// troubles returns the faults of the node beside its chain, in sentences.
func (n *Node) troubles() (troubles []string) {
	running := disk.Warning(n.dir)
	if left, known := n.pace.FullIn(); running == "" && known && left < fullWarning {
		running = fmt.Sprintf("the disk of %s is full in %s at the pace of the last day", n.dir, left.Round(time.Hour))
	}
	for _, trouble := range []string{running, n.certs.trouble(time.Now())} {
		if trouble != "" {
			troubles = append(troubles, trouble)
		}
	}
	return troubles
}
