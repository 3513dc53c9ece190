package explore_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"lockstep/internal/game/explore"
)

// mutant is one rule switched off: a text in a file of the ledger, which must stand there exactly once, and its
// replacement. The scenes whose name begins with scene show it soonest.
type mutant struct {
	rule, file, old, new, scene string
}

func mutants() []mutant {
	const twoTrades, orders = "two trades on one meter", "orders"
	return []mutant{
		// The windows of protocol section 3.
		{"pay-by", "trade/phase.go", "return d.PayBy, types.PhaseLapsed", "return d.PayBy + 1, types.PhaseLapsed", ""},
		{"deliver-by", "trade/phase.go", "return d.DeliverBy, types.PhaseRefunded", "return d.DeliverBy + 1, types.PhaseRefunded", ""},
		{"a refund only after deliver-by", "trade/phase.go", "case types.PhaseRefunded:\n\t\tswitch part", "case types.PhaseRefunded, types.PhasePaid:\n\t\tswitch part", ""},
		{"a release up to confirm-by", "trade/moves.go", "w.limited(a) && Passed(w.upTo.of(a), clock)", "w.limited(a) && Passed(w.upTo.of(a)+1, clock)", "meter"},
		{"under hold a release at any time", "trade/moves.go", `in: delivered, upTo: confirmBy, noLimit: "hold"`, "in: delivered, upTo: confirmBy", "hold"},
		{"reading-by", "trade/allotment.go", "!Passed(c.ReadingBy, clock)", "!Passed(c.ReadingBy+1, clock)", "meter"},
		{"what was read too late counts for nothing", "trade/allotment.go", "!Passed(by, reading.At)", "!Passed(by, reading.At) || true", twoTrades},
		{"settling after confirm-by", "trade/moves.go", `in: delivered, after: confirmBy, terms: "meter"`, `in: delivered, terms: "meter"`, "meter"},
		{"awarding after confirm-by", "trade/moves.go", `in: delivered, after: confirmBy, terms: "arbiter"`, `in: delivered, terms: "arbiter"`, "arbiter"},
		{"confirm-by itself", "trade/moves.go", "!Passed(w.after.of(a), clock)", "!Passed(w.after.of(a)-1, clock)", "arbiter"},
		{"a metered delivery before the slot begins, in block time", "trade/apply.go", "SlotBegun(goods, e.BlockTime) {", "SlotBegun(goods, clock) {", "meter"},
		{"no split after deliver-by", "trade/apply.go", splitInWindow, "if phase := t.Phase;", ""},
		{"an outage costs one clock cap", "internal/ledger/clock.go", "next.Skew += gap - limit", "next.Skew += (gap - limit) / 2", ""},
		// The allotment and the formula of section 4.
		{"a claim's place is that of its agreement", "internal/ledger/slot.go", "next.Claims = withClaims(next.Claims, claimOf(id, trade))", "claim := claimOf(id, trade)\n\tclaim.Height = x.clock.Height\n\tnext.Claims = withClaims(next.Claims, claim)", twoTrades},
		{"who comes first is served first", "trade/allotment.go", "there-min(before, there)", "there", twoTrades},
		{"pro rata in one block", "trade/allotment.go", "mulDiv(claim.Quantity, available, claimed)", "min(claim.Quantity, left), uint64(0)", twoTrades},
		{"the largest remainder", "trade/allotment.go", "cmp.Compare(b.remainder, a.remainder)", "cmp.Compare(a.remainder, b.remainder)", twoTrades},
		{"the max in the formula", "trade/settlement.go", "max(cut, a.Price.Share(q, quantity)) - cut", "a.Price.Share(q, quantity) + cut - cut", "meter, instalments"},
		{"the return only when all was read", "trade/settlement.go", "if q >= quantity", "if q > 0", "meter"},
		{"the bond in proportion", "trade/settlement.go", "a.Bond.Share(q, quantity)", "a.Bond", "meter"},
		{"no time is read twice", "internal/ledger/reading.go", "proof.From < known.Until && known.From < proof.Until", "proof == known", "meter"},
		{"no reading of the future", "internal/ledger/reading.go", "proof.Until > x.clock.BlockTime", "proof.Until > types.MaxTime", "meter"},
		{"no reading beyond the slot", "internal/ledger/reading.go", "proof.Until > slot.Until", "proof.Until > types.MaxTime", "meter"},
		{"a slot is kept while a trade needs it", "internal/ledger/slot.go", "!ok || slot.Open > 0 ||", "!ok ||", "meter"},
		// The steps of a trade.
		{"a release only of what was delivered", "trade/moves.go", `name: "release", by: "consumer", in: delivered`, `name: "release", by: "consumer", in: delivered | paid`, ""},
		{"only the secret opens", "trade/instalments.go", "return types.RootOf(preimage.Digest(int(k)), leaf, path) == t.Digest", "return len(path) == 0 || leaf > 0", ""},
		{"an instalment's share", "trade/apply.go", " - Due(&next.Agreement, before)", "; _ = before", "hold, instalments"},
		{"the return is the consumer's", "trade/phase.go", "case types.PartReturn:\n\t\t\treturn t.Agreement.Consumer", "case types.PartReturn:\n\t\t\treturn t.Agreement.Producer", ""},
		{"the shares are what is locked", "trade/locked.go", "total != t.LockedSum()", "total > t.LockedSum()", ""},
		// The mandates of agreements and splits.
		{"the producer's mandate", "trade/locked.go", "m.Producer.Key != a.Producer:", "m.Producer.Key != a.Producer && false:", ""},
		{"the consumer's mandate", "trade/locked.go", "m.Consumer.Key != a.Consumer:", "m.Consumer.Key != a.Consumer && false:", ""},
		{"mandates run out", "trade/locked.go", "m.ValidUntil < blockTime:", "m.ValidUntil+1 < blockTime:", ""},
		{"mandates are not for long", "trade/locked.go", "blockTime.Add(longest):", "blockTime.Add(longest + 1):", ""},
		{"a split takes mandates", "trade/apply.go", "e.BlockTime, e.MaxValidity); err != nil", "e.BlockTime, e.MaxValidity); err != nil && false", ""},
		{"an agreement takes mandates", "internal/ledger/agree.go", "x.params.MaxValidity); err != nil", "x.params.MaxValidity); err != nil && false", ""},
		{"a split is for its phase", "trade/apply.go", "a.Phase != phase || a.Released", "a.Released", ""},
		{"a split is for its instalments", "trade/apply.go", "a.Released != t.Released", "a.Released > t.Released+1", ""},
		{"agreements and splits are signed by their submitter", "internal/ledger/agree.go", "\tx.need(a.Submitter) // for the transaction alone\n", "", ""},
		{"an award is signed by the arbiter", "trade/apply.go", `Signer: keyOf(&t.Agreement, "arbiter"), `, "", "arbiter"},
		{"no more of an offer than is left", "internal/ledger/offer.go", "a.Quantity > standing.Remaining || ", "", "takes"},
		{"the smallest fill of an offer", "internal/ledger/offer.go", "min(standing.Offer.MinFill, standing.Remaining)", "1", "takes"},
		{"what is taken of an offer is gone", "internal/ledger/offer.go", "Remaining: standing.Remaining - a.Quantity", "Remaining: standing.Remaining", "takes"},
		{"the stake of an offer is its producer's again", "internal/ledger/offer.go", "\tif standing.Stake > 0 {\n\t\tif err := s.deposit", "\tif standing.Stake > 2 {\n\t\tif err := s.deposit", "takes of a staked"},
		{"a take has its bond from the stake", "internal/ledger/offer.go", "rest.Stake = standing.Stake - agreement.Bond", "rest.Stake = standing.Stake", "takes of a staked"},
		{"a staked bond is locked once", "trade/locked.go", "staked {\n\t\treturn 0", "staked {\n\t\treturn t.Agreement.Bond", "takes of a staked"},
		{"a staked bond is the producer's after a refund", "trade/phase.go", "case types.PartBond: // a staked one\n\t\t\treturn t.Agreement.Producer", "case types.PartBond: // a staked one\n\t\t\treturn t.Agreement.Consumer", "a match, hold"},
		// Matches.
		{"the bond of a match is locked", "trade/apply.go", "appendLocks(t.room[:0], &t.Trade, true)", "appendLocks(t.room[:0], &t.Trade, false)", "a match, meter"},
		{"a metered match is delivered", "trade/apply.go", "\t\tt.Phase = types.PhaseDelivered\n", "", "a match, meter"},
		{"a match opens by its own leaf", "trade/instalments.go", "leaf, path) == t.Digest", "leaf, path) == t.Digest || types.RootOf(preimage.Digest(int(k)), leaf^1, path) == t.Digest", "a match, hold"},
		{"matches of one auction have one place", "internal/ledger/held.go", "trade.Match(&agreement, m.Root, m.Depth, h.Height, s.now)", "trade.Match(&agreement, m.Root, m.Depth, h.Height+uint64(m.Lots), s.now)", "two matches of one offer, meter"},
		{"the status lists the refund of a bond", "trade/moves.go", `window{name: "take_bond", by: "producer", in: refunded, spends: true}`, `window{name: "take_bond", by: "producer", in: paid, spends: true}`, "a match, hold"},
		// Orders.
		{"an order locks its stake", "internal/ledger/order.go", "x.debit(product.Asset, stake)", "x.debit(product.Asset, stake-1)", orders},
		{"a replaced order gives its stake back", "internal/ledger/order.go", "x.release(&old.Order); err != nil", "x.credit(old.Order.Product.Asset, 0); err != nil", orders},
		{"a book opens", "internal/ledger/order.go", "x.clock.BlockTime < opens ||", "x.clock.BlockTime < opens-1 ||", orders},
		{"a book closes with its gate", "internal/ledger/order.go", "x.clock.BlockTime > gate {", "x.clock.BlockTime > gate+1 {", orders},
		{"no order is withdrawn late", "internal/ledger/order.go", "if x.clock.BlockTime > last {", "if x.clock.BlockTime > last+1 {", orders},
		{"late orders improve", "types/order.go", "case number == o.Number && !o.Improves(other):", "case number == o.Number && false:", orders},
		{"no late order meets its owner's own", "types/order.go", "case number != o.Number && o.meets(other):", "case number != o.Number && false:", orders},
		{"no agreement on a slot that is for sale", "internal/ledger/slot.go", "if next.Product != (types.ProductID{}) {", "if next.Product != (types.ProductID{}) && false {", orders},
		{"no order on a slot that is agreed on", "internal/ledger/slot.go", "case next.Agreed > 0 || ", "case ", orders},
		{"the rest of a stake is its owner's", "internal/ledger/held.go", "rest := stake - used; rest > 0", "rest := stake - used; rest > 1", orders},
		{"an outage leaves out orders that do not wait", "internal/ledger/auction.go", "case order.Expires < begin:", "case order.Expires < begin && false:", orders},
		{"no auction without time to deliver", "internal/ledger/auction.go", "begin.Add(s.params.MinWindow) > book.Product.From", "begin.Add(s.params.MinWindow) > book.Product.From+1", orders},
		{"an auction within a clock cap is on time", "internal/ledger/auction.go", "Since(gate) <= s.params.ClockCap", "Since(gate) < s.params.ClockCap", orders},
		{"the lowest price under surplus supply", "market/price.go", "return i.low\n", "return i.high\n", orders},
		{"the middle in balance", "market/price.go", "(i.high-i.low)/2", "(i.high-i.low+1)/2", orders},
		// Rules of every transaction (section 2).
		{"a transaction without inputs is done once", "internal/ledger/transaction.go", "remembered); done {", "remembered); done && false {", ""},
		{"a trade's ID is remembered", "internal/ledger/step.go", "x.put(tradeKey(id), &mark{})", "x.remove(tradeKey(id))", ""},
		{"an agreement is recorded once", "internal/ledger/agree.go", "x.look(tradeKey(id)).value != nil {", "x.look(tradeKey(id)).value != nil && false {", ""},
		{"inputs are removed", "internal/ledger/spending.go", "\tx.remove(outputKey(outpoint))\n", "", ""},
		{"a part leaves its trade", "trade/apply.go", "if other.Part != part {", "if other.Part != part || true {", ""},
		{"a part is spent only once it is somebody's", "trade/apply.go", "Owner(t, part, clock)", "Owner(t, part, clock+31)", ""},
		{"actions in order", "internal/ledger/transaction.go", "range tx.Body.Actions", "range slices.Backward(tx.Body.Actions)", ""},
		{"inputs before actions", "internal/ledger/transaction.go", inputsFirst, inputsLast, ""},
		{"balance", "internal/ledger/transaction.go", "if b.in != b.out {", "if b.in > b.out {", ""},
		{"the signatures that are needed", "internal/ledger/transaction.go", "if signature.Key != x.needed[i] {", "if signature.Key != x.needed[i] && false {", ""},
		{"no signature too many", "internal/ledger/transaction.go", "len(x.tx.Signatures) != len(x.needed)", "len(x.tx.Signatures) < len(x.needed)", ""},
		{"valid signatures", "internal/ledger/transaction.go", "if !signaturesValid {", "if !signaturesValid && false {", ""},
		{"a refused transaction leaves no trace", "internal/ledger/state.go", "record.entry.value = record.value", "_ = record", ""},
	}
}

const (
	splitInWindow = `if err := May(t, MoveSplit, clock); err != nil {
		return err
	}
	if phase := PhaseAt(t, clock);`
	inputsFirst = `	if err := x.spendInputs(); err != nil {
		return err
	}
	if err := x.makeOutputs(); err != nil {
		return err
	}
	for _, action := range tx.Body.Actions {
		if err := x.act(action); err != nil {
			return err
		}
	}
`
	inputsLast = `	if err := x.makeOutputs(); err != nil {
		return err
	}
	for _, action := range tx.Body.Actions {
		if err := x.act(action); err != nil {
			return err
		}
	}
	if err := x.spendInputs(); err != nil {
		return err
	}
`
)

// handful are the mutants that every run of the tests breeds; LOCKSTEP_MUTANTS=all breeds them all.
func handful() []string {
	return []string{"deliver-by", "no more of an offer than is left", "a claim's place is that of its agreement", "the max in the formula", "a transaction without inputs is done once", "actions in order", "the consumer's mandate", "a split is for its phase", "a staked bond is the producer's after a refund", "the rest of a stake is its owner's"}
}

const storyEnv = "LOCKSTEP_STORY_OF" // set in a mutant's own process: the beginning of the scenes' names

// TestMutants switches off one rule after the other, in a copy that only the compiler sees, and wants a story each time:
// an exploration that can't fail would show nothing.
func TestMutants(t *testing.T) {
	t.Parallel()
	if testing.Short() || racing {
		t.Skip("compiles the ledger for each mutant, without -short and the race detector")
	}
	chosen := mutants()
	if os.Getenv("LOCKSTEP_MUTANTS") != "all" {
		chosen = nil
		for _, m := range mutants() {
			for _, rule := range handful() {
				if m.rule == rule {
					chosen = append(chosen, m)
				}
			}
		}
	}
	for _, m := range chosen {
		t.Run(m.rule, func(t *testing.T) {
			t.Parallel()
			story := m.breed(t)
			t.Logf("without this rule:\n%s", story)
			if !strings.Contains(story, "=>") {
				t.Error("the exploration does not notice that this rule is off")
			}
		})
	}
}

// TestMutantTexts: each rule stands where its mutant thinks, also of those that few runs breed.
func TestMutantTexts(t *testing.T) {
	t.Parallel()
	for _, m := range mutants() {
		m.source(t)
	}
}

// source is the file that holds the rule, once.
func (m mutant) source(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("../../..", filepath.FromSlash(m.file)))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), m.old); n != 1 {
		t.Errorf("%s: %s holds %q %d times: tell this test where the rule is now", m.rule, m.file, m.old, n)
	}
	return string(source)
}

// breed compiles and runs the exploration with one rule switched off, and returns the story that it tells.
func (m mutant) breed(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	path, source := filepath.Join(root, filepath.FromSlash(m.file)), m.source(t)
	dir := t.TempDir()
	mutated, overlay, binary := filepath.Join(dir, "mutated.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "mutant")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {path: mutated}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{mutated: []byte(strings.Replace(source, m.old, m.new, 1)), overlay: replace} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	compile := exec.CommandContext(t.Context(), "go", "test", "-c", "-ldflags=-s -w", "-overlay", overlay, "-o", binary, ".")
	if out, err := compile.CombinedOutput(); err != nil {
		t.Fatalf("the mutant does not compile: %v\n%s", err, out)
	}
	run := exec.CommandContext(t.Context(), binary)
	run.Env = append(os.Environ(), storyEnv+"="+m.scene+"*")
	out, err := run.CombinedOutput()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) { // a mutant that fails has told no story: TestMutants sees
		t.Fatal(err)
	}
	return string(out)
}

// TestMain lets the binary of a mutant tell its story instead of running the tests. An exploration makes garbage at a high rate and keeps
// little: collecting it less often saves a fifth of the processor time.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(1 << 30)
	prefix, mutant := os.LookupEnv(storyEnv)
	if !mutant {
		os.Exit(m.Run())
	}
	if err := tellStory(strings.TrimSuffix(prefix, "*")); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// tellStory explores one scene after the other until one has a story.
func tellStory(prefix string) error {
	for _, scene := range explore.Scenes() {
		if !strings.HasPrefix(scene.Name, prefix) {
			continue
		}
		report, err := explore.Explore(scene, stateLimit())
		if err != nil {
			return err
		}
		if report.Story != nil {
			fmt.Printf("%s  (after %d states)\n", report.Story, report.States)
			return nil
		}
	}
	return nil
}
