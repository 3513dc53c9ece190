package ledger_test

import (
	"testing"

	"pgregory.net/rapid"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// TestRandomTrading lets parties do anything in any order, much of it refused, with time passing by any amount. After each
// block the world checks that value is conserved, that trades and outputs agree and that the commitment is the state's.
// Here it is checked besides that no output is ever spent twice, and that nobody but its owner spends it.
func TestRandomTrading(t *testing.T) {
	t.Parallel()
	accepted := 0
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		names := []string{"peter", "clara", "mallory"}
		m := &machine{world: w, rt: rt, names: names, spent: map[types.Outpoint]bool{}}
		w.mint(rapid.SampledFrom([]types.Amount{500, types.MaxAmount / 3}).Draw(rt, "purse"), names...)
		for range rapid.IntRange(1, 25).Draw(rt, "blocks") {
			m.step()
		}
		accepted += m.accepted
	})
	t.Logf("%d random transactions were accepted", accepted)
	if accepted == 0 {
		t.Error("nothing was ever accepted: this test tests nothing")
	}
}

type machine struct {
	*world
	rt         *rapid.T
	names      []string
	agreements []types.Agreement
	offers     []types.Offer
	takes      []types.Agreement
	spent      map[types.Outpoint]bool
	accepted   int
}

func (m *machine) name(label string) string { return rapid.SampledFrom(m.names).Draw(m.rt, label) }

func (m *machine) small(label string) types.Amount {
	return types.Amount(rapid.IntRange(0, 40).Draw(m.rt, label))
}

// step makes a block of up to three transactions and watches their inputs.
func (m *machine) step() {
	var txs []*types.Tx
	for range rapid.IntRange(0, 3).Draw(m.rt, "transactions") {
		txs = append(txs, m.transaction())
	}
	after := rapid.SampledFrom([]types.Duration{0, second, 10 * second, 31 * second, 300 * second}).Draw(m.rt, "after")
	before := map[types.Outpoint]coin{}
	for _, coin := range m.coins() {
		before[coin.outpoint] = coin
	}
	for i, result := range m.try(after, txs...) {
		if result.Code != types.CodeOK {
			continue
		}
		m.accepted++
		for _, input := range txs[i].Body.Inputs {
			if m.spent[input] {
				m.rt.Fatalf("output %s was spent twice", input)
			}
			m.spent[input] = true
			if coin, known := before[input]; known && coin.Trade == nil && !signedBy(txs[i], coin.Key) {
				m.rt.Fatalf("output %s of %s was spent without its signature", input, coin.Key)
			}
		}
	}
}

func signedBy(tx *types.Tx, key types.PublicKey) bool {
	for _, signature := range tx.Signatures {
		if signature.Key == key {
			return true
		}
	}
	return false
}

type coin struct {
	outpoint types.Outpoint
	ledger.Holding
}

// coins lists every unspent sum of the state.
func (m *machine) coins() []coin {
	var coins []coin
	for outpoint, holding := range m.reader().Holdings() {
		coins = append(coins, coin{outpoint, holding})
	}
	return coins
}

// transaction is a random one: a few inputs, a few actions, change to a random party so that it balances more often than not.
func (m *machine) transaction() *types.Tx {
	body := m.body()
	var in, out types.Amount
	for range rapid.IntRange(0, 2).Draw(m.rt, "actions") {
		action, debit := m.nextAction()
		body.Actions = append(body.Actions, action)
		out += debit
	}
	for _, coin := range m.coins() {
		if coin.Trade == nil && in < out || rapid.IntRange(0, 9).Draw(m.rt, "spend") == 0 {
			body.Spend(coin.Key, coin.outpoint, coin.Amount)
			in += coin.Amount
		}
	}
	if in > out {
		body.Outputs = append(body.Outputs, party.Output(m.name("change to"), in-out))
	}
	if rapid.IntRange(0, 9).Draw(m.rt, "spoil") == 0 && len(body.Outputs) > 0 {
		body.Outputs[0].Amount += m.small("by")
	}
	return party.Sign(body, m.signers(body)...)
}

// signers finds the required signers by trying every selection of parties in every order on the ledger itself.
func (m *machine) signers(body types.Body) []string {
	var try func(chosen, left []string) []string
	try = func(chosen, left []string) []string {
		var signatures []types.Signature
		for _, name := range chosen {
			signatures = append(signatures, types.Signature{Key: party.Key(name)})
		}
		state := ledger.New(m.view, m.params)
		state.Begin(m.height+1, m.time)
		if state.Execute(types.NewTx(body, signatures...), true).Code == types.CodeOK {
			return chosen
		}
		for i, name := range left {
			rest := append(append([]string{}, left[:i]...), left[i+1:]...)
			if found := try(append(append([]string{}, chosen...), name), rest); found != nil {
				return found
			}
		}
		return nil
	}
	return try(nil, append([]string{"issuer"}, m.names...))
}

// nextAction is mostly one that some trade waits for, and now and then any at all.
func (m *machine) nextAction() (types.Action, types.Amount) {
	var waiting []*types.Trade
	for trade := range m.reader().Trades() {
		waiting = append(waiting, trade)
	}
	if len(waiting) == 0 || rapid.IntRange(0, 3).Draw(m.rt, "anything") == 0 {
		return m.action()
	}
	trade := rapid.SampledFrom(waiting).Draw(m.rt, "waiting")
	a, id := trade.Agreement, trade.ID()
	if trade.Phase != types.PhaseAgreed && rapid.IntRange(0, 5).Draw(m.rt, "make it up") == 0 {
		share := min(m.small("share"), trade.LockedSum())
		return m.divided(types.Split{Trade: id, ToProducer: share, ToConsumer: trade.LockedSum() - share}, &a), 0
	}
	switch trade.Phase {
	case types.PhaseAgreed:
		return &types.Pay{Trade: id, Digest: party.Secret("any").Digest(int(a.Instalments))}, a.Price + a.Deposit
	case types.PhasePaid:
		return &types.Deliver{Trade: id}, a.Bond
	default:
		k := uint16(rapid.IntRange(1, int(a.Instalments)).Draw(m.rt, "k"))
		return &types.Release{Trade: id, Instalment: k, Preimage: types.Secret(party.Secret("any").Digest(int(a.Instalments - k)))}, 0
	}
}

// divided is a split of a trade in a phase that may be its own, with the mandates of its parties or, now and then, of others.
func (m *machine) divided(split types.Split, a *types.Agreement) *types.Split {
	split.Phase = rapid.SampledFrom([]types.Phase{types.PhasePaid, types.PhaseDelivered, types.PhaseDelivered}).Draw(m.rt, "phase")
	if trade, ok := m.reader().Trade(split.Trade); ok && rapid.IntRange(0, 5).Draw(m.rt, "stale") > 0 {
		split.Phase, split.Released = trade.Phase, trade.Released
	}
	split.Submitter = party.Key(m.name("submitter"))
	producer := m.party(a.Producer)
	if rapid.IntRange(0, 9).Draw(m.rt, "forged") == 0 {
		producer = m.name("forger")
	}
	m.mandate(&split.Mandates, split.Message, producer, m.party(a.Consumer))
	return &split
}

// party is the name of a key, mallory's of a key that nobody has.
func (m *machine) party(key types.PublicKey) string {
	for _, name := range m.names {
		if party.Key(name) == key {
			return name
		}
	}
	return "mallory"
}

func (m *machine) action() (types.Action, types.Amount) {
	pick := func(n int, what string) int { return rapid.IntRange(0, n-1).Draw(m.rt, what) }
	trade := func() (types.TradeID, types.Agreement) {
		all := append(append([]types.Agreement{}, m.agreements...), m.takes...)
		if len(all) == 0 {
			return types.TradeID{}, types.Agreement{Instalments: 1}
		}
		a := all[pick(len(all), "trade")]
		return a.ID(), a
	}
	switch rapid.IntRange(0, 8).Draw(m.rt, "action") {
	case 0:
		a := m.agreement()
		a.Producer, a.Consumer = party.Key(m.name("producer")), party.Key(m.name("consumer"))
		a.Price, a.Deposit, a.Bond = m.small("price"), m.small("deposit"), m.small("bond")
		a.Instalments = uint16(rapid.IntRange(1, 4).Draw(m.rt, "instalments"))
		m.agreements = append(m.agreements, a)
		action := &types.Agree{Agreement: a, Submitter: party.Key(m.name("submitter"))}
		m.mandate(&action.Mandates, action.Message, m.party(a.Producer), m.party(a.Consumer))
		return action, 0
	case 1:
		o := m.offer()
		o.Producer = party.Key(m.name("producer"))
		m.offers = append(m.offers, o)
		return &types.Post{Offer: o}, 0
	case 2:
		if len(m.offers) == 0 {
			return &types.Cancel{}, 0
		}
		o := m.offers[pick(len(m.offers), "offer")]
		quantity := uint64(rapid.IntRange(90, 600).Draw(m.rt, "quantity"))
		a, _ := o.Agreement(quantity, party.Key(m.name("taker")), uint64(pick(3, "nonce")))
		m.takes = append(m.takes, *a)
		return &types.Take{Offer: o.ID(), Consumer: a.Consumer, Quantity: quantity, Nonce: a.Nonce, Digest: party.Secret("any").Digest(1)}, a.Price + a.Deposit
	case 3:
		id, a := trade()
		return &types.Pay{Trade: id, Digest: party.Secret("any").Digest(int(a.Instalments))}, a.Price + a.Deposit
	case 4:
		id, a := trade()
		return &types.Deliver{Trade: id}, a.Bond
	case 5:
		id, a := trade()
		k := uint16(rapid.IntRange(1, int(a.Instalments)).Draw(m.rt, "k"))
		return &types.Release{Trade: id, Instalment: k, Preimage: types.Secret(party.Secret("any").Digest(int(a.Instalments - k)))}, 0
	case 6:
		id, a := trade()
		share := m.small("share")
		return m.divided(types.Split{Trade: id, ToProducer: share, ToConsumer: a.Price + a.Deposit - min(share, a.Price+a.Deposit)}, &a), 0
	case 7:
		amount := 1 + m.small("issued")
		return &types.Redeem{Asset: euro.ID(), Amount: amount}, amount
	default:
		if len(m.offers) == 0 {
			return &types.Cancel{}, 0
		}
		return &types.Cancel{Offer: m.offers[pick(len(m.offers), "offer")].ID()}, 0
	}
}

// TestCommitment checks that the commitment depends on the set alone: not on the order, not on intermediate states.
func TestCommitment(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		set := rapid.MapOfN(rapid.StringN(1, 8, 40), rapid.SliceOf(rapid.Byte()), 1, 12).Draw(rt, "set")
		keys := make([]string, 0, len(set))
		for key := range set {
			keys = append(keys, key)
		}
		shuffled := rapid.Permutation(keys).Draw(rt, "order")
		var one, other ledger.Accumulator
		for _, key := range keys {
			one.Add(key, set[key])
		}
		other.Add("something else", []byte("for a while"))
		for _, key := range shuffled {
			other.Add(key, set[key])
		}
		other.Remove("something else", []byte("for a while"))
		if one != other {
			rt.Fatal("order matters")
		}
		stored, err := ledger.LoadAccumulator(one.Bytes())
		if err != nil || stored != one {
			rt.Fatal("storing loses something")
		}
		other.Add(keys[0], append([]byte{1}, set[keys[0]]...))
		other.Remove(keys[0], set[keys[0]])
		if one == other {
			rt.Fatal("another value has the same commitment")
		}
	})
}
