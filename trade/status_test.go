package trade_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/trade"
	"lockstep/types"
)

// phaseCase is a trade that stands in a phase, with the steps and the money of it.
type phaseCase struct {
	name string
	make func(t *types.Trade)
}

func lockedIn(t *types.Trade) {
	a := &t.Agreement
	payment := a.Price - trade.Due(a, t.Released)
	t.Locked = nil
	switch t.Phase {
	case types.PhasePaid:
		t.Locked = []types.Locked{{Part: types.PartPayment, Amount: payment}, {Part: types.PartDeposit, Amount: a.Deposit}}
	case types.PhaseDelivered, types.PhaseReleased:
		if t.Phase == types.PhaseReleased { // the last release cuts nothing
			payment = a.Price
		}
		t.Locked = []types.Locked{{Part: types.PartPayment, Amount: payment}, {Part: types.PartReturn, Amount: a.Deposit}}
		if a.Bond > 0 {
			t.Locked = append(t.Locked, types.Locked{Part: types.PartBond, Amount: a.Bond})
		}
	}
}

// steps records steps of these kinds, a minute apart.
func steps(t *types.Trade, kinds ...types.StepKind) {
	t.Steps = nil
	for i, kind := range kinds {
		t.Steps = append(t.Steps, types.Step{Kind: kind, At: noon.Add(types.Duration(i) * minute), Tx: types.TxID{byte(i + 1)}})
	}
}

func phaseCases() []phaseCase {
	set := func(phase types.Phase, released uint16, kinds ...types.StepKind) func(*types.Trade) {
		return func(t *types.Trade) {
			t.Phase, t.Released = phase, released
			steps(t, kinds...)
			lockedIn(t)
		}
	}
	agreed, paid, delivered, released := types.StepAgreed, types.StepPaid, types.StepDelivered, types.StepReleased
	return []phaseCase{
		{"agreed", set(types.PhaseAgreed, 0, agreed)},
		{"paid", set(types.PhasePaid, 0, agreed, paid)},
		{"paid match", func(t *types.Trade) {
			set(types.PhasePaid, 0, types.StepMatched, paid)(t)
			t.Locked = append(t.Locked, types.Locked{Part: types.PartBond, Amount: t.Agreement.Bond})
		}},
		{"delivered", set(types.PhaseDelivered, 0, agreed, paid, delivered)},
		{"delivered match", set(types.PhaseDelivered, 0, types.StepMatched, paid, delivered)},
		{"partly released", set(types.PhaseDelivered, 2, agreed, paid, delivered, released)},
		{"without a bond", func(t *types.Trade) {
			t.Agreement.Bond = 0
			set(types.PhaseDelivered, 0, agreed, paid, delivered)(t)
		}},
		{"released", set(types.PhaseReleased, 5, agreed, paid, delivered, released)},
		{"collected", func(t *types.Trade) {
			set(types.PhaseReleased, 5, agreed, paid, delivered, released, types.StepCollected)(t)
			t.Locked = t.Locked[1:2]
		}},
		{"complete", func(t *types.Trade) {
			set(types.PhaseReleased, 5, agreed, paid, delivered, released, types.StepCollected, types.StepReturned)(t)
			t.Locked = nil
		}},
		{"refund taken", set(types.PhaseRefunded, 0, agreed, paid, types.StepRefunded)},
		{"split before the delivery", set(types.PhaseSplit, 0, agreed, paid, types.StepSplit)},
		{"split", set(types.PhaseSplit, 0, agreed, paid, delivered, types.StepSplit)},
		{"settled", func(t *types.Trade) {
			set(types.PhaseSettled, 0, agreed, paid, delivered, types.StepSettled)(t)
			t.Allotted = 900
		}},
		{"awarded", set(types.PhaseAwarded, 0, agreed, paid, delivered, types.StepAwarded)},
		{"lapsed", set(types.PhaseLapsed, 0, agreed)},
	}
}

func viewers() []types.PublicKey {
	return []types.PublicKey{{}, keyOf("producer"), keyOf("consumer"), keyOf("arbiter"), keyOf("stranger")}
}

// statusCase names one status of [eachStatus].
type statusCase struct {
	phase   string
	deal    *types.Trade
	clock   types.Time
	reading uint64
	viewer  types.PublicKey
}

func (c statusCase) String() string {
	return fmt.Sprintf("%s, %s, %s, reading %d, viewer %q", c.phase, types.FallbackKind(c.deal.Agreement.Fallback), c.clock, c.reading,
		trade.RoleOf(&c.deal.Agreement, c.viewer))
}

// eachStatus goes through every phase, terms, moment around a deadline, reading and viewer.
func eachStatus(visit func(name statusCase, t *types.Trade, clock types.Time, reading uint64, viewer types.PublicKey, s trade.Status)) {
	terms, keys := fallbacks(), viewers() // each key costs a scalar multiplication
	for _, c := range phaseCases() {
		for _, fallback := range terms {
			deal := sampleTrade()
			deal.Agreement.Fallback = fallback
			c.make(&deal)
			for _, clock := range clocks() {
				for _, reading := range []uint64{0, 900, 1500} {
					for _, viewer := range keys {
						visit(statusCase{c.name, &deal, clock, reading, viewer}, &deal, clock, reading, viewer, trade.StatusAt(&deal, clock, reading, viewer))
					}
				}
			}
		}
	}
}

// TestStatusAgreesWithTheMachine holds every status against the rules that it describes.
func TestStatusAgreesWithTheMachine(t *testing.T) {
	t.Parallel()
	producer, consumer := keyOf("producer"), keyOf("consumer")
	eachStatus(func(name statusCase, deal *types.Trade, clock types.Time, _ uint64, viewer types.PublicKey, s trade.Status) {
		moves := trade.Moves(deal, clock)
		if s.Phase != trade.PhaseAt(deal, clock) || len(s.Options) != len(moves) || len(s.Locked) != len(deal.Locked) {
			t.Fatalf("%s: %+v", name, s)
		}
		for i, move := range moves {
			option := s.Options[i]
			mine := move.Who == viewer || move.Role == "both" && (viewer == producer || viewer == consumer) || move.Role == "anyone"
			if viewer == (types.PublicKey{}) {
				mine = false
			}
			if option.Move != trade.MoveKey(move.What) || string(option.Role) != move.Role || option.Until != move.Until || option.You != mine {
				t.Errorf("%s: move %+v is shown as %+v", name, move, option)
			}
		}
		if s.Options == nil || s.Locked == nil || s.Else == nil || s.Stages == nil {
			t.Errorf("%s: a list is null in JSON: %+v", name, s)
		}
		turn := trade.Turn{Role: trade.Nobody}
		if len(s.Options) > 0 {
			turn = trade.Turn{Role: s.Options[0].Role, You: s.Options[0].You, Move: s.Options[0].Move, Until: s.Options[0].Until}
		}
		if s.Turn != turn {
			t.Errorf("%s: turn %+v, not %+v", name, s.Turn, turn)
		}
		for i, locked := range deal.Locked {
			owner, owned := trade.Owner(deal, locked.Part, clock)
			want := trade.Message{Key: trade.OwnerNobody}
			if owned {
				want = trade.Message{Key: trade.OwnerRole, Args: trade.Args{Role: trade.RoleOf(&deal.Agreement, owner)}}
			}
			if held := s.Locked[i]; held.Part != locked.Part || held.Amount != locked.Amount || held.Owner != want {
				t.Errorf("%s: %+v is shown as %+v", name, locked, held)
			}
		}
		if s.Over != (len(moves) == 0 && len(deal.Locked) == 0) || s.Over != (s.Turn.Role == trade.Nobody) ||
			s.Over != slices.Contains(s.Else, trade.Message{Key: trade.ElseNothing}) {
			t.Errorf("%s: over %t, turn %s, else %v", name, s.Over, s.Turn.Role, s.Else)
		}
	})
}

// TestStatusConservesMoney: the sums that a move gives never exceed the locked money, and a move that ends the trade gives all of it.
func TestStatusConservesMoney(t *testing.T) {
	t.Parallel()
	given := func(messages []trade.Message) (total types.Amount) {
		for _, message := range messages {
			if message.Key == trade.EffectGives || message.Key == trade.EffectDivides {
				total += message.Args.Sum
			}
		}
		return total
	}
	eachStatus(func(name statusCase, deal *types.Trade, _ types.Time, _ uint64, _ types.PublicKey, s trade.Status) {
		locked := deal.LockedSum()
		for _, option := range s.Options {
			sum := given(option.Effects)
			switch option.Move {
			case "move.refund", "move.take_bond":
				if sum == 0 || sum > locked {
					t.Errorf("%s: %s gives %s of %s", name, option.Move, sum, locked)
				}
			case "move.release", "move.settle", "move.split", "move.award":
				if sum != locked {
					t.Errorf("%s: %s gives %s of %s", name, option.Move, sum, locked)
				}
			case "move.collect", "move.take_return":
				if sum == 0 || sum > locked {
					t.Errorf("%s: %s gives %s of %s", name, option.Move, sum, locked)
				}
			default:
				if sum != 0 {
					t.Errorf("%s: %s gives %s", name, option.Move, sum)
				}
			}
		}
		if sum := given(s.Else); sum != 0 && sum != locked {
			t.Errorf("%s: else %s of %s", name, sum, locked)
		}
	})
}

// TestStatusViews: all viewers see one trade. They differ in their role and in the moves that are theirs, and in nothing else.
func TestStatusViews(t *testing.T) {
	t.Parallel()
	eachStatus(func(name statusCase, deal *types.Trade, clock types.Time, reading uint64, _ types.PublicKey, s trade.Status) {
		stranger := trade.StatusAt(deal, clock, reading, types.PublicKey{})
		s.Viewer, s.Turn.You = "", false
		for i := range s.Options {
			s.Options[i].You = false
		}
		if !reflect.DeepEqual(stranger, s) {
			t.Errorf("%s:\n%s", name, cmp.Diff(stranger, s))
		}
	})
}

// TestFinishedTradeOffersNothing: a trade that has ended offers no release, no split, no award and no settlement, to nobody.
func TestFinishedTradeOffersNothing(t *testing.T) {
	t.Parallel()
	eachStatus(func(name statusCase, _ *types.Trade, _ types.Time, _ uint64, _ types.PublicKey, s trade.Status) {
		if s.Phase < types.PhaseReleased {
			return
		}
		for _, option := range s.Options {
			if !slices.Contains([]trade.Key{"move.collect", "move.take_return", "move.refund", "move.take_bond"}, option.Move) || option.Until != 0 {
				t.Errorf("%s: %s is still offered", name, option.Move)
			}
		}
	})
}

// TestStatusKeys: a status has only listed keys, with exactly the arguments that the list states, and every listed key occurs.
func TestStatusKeys(t *testing.T) {
	t.Parallel()
	args := map[trade.Key][]string{}
	for _, info := range trade.Keys() {
		if _, twice := args[info.Key]; twice {
			t.Errorf("%s is listed twice", info.Key)
		}
		args[info.Key] = info.Args
	}
	none := map[string]any{}
	for _, arg := range (trade.Args{}).All() {
		none[arg.Name] = arg.Value
	}
	used := map[trade.Key]map[string]bool{}
	see := func(name statusCase, m trade.Message) {
		stated, known := args[m.Key]
		if !known {
			t.Fatalf("%s: %q is not listed", name, m.Key)
		}
		if used[m.Key] == nil {
			used[m.Key] = map[string]bool{}
		}
		for _, arg := range m.Args.All() {
			if arg.Value == none[arg.Name] {
				continue
			}
			used[m.Key][arg.Name] = true
			if !slices.Contains(stated, arg.Name) {
				t.Errorf("%s: %s has an argument %s that is not listed", name, m.Key, arg.Name)
			}
		}
	}
	key := func(name statusCase, k trade.Key) { see(name, trade.Message{Key: k}) }
	eachStatus(func(name statusCase, deal *types.Trade, _ types.Time, _ uint64, _ types.PublicKey, s trade.Status) {
		see(name, s.State)
		see(name, trade.Terms(deal.Agreement.Fallback))
		key(name, trade.PhaseKey(s.Phase))
		key(name, trade.RoleKey(s.Turn.Role))
		for _, m := range s.Else {
			see(name, m)
		}
		for _, option := range s.Options {
			key(name, option.Move)
			key(name, trade.RoleKey(option.Role))
			for _, m := range option.Effects {
				see(name, m)
			}
		}
		for _, held := range s.Locked {
			key(name, trade.PartKey(held.Part))
			see(name, held.Owner)
		}
		for _, stage := range s.Stages {
			key(name, stage.Stage)
			if stage.Note != nil {
				see(name, *stage.Note)
			}
		}
		see(name, trade.PriceOf(&deal.Agreement))
		for _, m := range consents(deal) {
			see(name, m)
		}
	})
	for _, info := range trade.Keys() {
		if len(info.Key) > 6 && info.Key[:6] == "event." {
			continue
		}
		if used[info.Key] == nil {
			t.Errorf("no status has %s", info.Key)
		}
		for _, arg := range info.Args {
			if arg != "goods" && !used[info.Key][arg] {
				t.Errorf("%s never has its argument %s", info.Key, arg)
			}
		}
	}
}

// TestStatus states whose turn it is and the consequences of waiting, before, at and after each deadline.
func TestStatus(t *testing.T) {
	t.Parallel()
	d := sampleDeadlines()
	type row struct {
		phase    string
		fallback types.Fallback
		clock    types.Time
		reading  uint64
		state    trade.Message
		turn     trade.Turn
		then     []trade.Message
	}
	hold, meter, arbiter := &types.Hold{}, &types.Meter{}, &types.Arbiter{Key: keyOf("arbiter")}
	say := func(key trade.Key, args trade.Args) trade.Message { return trade.Message{Key: key, Args: args} }
	gives := func(role trade.Role, sum types.Amount) trade.Message {
		return say(trade.EffectGives, trade.Args{Role: role, Sum: sum})
	}
	turn := func(role trade.Role, move trade.Key, until types.Time) trade.Turn {
		return trade.Turn{Role: role, Move: move, Until: until, You: role == trade.Producer || role == trade.Anyone}
	}
	record := func(role trade.Role) trade.Message { return say(trade.ElseOnRecord, trade.Args{Role: role}) }
	nobody, over := trade.Turn{Role: trade.Nobody}, []trade.Message{{Key: trade.ElseNothing}}
	lapse := say(trade.ElseLapse, trade.Args{Until: d.PayBy})
	lapsed := say(trade.StateLapsed, trade.Args{Role: trade.Consumer, Until: d.PayBy})
	refund := []trade.Message{say(trade.ElseRefund, trade.Args{Until: d.DeliverBy}), gives(trade.Consumer, 45_450)}
	refundable := say(trade.StateRefundable, trade.Args{Role: trade.Producer, Until: d.DeliverBy})
	delivered, keep := trade.Message{Key: trade.StateDelivered}, []trade.Message{{Key: trade.ElseKeep}}
	part := say(trade.StatePartlyReleased, trade.Args{Released: 2, Instalments: 5})
	settle := func(q uint64) trade.Message {
		return say(trade.ElseSettle, trade.Args{Until: d.ConfirmBy, Quantity: q, Total: 1500})
	}
	settleNow := func(q uint64, sum types.Amount) trade.Message {
		return say(trade.ElseSettleSoon, trade.Args{Sum: sum, Quantity: q, Total: 1500})
	}
	for _, c := range []row{
		{"agreed", hold, d.PayBy - 1, 0, say(trade.StateAgreed, trade.Args{}), turn(trade.Consumer, "move.pay", d.PayBy), []trade.Message{lapse}},
		{"agreed", hold, d.PayBy, 0, say(trade.StateAgreed, trade.Args{}), turn(trade.Consumer, "move.pay", d.PayBy), []trade.Message{lapse}},
		{"agreed", hold, d.PayBy + 1, 0, lapsed, nobody, over},
		{"paid", hold, d.DeliverBy, 0, say(trade.StatePaid, trade.Args{}), turn(trade.Producer, "move.deliver", d.DeliverBy), refund},
		{"paid", hold, d.DeliverBy + 1, 0, refundable, turn(trade.Consumer, "move.refund", 0), keep},
		{"paid match", hold, d.DeliverBy, 0, say(trade.StateMatched, trade.Args{}), turn(trade.Producer, "move.deliver", d.DeliverBy), []trade.Message{refund[0], gives(trade.Producer, 900), refund[1], record(trade.Producer)}},
		{"paid match", hold, d.DeliverBy + 1, 0, refundable, turn(trade.Consumer, "move.refund", 0), keep},
		{"refund taken", hold, d.DeliverBy + 1, 0, say(trade.StateRefunded, refundable.Args), nobody, over},
		{"delivered", hold, d.ConfirmBy, 0, delivered, turn(trade.Consumer, "move.release", 0), []trade.Message{say(trade.ElseLocked, trade.Args{Sum: 46_350})}},
		{"delivered", hold, types.MaxTime, 0, delivered, turn(trade.Consumer, "move.release", 0), []trade.Message{say(trade.ElseLocked, trade.Args{Sum: 46_350})}},
		{"delivered", meter, d.ConfirmBy - 1, 900, delivered, turn(trade.Consumer, "move.release", d.ConfirmBy), []trade.Message{settle(900), gives(trade.Producer, 27_540), gives(trade.Consumer, 18_810)}},
		{"delivered", meter, d.ConfirmBy, 0, delivered, turn(trade.Consumer, "move.release", d.ConfirmBy), []trade.Message{settle(0), gives(trade.Consumer, 46_350)}},
		{"delivered", meter, d.ConfirmBy + 1, 1500, delivered, turn(trade.Anyone, "move.settle", 0), []trade.Message{settleNow(1500, 46_350), gives(trade.Producer, 46_350)}},
		{"partly released", meter, d.ConfirmBy + 1, 900, part, turn(trade.Anyone, "move.settle", 0), []trade.Message{settleNow(900, 28_350), gives(trade.Producer, 9_540), gives(trade.Consumer, 18_810)}},
		{"delivered match", meter, d.ConfirmBy, 1499, delivered, turn(trade.Consumer, "move.release", d.ConfirmBy), []trade.Message{settle(1499), gives(trade.Producer, 45_869), gives(trade.Consumer, 481), record(trade.Producer)}},
		{"delivered match", meter, d.ConfirmBy, 1500, delivered, turn(trade.Consumer, "move.release", d.ConfirmBy), []trade.Message{settle(1500), gives(trade.Producer, 46_350), record(trade.Consumer)}},
		{"delivered", arbiter, d.ConfirmBy, 0, delivered, turn(trade.Consumer, "move.release", d.ConfirmBy), []trade.Message{say(trade.ElseAward, trade.Args{Until: d.ConfirmBy, Role: trade.Arbiter, Sum: 46_350})}},
		{"delivered", arbiter, d.ConfirmBy + 1, 0, delivered, turn(trade.Arbiter, "move.award", 0), []trade.Message{say(trade.ElseAwardSoon, trade.Args{Role: trade.Arbiter, Sum: 46_350})}},
		{"released", hold, 0, 0, say(trade.StateReleased, trade.Args{}), turn(trade.Producer, "move.collect", 0), keep},
		{"collected", hold, 0, 0, say(trade.StateReleased, trade.Args{}), turn(trade.Consumer, "move.take_return", 0), keep},
		{"complete", hold, 0, 0, say(trade.StateReleasedAndOver, trade.Args{}), nobody, over},
		{"split", hold, 0, 0, say(trade.StateSplit, trade.Args{}), nobody, over},
		{"settled", meter, types.MaxTime, 0, say(trade.StateSettled, trade.Args{Quantity: 900, Total: 1500}), nobody, over},
		{"awarded", arbiter, types.MaxTime, 0, say(trade.StateAwarded, trade.Args{}), nobody, over},
	} {
		deal := sampleTrade()
		deal.Agreement.Fallback = c.fallback
		for _, phase := range phaseCases() {
			if phase.name == c.phase {
				phase.make(&deal)
			}
		}
		s := trade.StatusAt(&deal, c.clock, c.reading, keyOf("producer"))
		if diff := cmp.Diff([]any{c.state, c.turn, c.then}, []any{s.State, s.Turn, s.Else}); diff != "" {
			t.Errorf("%s, %s at %s:\n%s", c.phase, types.FallbackKind(c.fallback), c.clock, diff)
		}
	}
}

// TestEffects states the sums of each move.
func TestEffects(t *testing.T) {
	t.Parallel()
	d := sampleDeadlines()
	message := func(key trade.Key, role trade.Role, sum types.Amount) trade.Message {
		return trade.Message{Key: key, Args: trade.Args{Role: role, Sum: sum}}
	}
	divides := []trade.Message{message(trade.EffectDivides, "", 28_350)}
	for _, c := range []struct {
		phase    string
		fallback types.Fallback
		clock    types.Time
		want     [][]trade.Message
	}{
		{"agreed", &types.Hold{}, 0, [][]trade.Message{{message(trade.EffectLocks, trade.Consumer, 45_450)}}},
		{"paid", &types.Hold{}, 0, [][]trade.Message{{message(trade.EffectLocks, trade.Producer, 900)}, {message(trade.EffectDivides, "", 45_450)}}},
		{"partly released", &types.Meter{}, d.ReadingBy, [][]trade.Message{
			{message(trade.EffectGives, trade.Producer, 27_900), message(trade.EffectGives, trade.Consumer, 450)}, {{Key: trade.EffectReads}}, divides,
		}},
		{"partly released", &types.Meter{}, d.ReadingBy + 1, [][]trade.Message{
			{message(trade.EffectGives, trade.Producer, 27_900), message(trade.EffectGives, trade.Consumer, 450)}, divides,
		}},
		{"partly released", &types.Meter{}, d.ConfirmBy + 1, [][]trade.Message{
			{message(trade.EffectGives, trade.Producer, 9_540), message(trade.EffectGives, trade.Consumer, 18_810)}, divides,
		}},
		{"partly released", &types.Arbiter{Key: keyOf("arbiter")}, d.ConfirmBy + 1, [][]trade.Message{divides, divides}},
		{"released", &types.Hold{}, 0, [][]trade.Message{{message(trade.EffectGives, trade.Producer, 45_900)}, {message(trade.EffectGives, trade.Consumer, 450)}}},
		{"paid", &types.Hold{}, d.DeliverBy + 1, [][]trade.Message{{message(trade.EffectGives, trade.Consumer, 45_450)}}},
	} {
		deal := sampleTrade()
		deal.Agreement.Fallback = c.fallback
		for _, phase := range phaseCases() {
			if phase.name == c.phase {
				phase.make(&deal)
			}
		}
		got := [][]trade.Message{}
		for _, option := range trade.StatusAt(&deal, c.clock, 900, types.PublicKey{}).Options {
			got = append(got, option.Effects)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s, %s at %s:\n%s", c.phase, types.FallbackKind(c.fallback), c.clock, diff)
		}
	}
	deal := sampleTrade()
	phaseCases()[1].make(&deal)
	deal.Agreement.Bond = 0
	if option := trade.StatusAt(&deal, 0, 0, types.PublicKey{}).Options[0]; len(option.Effects) != 0 {
		t.Errorf("a delivery without a bond: %+v", option)
	}
}

// TestStatusOfSmallestParts: one unit of money and one instalment count like any more.
func TestStatusOfSmallestParts(t *testing.T) {
	t.Parallel()
	set := func(edit func(*types.Trade)) trade.Status {
		deal := sampleTrade()
		deal.Agreement.Bond, deal.Agreement.Deposit = 1, 1
		edit(&deal)
		return trade.StatusAt(&deal, 0, 0, types.PublicKey{})
	}
	gives := func(key trade.Key, role trade.Role) []trade.Message {
		return []trade.Message{{Key: key, Args: trade.Args{Role: role, Sum: 1}}}
	}
	paid := set(func(d *types.Trade) { d.Phase, d.Released, d.Locked = types.PhasePaid, 0, d.Locked[:2] })
	if diff := cmp.Diff(gives(trade.EffectLocks, trade.Producer), paid.Options[0].Effects); diff != "" {
		t.Errorf("a delivery with the smallest bond:\n%s", diff)
	}
	released := set(func(d *types.Trade) {
		d.Phase, d.Locked = types.PhaseReleased, []types.Locked{{Part: types.PartReturn, Amount: 1}}
	})
	if diff := cmp.Diff(gives(trade.EffectGives, trade.Consumer), released.Options[0].Effects); diff != "" {
		t.Errorf("the smallest return:\n%s", diff)
	}
	first := set(func(d *types.Trade) { d.Released = 1 })
	if want := (trade.Message{Key: trade.StatePartlyReleased, Args: trade.Args{Released: 1, Instalments: 5}}); first.State != want {
		t.Errorf("one instalment released: %+v", first.State)
	}
}

// TestStatusOfOwnerlessPart: a trade with money that no move frees is not over.
func TestStatusOfOwnerlessPart(t *testing.T) {
	t.Parallel()
	deal := sampleTrade()
	deal.Phase, deal.Locked = types.PhaseReleased, []types.Locked{{Part: types.PartDeposit, Amount: 1}} // no ledger has it
	if s := trade.StatusAt(&deal, 0, 0, types.PublicKey{}); s.Over || len(s.Options) > 0 {
		t.Errorf("%+v", s)
	}
}

// TestStages states the timeline of each phase: its marks, deadlines and notes. Under hold the release has no deadline.
func TestStages(t *testing.T) {
	t.Parallel()
	d := sampleDeadlines()
	for _, c := range []struct {
		phase    string
		fallback types.Fallback
		clock    types.Time
		want     string
	}{
		{"agreed", &types.Hold{}, d.PayBy, "agreed+ paid@10 delivered@14 released collected"},
		{"agreed", &types.Meter{}, d.PayBy, "agreed+ paid@10 delivered@14 released@120 collected"},
		{"agreed", &types.Arbiter{}, d.PayBy, "agreed+ paid@10 delivered@14 released@120 collected"},
		{"paid match", &types.Hold{}, d.PayBy + 1, "matched+ paid+ delivered@14 released collected"},
		{"delivered match", &types.Meter{}, d.PayBy + 1, "matched+ paid+ delivered+ released@120 collected"},
		{"lapsed", &types.Hold{}, 0, "agreed+ lapsed-10"},
		{"paid", &types.Meter{}, d.DeliverBy, "agreed+ paid+ delivered@14 released@120 collected"},
		{"paid", &types.Hold{}, d.DeliverBy + 1, "agreed+ paid+ not_delivered-14 refund"},
		{"refund taken", &types.Hold{}, d.DeliverBy + 1, "agreed+ paid+ not_delivered-14 refund+"},
		{"delivered", &types.Hold{}, d.ConfirmBy + 1, "agreed+ paid+ delivered+ released collected"},
		{"delivered", &types.Meter{}, d.ConfirmBy + 1, "agreed+ paid+ delivered+ released@120 collected"},
		{"partly released", &types.Hold{}, 0, "agreed+ paid+ delivered+ released+ collected"},
		{"collected", &types.Hold{}, 0, "agreed+ paid+ delivered+ released+ collected+"},
		{"split before the delivery", &types.Hold{}, 0, "agreed+ paid+ split+"},
		{"split", &types.Hold{}, 0, "agreed+ paid+ delivered+ split+"},
		{"settled", &types.Meter{}, 0, "agreed+ paid+ delivered+ settled+"},
		{"awarded", &types.Arbiter{}, 0, "agreed+ paid+ delivered+ awarded+"},
	} {
		deal := sampleTrade()
		deal.Agreement.Fallback = c.fallback
		for _, phase := range phaseCases() {
			if phase.name == c.phase {
				phase.make(&deal)
			}
		}
		got := ""
		for i, stage := range trade.StatusAt(&deal, c.clock, 0, types.PublicKey{}).Stages {
			if i > 0 {
				got += " "
			}
			got += string(stage.Stage[len("stage."):])
			switch {
			case stage.Done:
				got += "+"
			case stage.Missed:
				got += fmt.Sprintf("-%d", stage.At.Since(noon)/minute)
			case stage.Until != 0:
				got += fmt.Sprintf("@%d", stage.Until.Since(noon)/minute)
			}
			if (stage.Note != nil) != (stage.Done || stage.Missed) || stage.Done != (stage.Tx != types.TxID{}) || stage.Done && stage.At != noon.Add(types.Duration(i)*minute) && c.phase != "refund taken" {
				t.Errorf("%s: stage %+v", c.phase, stage)
			}
		}
		if got != c.want {
			t.Errorf("%s, %s at %s: %s, not %s", c.phase, types.FallbackKind(c.fallback), c.clock, got, c.want)
		}
	}
}

// TestStageNotes: the note of a release tells a part of the instalments from all of them, and the note of a delivery its bond.
func TestStageNotes(t *testing.T) {
	t.Parallel()
	note := func(phase string, key trade.Key) *trade.Message {
		deal := sampleTrade()
		for _, c := range phaseCases() {
			if c.name == phase {
				c.make(&deal)
			}
		}
		switch phase {
		case "all but one released":
			deal.Released = 4
		case "the smallest bond":
			deal.Agreement.Bond = 1
		}
		for _, stage := range trade.StatusAt(&deal, 0, 0, types.PublicKey{}).Stages {
			if stage.Stage == key {
				return stage.Note
			}
		}
		return nil
	}
	released, delivered := trade.StageReleased.Key(), trade.StageDelivered.Key()
	for _, c := range []struct {
		phase string
		stage trade.Key
		want  trade.Message
	}{
		{"partly released", released, trade.Message{Key: trade.NotePartlyReleased, Args: trade.Args{Released: 2, Instalments: 5, Sum: 18_000}}},
		{"all but one released", released, trade.Message{Key: trade.NotePartlyReleased, Args: trade.Args{Released: 4, Instalments: 5, Sum: 36_000}}},
		{"released", released, trade.Message{Key: trade.NoteReleased}},
		{"delivered", delivered, trade.Message{Key: trade.NoteDeliveredBond, Args: trade.Args{Sum: 900}}},
		{"the smallest bond", delivered, trade.Message{Key: trade.NoteDeliveredBond, Args: trade.Args{Sum: 1}}},
		{"without a bond", delivered, trade.Message{Key: trade.NoteDelivered}},
	} {
		if got := note(c.phase, c.stage); got == nil || *got != c.want {
			t.Errorf("%s: %+v, not %+v", c.phase, got, c.want)
		}
	}
}
