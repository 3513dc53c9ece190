package types_test

import (
	"fmt"
	"testing"

	"lockstep/types"
)

func TestTradeRecord(t *testing.T) {
	t.Parallel()
	trade := sampleTrade()
	if trade.LockedSum() != 28_350 {
		t.Errorf("%s locked", trade.LockedSum())
	}
	if locked, ok := trade.Find(types.PartBond); !ok || locked.Amount != 900 {
		t.Errorf("bond %+v, %t", locked, ok)
	}
	if locked, ok := trade.Find(types.PartDeposit); ok {
		t.Errorf("a delivered trade still has its deposit: %+v", locked)
	}
	if step, ok := trade.Step(types.StepDelivered); !ok || step.Tx != (types.TxID{3}) {
		t.Errorf("delivered %+v, %t", step, ok)
	}
	if step, ok := trade.Step(types.StepCollected); ok {
		t.Errorf("collected already: %+v", step)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	type named interface {
		fmt.Stringer
		MarshalText() ([]byte, error)
	}
	seen := map[string]bool{}
	check := func(value named, read func(string) (named, error)) {
		name := value.String()
		if again, err := read(name); err != nil || again != value || seen[fmt.Sprintf("%T %s", value, name)] {
			t.Errorf("%q reads as %v (%v), or stands twice", name, again, err)
		}
		seen[fmt.Sprintf("%T %s", value, name)] = true
		if _, err := read("nonsense"); types.CodeOf(err) != types.CodeMalformed {
			t.Errorf("%T reads nonsense: %v", value, err)
		}
	}
	for p := types.PartPayment; p <= types.PartBond; p++ {
		check(p, func(s string) (named, error) { var p types.Part; err := p.UnmarshalText([]byte(s)); return p, err })
	}
	for p := types.PhaseAgreed; p <= types.PhaseLapsed; p++ {
		check(p, func(s string) (named, error) { var p types.Phase; err := p.UnmarshalText([]byte(s)); return p, err })
	}
	for k := types.StepAgreed; k <= types.StepAwarded; k++ {
		check(k, func(s string) (named, error) { var k types.StepKind; err := k.UnmarshalText([]byte(s)); return k, err })
	}
}
