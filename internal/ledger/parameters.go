package ledger

import "lockstep/types"

// Parameters change for the future only. Those that give deadlines and windows their meaning are fixed for all time: the clock cap, the
// smallest window, the horizon, the slot, and who makes entries. A trade has its terms in its agreement. The numbers of an auction depend on
// the slot of its product alone, so a book that is open keeps them.

// setParams schedules a change of parameters.
func (x *execution) setParams(a *types.SetParams) error {
	g := x.governance()
	last := g.Latest()
	current := last.Changeable()
	next := last.With(&a.Change)
	before := versionBefore(g, a.From)
	switch n := len(g.Scheduled); {
	case a.Replaces != current.Hash():
		return types.Refuse(types.CodeParams, "the parameters have changed since this was proposed: propose it again")
	case a.From <= x.clock.Height || a.From > x.clock.Height+types.MaxAheadBlocks:
		return types.Refuse(types.CodeParams, "the change would hold from block %d on, this is block %d: at most %d blocks ahead are possible", a.From, x.clock.Height, types.MaxAheadBlocks)
	case n > 0 && a.From < g.Scheduled[n-1].From:
		return types.Refuse(types.CodeParams, "the change would hold from block %d on, before one that is scheduled for block %d", a.From, g.Scheduled[n-1].From)
	case n >= types.MaxScheduled:
		return types.Refuse(types.CodeParams, "%d changes are scheduled: wait until one holds", n)
	case a.Change.Entries.By != last.Entries.By:
		return types.Refuse(types.CodeParams, "who makes entries is fixed: %s", last.Entries.By)
	case len(a.Change.Operators) == 0:
		return types.Refuse(types.CodeParams, "a ledger without operators could not be changed any more: name one at least")
	case a.Change.Threshold < 1 || a.Change.Rules < 1:
		return types.Refuse(types.CodeParams, "the number of operators that decide, and the version of the rules, begin at 1")
	case a.Change.Rules < before || a.Change.Rules > g.Params.Version()+1:
		return types.Refuse(types.CodeParams, "version %d of the rules can't follow version %d", a.Change.Rules, before)
	}
	if err := next.Check(); err != nil {
		return types.Refuse(types.CodeParams, "%s", detailOf(err))
	}
	if fee := next.FeeAsset; fee != last.FeeAsset && fee != (types.AssetID{}) {
		if asset, known := get[types.AssetState](x.State, assetKey(fee)); !known || asset.Recognised == 0 || asset.Issued == 0 {
			return types.Refuse(types.CodeParams, "the ledger does not recognise the fee asset %s, or nothing of it is issued: nobody could pay", fee)
		}
	}
	scheduled := *g
	scheduled.Scheduled = append(append([]types.ScheduledParam{}, g.Scheduled...), types.ScheduledParam{From: a.From, Change: a.Change})
	x.put(governanceKey(), &scheduled)
	return nil
}

// versionBefore returns the version of the rules in force for the block before one: no later version goes back behind it.
func versionBefore(g *types.Governance, height uint64) uint32 {
	version := g.Params.Version()
	for i := range g.Scheduled {
		if g.Scheduled[i].From < height {
			version = g.Scheduled[i].Change.Rules
		}
	}
	return version
}

// setMarket changes the numbers of the auctions whose product can't have opened yet.
func (x *execution) setMarket(a *types.SetMarket) error {
	g := x.governance()
	last, now := g.Params.MarketAt(types.MaxTime), x.clock.BlockTime
	if earliest := now.Add(last.Opens); a.From <= earliest {
		return types.Refuse(types.CodeParams, "the market would change for slots from %s on; books up to %s may be open, and keep their numbers", a.From, earliest)
	}
	next := *g
	next.Params.Later = append(append([]types.LaterMarket{}, g.Params.Later...), types.LaterMarket{From: a.From, Market: a.Market})
	if err := next.Params.Check(); err != nil {
		return types.Refuse(types.CodeParams, "%s", detailOf(err))
	}
	x.put(governanceKey(), &next)
	x.params = next.Params
	return nil
}

// applyScheduled makes the parameters hold that begin with the next block.
func (s *State) applyScheduled() {
	g := s.governance()
	if len(g.Scheduled) == 0 || g.Scheduled[0].From > s.clock.Height+1 {
		return
	}
	next := *g
	for len(next.Scheduled) > 0 && next.Scheduled[0].From <= s.clock.Height+1 {
		next.Params = next.Params.With(&next.Scheduled[0].Change)
		next.Scheduled = next.Scheduled[1:]
	}
	s.put(governanceKey(), &next)
}
