package explore

import (
	"fmt"

	"lockstep/internal/game/board"
	"lockstep/types"
)

// attacks are transactions that the protocol forbids in every state: each must be refused for every party.
func (r *rules) attacks(at *board.Board, b *book) (attacks []*move) {
	hostile := func(says, why string, body types.Body, by ...board.Party) {
		attacks = append(attacks, &move{says: says, tx: at.Signed(body, by...), by: by, verdict: refuse, why: why})
	}
	asset := at.Money()
	printed := at.Body(&types.Issue{Asset: asset, Amount: 5})
	printed.Outputs = []types.Output{at.Output(board.Stranger, 5)}
	hostile("a stranger issues money", "only its issuer can", printed, board.Stranger)
	attacks = append(attacks, r.malformed(at)...)
	for p := board.Producer; p <= board.Stranger; p++ {
		for _, coin := range at.Coins(p) {
			more := at.Body()
			more.Outputs = []types.Output{at.Output(p, coin.Amount+1)}
			more.Spend(at.Keys[p], coin.Outpoint, coin.Amount)
			hostile(fmt.Sprintf("%s makes %s of its %s", p, coin.Amount+1, coin.Amount), "money is conserved", more, p)
			twice := at.Body()
			twice.Outputs = []types.Output{at.Output(p, 2*coin.Amount)}
			twice.Spend(at.Keys[p], coin.Outpoint, coin.Amount)
			twice.Spend(at.Keys[p], coin.Outpoint, coin.Amount)
			hostile(fmt.Sprintf("%s spends a coin twice in one transaction", p), "no output is spent twice", twice, p)
			if p != board.Stranger {
				theft := at.Body()
				theft.Outputs = []types.Output{at.Output(board.Stranger, coin.Amount)}
				theft.Spend(at.Keys[p], coin.Outpoint, coin.Amount)
				hostile("a stranger spends a coin of "+p.String(), "it is not its own", theft, board.Stranger)
			}
		}
	}
	for i := range r.Deals {
		attacks = append(attacks, r.attacksOn(at, b, i)...)
	}
	return attacks
}

// malformed are a stranger's coin sent to itself in ways that no transaction may have.
func (r *rules) malformed(at *board.Board) (attacks []*move) {
	for _, coin := range at.Coins(board.Stranger)[:1] {
		for _, spoil := range []struct {
			says string
			edit func(body *types.Body)
		}{
			{"is for another chain", func(body *types.Body) { body.ChainID = "elsewhere" }},
			{"has run out", func(body *types.Body) { body.ValidUntil = at.Clock.BlockTime - 1 }},
			{"is valid for too long", func(body *types.Body) { body.ValidUntil = at.Clock.BlockTime.Add(at.Params.MaxValidity + 1) }},
			{"has an output of nothing", func(body *types.Body) { body.Outputs = append(body.Outputs, at.Output(board.Stranger, 0)) }},
			{"pays a fee that nobody asked for", func(body *types.Body) { body.Fee = 1; body.Outputs[0].Amount-- }},
		} {
			body := at.Body()
			body.Outputs = []types.Output{at.Output(board.Stranger, coin.Amount)}
			body.Spend(at.Keys[board.Stranger], coin.Outpoint, coin.Amount)
			spoil.edit(&body)
			attacks = append(attacks, &move{
				says: "a stranger sends a transaction that " + spoil.says, tx: at.Signed(body, board.Stranger),
				verdict: refuse, why: "no transaction may do that",
			})
		}
	}
	return attacks
}

// attacksOn are those on one trade: wrong secrets, the secret of one instalment for another, shares that add up to more.
func (r *rules) attacksOn(at *board.Board, b *book, i int) (attacks []*move) {
	hostile := func(says, why string, actions []types.Action, by ...board.Party) {
		body := at.Body(actions...)
		if len(by) == 0 {
			body.ValidUntil = 0
		}
		attacks = append(attacks, &move{says: says, tx: at.Signed(body, by...), by: by, verdict: refuse, why: why})
	}
	n, id := r.Deals[i].Instalments, r.ids[i]
	for k := uint16(1); k <= n+1; k++ {
		wrong := types.Secret{99}
		hostile(fmt.Sprintf("a wrong secret is shown for instalment %d", k), "it is not the secret",
			[]types.Action{&types.Release{Trade: id, Instalment: k, Preimage: wrong}})
		if k > 1 {
			hostile(fmt.Sprintf("the secret of instalment %d is shown as that of %d", k-1, k), "it is not the secret",
				[]types.Action{&types.Release{Trade: id, Instalment: k, Preimage: r.preimage(i, k-1)}})
		}
	}
	if r.Deals[i].Matched {
		tree := matchTree(i)
		hostile("the secret of another leaf of the bid is shown, with the path of that leaf", "one secret never opens two trades",
			[]types.Action{&types.Release{Trade: id, Instalment: 1, Preimage: board.Secret(otherLeaf + i), Path: tree.Path(1)}})
		hostile("the secret is shown without its path", "the lock is the root of the bid's tree",
			[]types.Action{&types.Release{Trade: id, Instalment: 1, Preimage: r.preimage(i, 1)}})
	}
	sum := b.trades[i].sum()
	for _, shares := range [][2]types.Amount{{sum + 1, 0}, {0, sum + 1}, {types.MaxAmount, sum + 1}, {sum / 2, sum - sum/2 - min(sum, 1)}} {
		says := fmt.Sprintf("%s to the producer and %s to the buyer", shares[0], shares[1])
		if shares[0]+shares[1] == sum && shares[0] <= sum {
			continue // there is nothing to leave out
		}
		hostile("a split of "+says, "the shares are not what is locked",
			[]types.Action{r.signedSplit(b, i, shares[0], shares[1], board.Producer)}, board.Producer)
		hostile("an award of "+says, "the shares are not what is locked",
			[]types.Action{&types.Award{Trade: id, ToProducer: shares[0], ToConsumer: shares[1]}}, board.Arbiter)
	}
	for _, by := range []board.Party{board.Producer, buyer(i), board.Arbiter} {
		split := r.signedSplit(b, i, sum, 0, by)
		split.Mandates = at.Mandates(by, by)
		hostile(by.String()+" alone splits", "a split needs both", []types.Action{split}, by)
	}
	for _, spoil := range r.spoiltMandates(at, i) {
		split, agree := r.signedSplit(b, i, 0, sum, board.Stranger), at.Agree(&r.agreements[i], board.Stranger)
		spoil.edit(&split.Mandates)
		spoil.edit(&agree.Mandates)
		hostile("a stranger submits a split that is signed "+spoil.says, "it is not what both have signed", []types.Action{split}, board.Stranger)
		hostile("a stranger submits an agreement that is signed "+spoil.says, "it is not what both have signed", []types.Action{agree}, board.Stranger)
	}
	for _, stale := range []struct {
		says string
		edit func(split *types.Split)
	}{
		{"for a paid trade", func(split *types.Split) { split.Phase = types.PhasePaid }},
		{"for a delivered trade", func(split *types.Split) { split.Phase = types.PhaseDelivered }},
		{"with another instalment released", func(split *types.Split) { split.Released++ }},
	} {
		split := r.signedSplit(b, i, 0, sum, board.Stranger)
		if stale.edit(split); split.Phase == r.phase(b, i) && split.Released == b.trades[i].released {
			continue // it is not stale
		}
		hostile("a stranger submits a split that was signed "+stale.says, "both have signed it for another state of the trade", []types.Action{split}, board.Stranger)
	}
	hostile("the producer awards itself everything", "only the arbiter awards",
		[]types.Action{&types.Award{Trade: id, ToProducer: sum, ToConsumer: 0}}, board.Producer)
	return attacks
}

// spoiltMandates are ways in which the mandates of a trade's parties are none.
func (r *rules) spoiltMandates(at *board.Board, i int) []spoiltMandate {
	return []spoiltMandate{
		{"by the operator as the producer", func(m *types.Mandates) { m.Producer.Key = at.Keys[board.Operator] }},
		{"by the operator as " + buyer(i).String(), func(m *types.Mandates) { m.Consumer.Key = at.Keys[board.Operator] }},
		{"by each in the other's place", func(m *types.Mandates) { m.Producer, m.Consumer = m.Consumer, m.Producer }},
		{"until before now", func(m *types.Mandates) { m.ValidUntil = at.Clock.BlockTime - 1 }},
		{"for too long", func(m *types.Mandates) { m.ValidUntil = at.Clock.BlockTime.Add(at.Params.MaxValidity + 1) }},
	}
}

type spoiltMandate struct {
	says string
	edit func(*types.Mandates)
}

// forgeries are a transaction that is good but for its signatures: one missing, one by somebody else, one too many, all
// of the right keys but not valid.
func (r *rules) forgeries(at *board.Board, m *move) (forged []*move) {
	variant := func(says string, by ...board.Party) {
		forged = append(forged, &move{
			says: m.says + " - " + says, tx: at.Signed(m.tx.Body, by...), by: by, verdict: refuse, why: "it takes exactly the signatures it needs",
		})
	}
	if len(m.by) > 0 {
		variant("but not signed by "+m.by[len(m.by)-1].String(), m.by[:len(m.by)-1]...)
	}
	for i, p := range m.by {
		by := append([]board.Party{}, m.by...)
		by[i] = board.Operator
		variant("but signed by the operator instead of "+p.String(), by...)
	}
	variant("but signed by the operator too", append(append([]board.Party{}, m.by...), board.Operator)...)
	if len(m.by) > 0 {
		forged = append(forged, &move{
			says: m.says + " - but with a signature that is not valid", tx: m.tx, invalid: true, why: "every signature must be valid",
		})
	}
	return forged
}
