package runner

import (
	"os"
	"path/filepath"
	"testing"

	"lockstep/client/wire"
	"lockstep/internal/agent"
	"lockstep/types"
	"lockstep/wallet"
)

// Under hold terms the agents post, take, deliver, release by the buyer's own meter, and collect.
func TestDirectTradesUnderHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	station := w.house("station", sells(400, price("80")), func(s *agent.Setup) {
		s.Flow = types.Flow{}
		s.Direct = agent.Direct{Offer: true, Terms: &types.Hold{}, Deposit: 1000, Bond: 2000}
	})
	car := w.house("car", buys(500, price("280")), func(s *agent.Setup) {
		s.Direct, s.Evidence = agent.Direct{Take: true}, agent.ByMeter
		s.Limits.Terms = []string{"hold"}
	})
	w.pass(5*w.params.Slot, minute)
	w.finish(2 * euros)
	n, phases := car.trades()
	if n < 3 || phases[types.PhaseReleased] < n-1 {
		t.Errorf("%d trades: %v", n, phases)
	}
	if earned := station.worth() - euros; earned == 0 || earned%(400*8) != 0 {
		t.Errorf("the station earned %d", earned)
	}
}

// An agreement that both owners have signed is paid, and delivered; without a word or a meter it is not released, but the owner is asked.
func TestAgreementUnderHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	idle := func(s *agent.Setup) { s.Direct.Pay = true }
	seller := w.house("seller", buys(0, price("1")), idle)
	buyer := w.house("buyer", buys(0, price("1")), idle)
	slot := types.Time(w.params.Slot)
	from := w.ledger.Now() - w.ledger.Now()%slot + 4*slot
	agreement := types.Agreement{
		ChainID: w.params.ChainID, Producer: seller.setup.Key, Consumer: buyer.setup.Key, Asset: buyer.setup.Market.Asset, Price: 500, Deposit: 50, Bond: 50,
		Instalments: 1, Fallback: &types.Hold{}, Nonce: 1,
		Goods:     types.Goods{Commodity: types.CommodityEnergy, Unit: types.UnitWattHour, Quantity: 100, Zone: zone, From: from, Until: from + slot},
		Deadlines: types.Deadlines{PayBy: from - 2*slot, DeliverBy: from, ReadingBy: from + 2*slot, ConfirmBy: from + 3*slot},
	}
	id := agreement.ID()
	known, err := buyer.runner.context(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	proposal, err := buyer.runner.Signer.Wallet().Propose(known, agreement)
	for _, h := range []*house{buyer, seller} {
		if err == nil {
			proposal, err = h.runner.Signer.Wallet().SignProposal(known, proposal, nil)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := seller.runner.Signer.Do(t.Context(), func(d *wallet.Draft) error { return d.Record(proposal, nil) }); err != nil {
		t.Fatal(err)
	}
	w.pass(8*w.params.Slot, 2*minute)
	deal, err := w.dial().Trade(t.Context(), id)
	if err != nil || deal.Phase != types.PhaseDelivered {
		t.Fatalf("it is %s, %v", deal.Phase, err)
	}
	asked := 0
	for _, notice := range buyer.notices {
		if notice.Kind == agent.NoticeWord && notice.Trade == id && notice.Needed && notice.Status != nil {
			asked++
		}
	}
	if asked != 1 {
		t.Errorf("the owner was asked %d times", asked)
	}
	if err := GiveWord(buyer.runner.Words, id, false); err != nil {
		t.Fatal(err)
	}
	w.pass(w.params.Slot, 2*minute)
	if deal, err := w.dial().Trade(t.Context(), id); err != nil || deal.Phase != types.PhaseDelivered {
		t.Fatalf("goods that did not come are %s, %v", deal.Phase, err)
	}
	if err := GiveWord(buyer.runner.Words, id, true); err != nil {
		t.Fatal(err)
	}
	w.pass(2*w.params.Slot, 2*minute)
	w.finish(2 * euros)
	if seller.worth() != euros+500 {
		t.Errorf("the seller has %d", seller.worth())
	}
}

// A seller that delivers nothing proposes to give the money back; the buyer's agent signs, and records the split.
func TestSplitByFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	station := w.house("station", sells(400, price("80")), func(s *agent.Setup) {
		s.Flow = types.Flow{}
		s.Direct = agent.Direct{Offer: true, Terms: &types.Hold{}, Deposit: 1000, Bond: 2000}
	})
	car := w.house("car", buys(400, price("280")), func(s *agent.Setup) {
		s.Direct = agent.Direct{Take: true, Split: true}
		s.Limits.Terms = []string{"hold"}
	})
	w.pass(2*w.params.Slot, minute)
	var deal wire.Trade
	for t, err := range w.dial().AllTrades(w.t.Context(), car.setup.Key, true) {
		if err == nil && t.Phase == types.PhaseDelivered {
			deal = t
		}
	}
	if deal.ID == (types.TradeID{}) {
		t.Fatal("no trade was delivered")
	}
	seller := station.runner.Signer.Wallet()
	known, err := station.runner.context(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	known.Validity = 30 * 60_000
	bond, _ := deal.Trade.Find(types.PartBond)
	proposal, err := seller.ProposeSplit(known, deal.ID, &deal.Trade, bond.Amount, deal.Trade.LockedSum()-bond.Amount)
	if err == nil {
		proposal, err = seller.SignProposal(known, proposal, &deal.Trade)
	}
	if err != nil {
		t.Fatal(err)
	}
	car.runner.Splits = t.TempDir()
	file := filepath.Join(car.runner.Splits, "back.proposal")
	if err := os.WriteFile(file, proposal.Encode(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(car.runner.Splits, "other.proposal"), []byte("not one"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 { // signed with the first look, and recorded in the round after the next
		for _, proposed := range car.runner.proposals() {
			car.event(t.Context(), proposed)
		}
		w.pass(w.params.Slot/2, minute)
	}
	after, err := w.dial().Trade(t.Context(), deal.ID)
	if err != nil || after.Phase != types.PhaseSplit {
		t.Fatalf("it is %s, %v", after.Phase, err)
	}
}

// The owner's word is read where it can be read, changed by a later one, and nothing else counts as one.
func TestWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.house("buyer", buys(0, price("1")), func(*agent.Setup) {})
	id := types.TradeID{7}
	view := agent.View{Trades: []agent.Trade{{ID: id}}}
	if words := h.runner.words(&view); len(words) != 0 {
		t.Errorf("without a file: %v", words)
	}
	for _, came := range []bool{false, true} {
		if err := GiveWord(h.words, id, came); err != nil {
			t.Fatal(err)
		}
		want := agent.Word{Trade: id, Came: came}
		if words := h.runner.words(&view); len(words) != 1 || words[0] != want {
			t.Fatalf("%v, want %v", words, want)
		}
		h.event(t.Context(), want)
		if words := h.runner.words(&view); len(words) != 0 {
			t.Errorf("a word is told again: %v", words)
		}
	}
	if info, err := os.Stat(h.words); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has the mode %v, %v", info.Mode(), err)
	}
	file := filepath.Join(h.words, id.String())
	for _, text := range []string{"", "Came", "came missing", "came came came came"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		h.runner.state = agent.State{Setup: &h.setup}
		if words := h.runner.words(&view); len(words) != 0 {
			t.Errorf("%q is taken for the word %v", text, words)
		}
	}
}
