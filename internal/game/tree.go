package game

import (
	"fmt"
	"math/big"

	"lockstep/internal/game/board"
	"lockstep/trade"
	"lockstep/types"
)

// fork is a state of the trade in which a party decides. Exactly one of its branches is the honest one.
type fork struct {
	who      board.Party
	branches []branch
}

// branch is one decision and where it leads: to another fork, or to the end with its payoffs.
type branch struct {
	says   string
	honest bool
	next   *fork
	end    *payoffs // nil unless the game is over
}

// payoffs are the gains of each side, relative to not trading: goods at their value to that side, money as
// the ledger has it. Money that stays locked for ever is lost.
type payoffs struct{ consumer, producer *big.Int }

func (p *payoffs) of(who board.Party) *big.Int {
	if who == board.Consumer {
		return p.consumer
	}
	return p.producer
}

// tree builds the game of some terms by playing it on the ledger.
type tree struct {
	Terms
	agreement types.Agreement
	id        types.TradeID
	purses    [board.Parties]types.Amount
	censored  bool // the consumer decides which readings come into blocks
}

// table is the trade at one moment: the ledger, and the facts off the ledger.
type table struct {
	at    *board.Board
	goods uint16 // instalments of the goods handed over
	sent  uint16 // releases sent
}

func buildTree(terms Terms) (*fork, error) {
	if err := terms.Check(); err != nil {
		return nil, err
	}
	t := &tree{Terms: terms}
	now, err := t.recorded()
	if err != nil {
		return nil, err
	}
	return t.paying(now)
}

// recorded records the agreement on a new ledger.
func (t *tree) recorded() (table, error) {
	t.purses[board.Consumer], t.purses[board.Producer] = t.Price+t.Deposit, t.Bond
	b, _, err := board.New(t.purses)
	if err != nil {
		return table{}, err
	}
	t.agreement = t.Agreement(b, board.Consumer, t.Deadlines(), 0)
	t.id = t.agreement.ID()
	b, err = b.Must(b.Signed(b.Body(b.Agree(&t.agreement, board.Producer)), board.Producer))
	return table{at: b}, err
}

// payment is E1.
func (t *tree) payment(now table) types.Body {
	return now.at.Body(&types.Pay{Trade: t.id, Digest: board.Secret(0).Digest(int(t.Instalments))})
}

func (t *tree) paying(now table) (*fork, error) {
	declined, err := t.over(now)
	if err != nil {
		return nil, err
	}
	paid, err := t.lock(now, t.payment(now), board.Consumer)
	if err != nil {
		return nil, err
	}
	delivering, err := t.delivering(paid)
	if err != nil {
		return nil, err
	}
	if t.Matched {
		return &fork{board.Consumer, []branch{{says: "an auction matches the two orders with their money", honest: true, next: delivering}}}, nil
	}
	return &fork{board.Consumer, []branch{
		{says: "the consumer pays", honest: true, next: delivering},
		{says: "the consumer does not pay", end: declined},
	}}, nil
}

// lock does a step for which a party puts in all that it has, which is just enough.
func (t *tree) lock(now table, body types.Body, by board.Party) (table, error) {
	for _, coin := range now.at.Coins(by) {
		body.Spend(now.at.Keys[by], coin.Outpoint, coin.Amount)
	}
	return t.do(now, now.at.Signed(body, by))
}

func (t *tree) do(now table, tx *types.Tx) (table, error) {
	next, err := now.at.Must(tx)
	now.at = next
	return now, err
}

func (t *tree) delivering(now table) (*fork, error) {
	kept, err := t.over(now)
	if err != nil {
		return nil, err
	}
	gift := now
	gift.goods = t.Instalments
	given, err := t.over(gift)
	if err != nil {
		return nil, err
	}
	delivered, err := t.lock(now, now.at.Body(&types.Deliver{Trade: t.id}), board.Producer)
	if err != nil {
		return nil, err
	}
	handing, err := t.handing(delivered)
	if err != nil {
		return nil, err
	}
	if t.Matched && t.Fallback == Metered {
		return &fork{board.Producer, []branch{{says: "the offer has promised the delivery", honest: true, next: handing}}}, nil
	}
	return &fork{board.Producer, []branch{
		{says: "the producer records the delivery", honest: true, next: handing},
		{says: "the producer records nothing and hands over nothing", end: kept},
		{says: "the producer hands over the goods and records nothing", end: given},
	}}, nil
}

// handing is where the goods change hands, or not. Without evidence (hold) instalment follows instalment, each released
// before the next is handed over; with it, the producer hands over as much as it likes and the evidence is judged.
func (t *tree) handing(now table) (*fork, error) {
	if t.Fallback == Hold {
		return t.handingNext(now, 0)
	}
	slotOver := now
	if t.Fallback == Metered {
		slotOver.at = now.at.At(board.SlotUntil)
	}
	f := &fork{who: board.Producer}
	for goods := int(t.Instalments); goods >= 0; goods-- {
		handed := slotOver
		handed.goods = uint16(goods)
		next, err := t.proving(handed)
		if err != nil {
			return nil, err
		}
		f.branches = append(f.branches, branch{says: t.handsOver(uint16(goods)), honest: goods == int(t.Instalments), next: next})
	}
	return f, nil
}

func (t *tree) handsOver(goods uint16) string {
	switch {
	case goods == 0:
		return "the producer hands over nothing"
	case goods == t.Instalments:
		return "the producer hands over the goods"
	}
	return fmt.Sprintf("the producer hands over %d of %d parts of the goods", goods, t.Instalments)
}

// handingNext is the producer's turn under hold, with k instalments handed over and released.
func (t *tree) handingNext(now table, k uint16) (*fork, error) {
	stopped, err := t.answering(now, k)
	if err != nil {
		return nil, err
	}
	handed := now
	handed.goods = k + 1
	answering, err := t.answering(handed, k)
	if err != nil {
		return nil, err
	}
	yes, no := "the producer hands over the goods", "the producer hands over nothing"
	if t.Instalments > 1 {
		yes = fmt.Sprintf("the producer hands over instalment %d", k+1)
	}
	if k > 0 {
		no = "the producer hands over nothing more"
	}
	return &fork{board.Producer, []branch{{says: yes, honest: true, next: answering}, {says: no, next: stopped}}}, nil
}

// answering is the consumer's turn under hold, with k instalments released: one more, all, or none any more.
func (t *tree) answering(now table, k uint16) (*fork, error) {
	f := &fork{who: board.Consumer}
	came := now.goods > k
	if came && now.goods < t.Instalments {
		released, err := t.release(now, now.goods)
		if err != nil {
			return nil, err
		}
		next, err := t.handingNext(released, now.goods)
		if err != nil {
			return nil, err
		}
		f.branches = append(f.branches, branch{says: fmt.Sprintf("the consumer releases instalment %d", now.goods), honest: true, next: next})
	}
	released, err := t.release(now, t.Instalments)
	if err != nil {
		return nil, err
	}
	end, err := t.over(released)
	if err != nil {
		return nil, err
	}
	says := "the consumer releases"
	if now.goods < t.Instalments {
		says = "the consumer releases all, without the goods"
	}
	if 0 < now.goods && now.goods < t.Instalments {
		says = "the consumer releases all, without the rest of the goods"
	}
	f.branches = append(f.branches, branch{says: says, honest: now.goods == t.Instalments, end: end})
	if end, err = t.over(now); err != nil {
		return nil, err
	}
	f.branches = append(f.branches, branch{says: "the consumer keeps its secret", honest: !came, end: end})
	return f, nil
}

func (t *tree) release(now table, k uint16) (table, error) {
	preimage := types.Secret(board.Secret(0).Digest(int(t.Instalments - k)))
	now.sent++
	now, err := t.do(now, types.NewRelease(t.agreement.ChainID, types.Release{Trade: t.id, Instalment: k, Preimage: preimage}))
	coins := now.at.Coins(board.Producer)
	if err != nil || len(coins) < 2 {
		return now, err
	}
	// The producer makes one coin of its instalments, so that a thousand of them don't slow the game down.
	body, sum := now.at.Body(), types.Amount(0)
	for _, coin := range coins {
		body.Spend(now.at.Keys[board.Producer], coin.Outpoint, coin.Amount)
		sum += coin.Amount
	}
	body.Outputs = []types.Output{now.at.Output(board.Producer, sum)}
	return t.do(now, now.at.Signed(body, board.Producer))
}

// proving is the producer's turn to post its readings; the meter tells the truth.
func (t *tree) proving(now table) (*fork, error) {
	if t.Fallback != Metered {
		return t.confirming(now)
	}
	signed, err := board.Record(board.SlotFrom, board.SlotUntil, 1, t.quantityOf(now.goods))
	if err != nil {
		return nil, err
	}
	reading := now.at.Body(&types.Reading{Flow: now.at.Flow(), From: board.SlotFrom, Records: []types.HexBytes{signed}})
	posted, err := t.do(now, now.at.Signed(reading, board.Producer))
	if err != nil {
		return nil, err
	}
	known, err := t.confirming(posted)
	if err != nil {
		return nil, err
	}
	unknown, err := t.confirming(now)
	if err != nil {
		return nil, err
	}
	if t.censored {
		known = &fork{board.Consumer, []branch{
			{says: "the consumer's blocks take the reading", honest: true, next: known},
			{says: "the consumer's blocks leave the reading out", next: unknown},
		}}
	}
	return &fork{board.Producer, []branch{
		{says: "the producer posts its reading", honest: true, next: known},
		{says: "the producer posts no reading", next: unknown},
	}}, nil
}

func (t *tree) quantityOf(goods uint16) uint64 {
	return uint64(types.Amount(t.TotalQuantity()).Share(uint64(goods), uint64(t.Instalments)))
}

// confirming is the consumer's turn under meter and arbiter terms: the last before the evidence decides.
func (t *tree) confirming(now table) (*fork, error) {
	complete := now.goods == t.Instalments
	says := "the consumer releases"
	if !complete {
		says = "the consumer releases all, without all the goods"
	}
	released, err := t.release(now, t.Instalments)
	if err != nil {
		return nil, err
	}
	end, err := t.over(released)
	if err != nil {
		return nil, err
	}
	f := &fork{board.Consumer, []branch{{says: says, honest: complete, end: end}}}
	withheld, err := t.deciding(now)
	if err != nil {
		return nil, err
	}
	withheld.says, withheld.honest = "the consumer keeps its secret", !complete
	f.branches = append(f.branches, withheld)
	return f, nil
}

// deciding follows when confirm-by has passed without a release.
func (t *tree) deciding(now table) (branch, error) {
	now.at = now.at.At(t.agreement.Deadlines.ConfirmBy + 1)
	if t.Fallback == Metered {
		settled, err := t.do(now, types.NewSettle(t.agreement.ChainID, t.id))
		if err != nil {
			return branch{}, err
		}
		end, err := t.over(settled)
		return branch{end: end}, err
	}
	all := t.Price + t.Deposit + t.Bond
	truth := trade.ProducerShare(&t.agreement, 0, t.quantityOf(now.goods))
	f := &fork{who: board.Arbiter}
	for _, award := range []struct {
		says       string
		toProducer types.Amount
	}{
		{"the arbiter awards what is true", truth},
		{"the arbiter awards everything to the producer", all},
		{"the arbiter awards everything to the consumer", 0},
	} {
		action := &types.Award{Trade: t.id, ToProducer: award.toProducer, ToConsumer: all - award.toProducer}
		awarded, err := t.do(now, now.at.Signed(now.at.Body(action), board.Arbiter))
		if err != nil {
			return branch{}, err
		}
		end, err := t.over(awarded)
		if err != nil {
			return branch{}, err
		}
		f.branches = append(f.branches, branch{says: award.says, honest: len(f.branches) == 0, end: end})
	}
	return branch{next: f}, nil
}

// over returns the payoffs after all deadlines. A part of the goods costs its share of the whole rounded up
// and is worth its share rounded down, so that no rounding makes a half delivery look better than it is.
func (t *tree) over(now table) (*payoffs, error) {
	clock := max(now.at.Clock.Now(), t.agreement.Deadlines.ConfirmBy+1)
	var has [board.Parties]*big.Int
	for p := range has {
		has[p] = new(big.Int)
	}
	for _, holding := range now.at.Reader().Holdings() {
		owner, owned := holding.Owner(clock)
		if who, known := now.at.Whose(owner); owned && known {
			has[who].Add(has[who], integer(holding.Amount))
		}
	}
	for p := range has {
		has[p].Sub(has[p], integer(t.purses[p]))
	}
	part, whole := uint64(now.goods), uint64(t.Instalments)
	cost := t.Cost - t.Cost.Share(whole-part, whole)
	has[board.Consumer].Add(has[board.Consumer], integer(t.Value.Share(part, whole)))
	has[board.Producer].Sub(has[board.Producer], integer(cost))
	trouble := new(big.Int).Mul(integer(t.ReleaseCost), big.NewInt(int64(now.sent)))
	has[board.Consumer].Sub(has[board.Consumer], trouble)
	return &payoffs{consumer: has[board.Consumer], producer: has[board.Producer]}, nil
}

func integer(amount types.Amount) *big.Int { return new(big.Int).SetUint64(uint64(amount)) }
