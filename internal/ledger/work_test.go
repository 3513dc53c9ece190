package ledger_test

import (
	"strings"
	"testing"
	"time"

	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

func TestWork(t *testing.T) {
	t.Parallel()
	release := func(k uint16) types.Action { return &types.Release{Instalment: k} }
	reading := func(records ...string) types.Action {
		a := &types.Reading{}
		for _, record := range records {
			a.Records = append(a.Records, types.HexBytes(record))
		}
		return a
	}
	for _, c := range []struct {
		name string
		body types.Body
		keys int
		want uint64
	}{
		{"nothing", types.Body{}, 0, 1},
		{"a signature", types.Body{}, 1, 4},
		{"inputs and outputs", types.Body{Inputs: make([]types.Outpoint, 3), Outputs: make([]types.Output, 2)}, 0, 8},
		{"parts of a trade", types.Body{Inputs: []types.Outpoint{types.TradeID{1}.Outpoint(types.PartBond), types.TradeID{1}.Outpoint(types.PartPayment)}}, 0, 17},
		{"steps", types.Body{Actions: []types.Action{&types.Take{}, &types.Deliver{}}}, 0, 9},
		{"an agreement and a split, with their mandates", types.Body{Actions: []types.Action{&types.Agree{}, &types.Split{}}}, 0, 21},
		{"a settlement", types.Body{Actions: []types.Action{&types.Settle{}}}, 0, 9},
		{"a release", types.Body{Actions: []types.Action{release(1)}}, 0, 5},
		{"the 31st instalment", types.Body{Actions: []types.Action{release(31)}}, 0, 5},
		{"the 32nd instalment", types.Body{Actions: []types.Action{release(32)}}, 0, 6},
		{"the last instalment of a long chain", types.Body{Actions: []types.Action{release(types.MaxInstalments)}}, 0, 37},
		{"a reading without records", types.Body{Actions: []types.Action{reading()}}, 0, 5},
		{"a gateway's record", types.Body{Actions: []types.Action{reading("{}")}}, 0, 17},
		{"two records of a meter", types.Body{Actions: []types.Action{reading("OCMF|{}", " OCMF|")}}, 0, 829},
		{"a long record", types.Body{Actions: []types.Action{reading(strings.Repeat("x", 240))}}, 0, 27},
	} {
		tx := types.NewTx(c.body, make([]types.Signature, c.keys)...)
		if got := ledger.Work(tx); got != c.want {
			t.Errorf("%s: %d units, want %d", c.name, got, c.want)
		}
	}
}

// TestWorkOfATransactionIsBounded: one that is too much work is refused before any of it is done.
func TestWorkOfATransactionIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := w.body()
	for ledger.Work(types.NewTx(body, types.Signature{}))+36 <= ledger.MaxTxWork {
		body.Actions = append(body.Actions, &types.Release{Instalment: types.MaxInstalments})
	}
	for ledger.Work(types.NewTx(body, types.Signature{})) < ledger.MaxTxWork {
		body.Actions = append(body.Actions, &types.Cancel{})
	}
	most := party.Sign(body, "peter")
	body.Actions = append(body.Actions, &types.Cancel{})
	results := w.try(second, most, party.Sign(body, "peter"))
	if ledger.Work(most) != ledger.MaxTxWork || results[0].Code != types.CodeTradeUnknown || results[1].Code != types.CodeTooLarge {
		t.Errorf("%d units: %s; one more action: %s", ledger.Work(most), results[0].Detail, results[1].Detail)
	}
}

// TestSlotsAreWork: a slot is written whole, so its places cost a block something, once, which a proposer subtracts from the work left.
func TestSlotsAreWork(t *testing.T) {
	t.Parallel()
	s := newMeteredWorld(t).stage()
	deliveries := make([]*types.Tx, 8)
	for i := range deliveries {
		s.purse = s.mint(1000, "peter", "clara", "mallory")
		s.agreement = s.world.agreement()
		metered(&s.agreement)
		s.agreement.Nonce = uint64(i)
		s.id = s.agreement.ID()
		s.must(s.agree(s.agreement, "peter", "clara"))
		s.must(s.payTx())
		deliveries[i] = s.deliverTx()
	}
	for _, c := range []struct {
		claims int // of the slot before the block
		want   uint64
	}{{0, 0}, {5, 0}, {6, 1}} {
		w := s.clone()
		if c.claims > 0 {
			w.must(deliveries[:c.claims]...)
		}
		state := ledger.New(w.view, w.params)
		state.BeginTrial(w.height+1, w.time.Add(second))
		left := state.WorkLeft()
		for _, tx := range deliveries[c.claims : c.claims+2] { // the second finds the slot changed already
			if result := state.Execute(tx, true); result.Code != types.CodeOK {
				t.Fatal(result.Detail)
			}
		}
		if got := state.SlotWork(); got != c.want || left-state.WorkLeft() != c.want {
			t.Errorf("two deliveries behind %d: %d units, want %d, and %d less are left", c.claims, got, c.want, left-state.WorkLeft())
		}
	}
}

// BenchmarkFullBlocks executes blocks that are full by their work, of the transactions that are dearest for it. One unit is to be
// about the same time in all of them.
func BenchmarkFullBlocks(b *testing.B) {
	const longChain = 980
	w := newWorld(b)
	stage := w.delivered(func(a *types.Agreement) { a.Instalments, a.Price = longChain, longChain })
	purse := w.mint(1, "clara")[0]
	for name, tx := range map[string]*types.Tx{
		"releases of the last instalment": stage.releaseTx(longChain),
		"transfers": party.Sign(func() types.Body {
			body := w.body()
			body.Inputs, body.Outputs = []types.Outpoint{purse}, []types.Output{party.Output("peter", 1)}
			return body
		}(), "clara"),
	} {
		b.Run(name, func(b *testing.B) {
			txs := ledger.MaxBlockWork / ledger.Work(tx)
			begun := time.Now()
			for b.Loop() {
				for range txs { // each on the same state, so that each is done
					state := ledger.New(w.view, w.params)
					state.BeginTrial(w.height+1, w.time.Add(second))
					if result := state.Execute(tx, types.VerifySignatures(tx)[0]); result.Code != types.CodeOK {
						b.Fatal(result.Detail)
					}
				}
			}
			b.ReportMetric(float64(txs), "txs")
			b.ReportMetric(float64(time.Since(begun).Nanoseconds())/float64(b.N)/ledger.MaxBlockWork, "ns/unit")
		})
	}
}
