package ledger_test

import (
	"slices"
	"testing"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// checkLeaves compares the leaves of a block with its other results: each accepted transaction has its leaves, in order, and no other has any; each
// trade that left the state stands in the leaf that its record names, with its whole story; each event of a trade is an effect.
func (w *world) checkLeaves(diff *ledger.Diff, txs []*types.Tx, results []ledger.Result) {
	w.t.Helper()
	var of []types.TxID
	stories := map[types.TradeID]int{}
	events := map[types.TradeID][]types.EventKind{}
	var cleared []types.Hash
	var matched []types.MatchTrade
	for i, leaf := range diff.Leaves {
		var outcome types.Outcome
		if err := types.Decode(leaf.Encoded, &outcome); err != nil {
			w.t.Fatalf("leaf %d: %v", i, err)
		}
		if outcome.Height != w.height || outcome.At != diff.Clock.Now() || outcome.Tx != leaf.Tx || outcome.Part != leaf.Part || len(leaf.Encoded) > types.MaxOutcome {
			w.t.Fatalf("leaf %d is of block %d at %s: %+v", i, outcome.Height, outcome.At, leaf)
		}
		if leaf.Tx != (types.TxID{}) && leaf.Part == 0 {
			of = append(of, leaf.Tx)
		}
		for _, effect := range outcome.Effects {
			switch e := effect.(type) {
			case *types.Stepped:
				events[e.Trade] = append(events[e.Trade], e.Event.Kind())
			case *types.Ended:
				id := e.Trade.ID()
				stories[id], events[id] = i, append(events[id], e.Event.Kind())
			case *types.Cleared:
				cleared = append(cleared, e.Root)
			case *types.Matched:
				matched = append(matched, e.Match)
			case *types.Begun, *types.Noted, *types.Governed:
			}
		}
	}
	var accepted []types.TxID
	for i, result := range results {
		if result.Code == types.CodeOK {
			accepted = append(accepted, txs[i].ID())
		}
	}
	if !slices.Equal(of, accepted) {
		w.t.Fatalf("block %d accepts %d transactions and has leaves of %d", w.height, len(accepted), len(of))
	}
	if len(stories) != len(diff.Closed) {
		w.t.Fatalf("block %d ends %d trades and tells %d stories", w.height, len(diff.Closed), len(stories))
	}
	for _, closed := range diff.Closed {
		if leaf, told := stories[closed.ID]; !told || leaf != closed.Leaf {
			w.t.Fatalf("trade %s ended in block %d: its story stands in leaf %d (%t), its record says %d", closed.ID, w.height, leaf, told, closed.Leaf)
		}
	}
	for _, auction := range diff.Auctions {
		if root := types.ResultsRoot(auction.Results); len(cleared) == 0 || cleared[0] != root {
			w.t.Fatalf("block %d holds an auction whose orders have the root %s, its leaves say %v", w.height, root, cleared)
		}
		cleared = cleared[1:]
	}
	for _, page := range diff.Matched {
		if len(matched) < len(page.Trades) || !slices.Equal(matched[:len(page.Trades)], page.Trades) {
			w.t.Fatalf("block %d makes %d trades of an auction, its leaves have %d", w.height, len(page.Trades), len(matched))
		}
		matched = matched[len(page.Trades):]
	}
	if len(cleared)+len(matched) > 0 {
		w.t.Fatalf("block %d has leaves of %d auctions and %d matches too many", w.height, len(cleared), len(matched))
	}
	for _, event := range diff.Events {
		if event.Trade != (types.TradeID{}) && !slices.Contains(events[event.Trade], event.Kind) {
			w.t.Fatalf("block %d: trade %s is %s, and no leaf says so", w.height, event.Trade, event.Kind)
		}
	}
	w.leaves = append(w.leaves, diff.Leaves...)
}

// outcomes returns the leaves of the last blocks, decoded.
func (w *world) outcomes(leaves []ledger.Leaf) (all []types.Outcome) {
	w.t.Helper()
	for _, leaf := range leaves {
		var outcome types.Outcome
		if err := types.Decode(leaf.Encoded, &outcome); err != nil {
			w.t.Fatal(err)
		}
		all = append(all, outcome)
	}
	return all
}

// TestLeavesOfTrade: a trade has one leaf for each transaction, and the last one tells its story.
func TestLeavesOfTrade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.released()
	before := len(w.leaves)
	body := w.body()
	var signers []string
	var sum types.Amount
	live, _ := w.reader().Trade(s.id)
	for _, locked := range live.Locked {
		owner := "peter"
		if locked.Part == types.PartReturn {
			owner = "clara"
		}
		body.Spend(party.Key(owner), s.id.Outpoint(locked.Part), locked.Amount)
		if sum += locked.Amount; !slices.Contains(signers, owner) {
			signers = append(signers, owner)
		}
	}
	body.Outputs = []types.Output{party.Output("peter", sum)}
	w.must(party.Sign(body, signers...))
	var kinds []types.EventKind
	for _, outcome := range w.outcomes(w.leaves[:before]) {
		for _, effect := range outcome.Effects {
			if step, ok := effect.(*types.Stepped); ok && step.Trade == s.id {
				kinds = append(kinds, step.Event.Kind())
			}
		}
	}
	if want := []types.EventKind{types.EventAgreed, types.EventPaid, types.EventDelivered, types.EventReleased}; !slices.Equal(kinds, want) {
		t.Errorf("the leaves say %q", kinds)
	}
	last := w.outcomes(w.leaves[before:])
	if len(last) != 1 {
		t.Fatalf("collecting has %d leaves", len(last))
	}
	ended, ok := last[0].Effects[len(last[0].Effects)-1].(*types.Ended)
	if !ok || ended.Trade.ID() != s.id || ended.Trade.Phase != types.PhaseReleased || len(ended.Trade.Locked) > 0 {
		t.Errorf("the last leaf says %+v", last[0].Effects)
	}
	if first := w.outcomes(w.leaves[:1])[0]; first.Effects[0].(*types.Begun).Params != w.params.Hash() {
		t.Errorf("the first leaf says %+v", first)
	}
}

// TestLeavesWithoutTransaction: blocks without transactions and decisions have no leaf; a lapse has one.
func TestLeavesWithoutTransaction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.agreed()
	before := len(w.leaves)
	w.try(second)
	w.try(second)
	if len(w.leaves) != before {
		t.Errorf("two idle blocks have %d leaves", len(w.leaves)-before)
	}
	w.waitUntil(s.agreement.Deadlines.PayBy + 2*types.Time(second))
	if len(w.leaves) != before+1 {
		t.Fatalf("a lapse has %d leaves", len(w.leaves)-before)
	}
	lapsed := w.outcomes(w.leaves[before:])[0]
	if ended, ok := lapsed.Effects[0].(*types.Ended); !ok || lapsed.Tx != (types.TxID{}) || ended.Event.Kind() != types.EventLapsed || ended.Trade.Phase != types.PhaseLapsed {
		t.Errorf("the leaf of a lapse says %+v", lapsed)
	}
}

// TestLargeOutcome: a transaction that ends more trades than a leaf can hold has several leaves, each within the bound, with all stories in order.
func TestLargeOutcome(t *testing.T) {
	t.Parallel()
	for _, trades := range []int{0, 1, 40, 400, 1500} {
		outcome := types.Outcome{Height: 7, At: start, Tx: types.TxID{1}}
		for i := range trades {
			agreement := (&world{params: types.DefaultParams("test"), time: start}).agreement()
			agreement.Nonce = uint64(i)
			outcome.Effects = append(outcome.Effects, &types.Ended{Trade: &types.Trade{Agreement: agreement}})
		}
		leaves, ended := ledger.LeavesOf(outcome)
		whole := len(types.Encode(&outcome))
		if least := (whole + types.MaxOutcome - 1) / types.MaxOutcome; len(leaves) < least || len(leaves) > 4*least {
			t.Errorf("%d bytes have %d leaves", whole, len(leaves))
		}
		nonce := uint64(0)
		for i, leaf := range leaves {
			part := (&world{t: t}).outcomes([]ledger.Leaf{leaf})[0]
			if len(leaf.Encoded) > types.MaxOutcome || leaf.Part != uint16(i) || part.Part != leaf.Part || part.Tx != outcome.Tx {
				t.Errorf("part %d has %d bytes and says part %d", i, len(leaf.Encoded), part.Part)
			}
			for _, effect := range part.Effects {
				if effect.(*types.Ended).Trade.Agreement.Nonce != nonce || ended[nonce] != i {
					t.Fatalf("trade %d stands in leaf %d, its record says %d", nonce, i, ended[nonce])
				}
				nonce++
			}
		}
		if nonce != uint64(trades) {
			t.Errorf("the leaves tell %d of %d stories", nonce, trades)
		}
	}
}

// TestClaimsAhead: the payment of metered goods says how much of the slot is spoken for before it.
func TestClaimsAhead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	view := ledger.NewMemory()
	place := func(height uint64, id byte, quantity uint64) types.Claim {
		return types.Claim{Height: height, Trade: types.TradeID{id}, Quantity: quantity}
	}
	agreement := w.agreement()
	agreement.Goods.Flow = types.Flow{Point: types.PointID{9}, Direction: types.DirectionExport}
	trade := &types.Trade{Agreement: agreement, Height: 5}
	slot := types.Slot{Flow: agreement.Goods.Flow, From: agreement.Goods.From, Until: agreement.Goods.Until, Agreed: 3, Claims: []types.Claim{
		place(4, 200, 100), place(5, 1, 20), place(5, 3, 7), place(6, 0, 9),
	}}
	if ahead := ledger.AheadOf(view, w.params, types.TradeID{2}, trade); ahead != (types.Ahead{}) {
		t.Errorf("an empty slot has %+v ahead", ahead)
	}
	view.Apply([]ledger.Change{{Key: ledger.SlotKey(slot.Flow, slot.From), New: types.Encode(&slot), After: &slot}})
	if ahead := ledger.AheadOf(view, w.params, types.TradeID{2}, trade); ahead != (types.Ahead{Claims: 2, Quantity: 120, Agreed: 3}) {
		t.Errorf("%+v ahead", ahead)
	}
	if ahead := ledger.AheadOf(view, w.params, types.TradeID{1}, trade); ahead != (types.Ahead{Claims: 1, Quantity: 100, Agreed: 3}) {
		t.Errorf("a trade stands ahead of itself: %+v", ahead)
	}
}
