package ledger

import (
	"slices"

	"lockstep/types"
)

// The entries that last in the state are admitted (ADR 0020). The entries of a key are counted by kind as they come and go, so that
// a bound costs one look, however many there are. On a members' ledger only members and operators make entries at all.

// usage returns the counts of a key, never nil.
func (s *State) usage(key types.PublicKey) *types.Usage {
	if usage, known := get[types.Usage](s, usageKey(key)); known {
		return usage
	}
	return &types.Usage{}
}

// editUsage changes the counts of a key. Counts that are all zero leave the state.
func (s *State) editUsage(key types.PublicKey, edit func(*types.Usage)) {
	next := *s.usage(key)
	if edit(&next); next == (types.Usage{}) {
		s.remove(usageKey(key))
		return
	}
	s.put(usageKey(key), &next)
}

// checkEntrant lets only members and operators make lasting entries on a members' ledger.
func (s *State) checkEntrant(key types.PublicKey) error {
	if !s.ofMembers() || slices.Contains(s.params.Operators, key) {
		return nil
	}
	if _, member := get[types.Member](s, memberKey(key)); !member {
		return types.Refuse(types.CodeNotAdmitted, "%s is not a member of this ledger: an operator must admit it first", key)
	}
	return nil
}

func (s *State) ofMembers() bool { return s.params.Entries.By == types.EntryMembers }

// checkRoom wants a key to have fewer entries of a kind than it may.
func checkRoom(key types.PublicKey, have uint64, most uint32, kind string) error {
	if have >= uint64(most) {
		return types.Refuse(types.CodeQuota, "%s has %d of the %d %s that a key may have", key, have, most, kind)
	}
	return nil
}

// places tells for which of its parties a trade in the state counts: for the consumer until nothing of it can become its own any
// more, and for the producer as long as it leaves a released payment or bond there. So each can free its places by itself.
type places struct{ producer, consumer bool }

func placesOf(trade *types.Trade) (p places) {
	if trade.Phase != types.PhaseReleased {
		left := trade.Locked
		if len(left) == 1 && left[0].Part == types.PartBond { // a staked one, beside a refund that is spent
			return places{producer: true}
		}
		p.consumer = trade.Phase == types.PhaseAgreed || len(left) > 0
		return p
	}
	for _, locked := range trade.Locked {
		if locked.Part == types.PartReturn {
			p.consumer = true
		} else {
			p.producer = true
		}
	}
	return p
}

// countTrade counts, on a members' ledger, the places that a step of a trade takes and gives back.
func (s *State) countTrade(agreement *types.Agreement, before, after places) {
	if !s.ofMembers() || before == after {
		return
	}
	for _, party := range []struct {
		key           types.PublicKey
		before, after bool
	}{{agreement.Producer, before.producer, after.producer}, {agreement.Consumer, before.consumer, after.consumer}} {
		switch {
		case party.after && !party.before:
			s.editUsage(party.key, func(u *types.Usage) { u.Trades++ })
		case party.before && !party.after:
			s.editUsage(party.key, func(u *types.Usage) { u.Trades-- })
		}
	}
}

// beginTrade counts a trade for its consumer, on a members' ledger.
func (s *State) beginTrade(agreement *types.Agreement) {
	s.countTrade(agreement, places{}, places{consumer: true})
}

// admitTrade checks an agreement that is recorded now: on a members' ledger both parties are members and have room.
func (x *execution) admitTrade(agreement *types.Agreement) error {
	if !x.ofMembers() {
		return nil
	}
	for _, party := range []types.PublicKey{agreement.Producer, agreement.Consumer} {
		if err := x.checkEntrant(party); err != nil {
			return err
		}
		if err := x.checkTrades(party); err != nil {
			return err
		}
	}
	return nil
}

// checkTrades wants room for one more trade of a member.
func (s *State) checkTrades(party types.PublicKey) error {
	return checkRoom(party, s.usage(party).Trades, s.params.Entries.Trades, "trades to end or to collect from")
}

// endOrders gives the places of orders back which leave with their book. Those of an owner stand together.
func (s *State) endOrders(orders []heldOrder) {
	for s.ofMembers() && len(orders) > 0 {
		owner, count := orders[0].Owner, 0
		for len(orders) > 0 && orders[0].Owner == owner {
			orders, count = orders[1:], count+1
		}
		s.editUsage(owner, func(u *types.Usage) { u.Orders -= uint64(count) })
	}
}

// coinCount is by how much a transaction changes the number of a key's coins, and how many parts of trades the key has spent in it.
type coinCount struct {
	key          types.PublicKey
	delta, parts int
}

func (x *execution) coinsOf(key types.PublicKey) *coinCount {
	for i := range x.coins {
		if x.coins[i].key == key {
			return &x.coins[i]
		}
	}
	x.coins = append(x.coins, coinCount{key: key})
	return &x.coins[len(x.coins)-1]
}

// hasRoomForCoin tells whether a key may have one coin more: that is so without a look when it has spent one in the transaction.
func (x *execution) hasRoomForCoin(c *coinCount) bool {
	return c.delta < 0 || x.usage(c.key).Coins+uint64(c.delta) < uint64(x.params.Entries.Coins)
}

// countCoins writes the changed numbers of coins.
func (x *execution) countCoins() {
	for _, c := range x.coins {
		if c.delta != 0 {
			x.editUsage(c.key, func(u *types.Usage) { u.Coins += uint64(c.delta) /* wraps round to a difference */ })
		}
	}
}
