package types_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"lockstep/types"
)

func TestCodeList(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	numbers, names := map[types.Code]bool{}, map[string]bool{}
	last := types.Code(0)
	for _, info := range types.CodeList() {
		if numbers[info.Code] || names[info.Name] {
			t.Errorf("%d %s stands twice", info.Code, info.Name)
		}
		numbers[info.Code], names[info.Name] = true, true
		if info.Code < last {
			t.Errorf("%d %s is out of order", info.Code, info.Name)
		}
		last = info.Code
		if !name.MatchString(info.Name) {
			t.Errorf("%q is not a name in the manner of input_missing", info.Name)
		}
		if len(info.Sentence) < len("Accepted.") || !strings.HasSuffix(info.Sentence, ".") {
			t.Errorf("%s: %q is not a sentence", info.Name, info.Sentence)
		}
		var again types.Code
		if err := again.UnmarshalText([]byte(info.Code.String())); err != nil || again != info.Code {
			t.Errorf("%s reads as %d (%v)", info.Name, again, err)
		}
	}
}

func TestCodeUnknown(t *testing.T) {
	t.Parallel()
	strange := types.Code(4711)
	if strange.String() != "code_4711" || strange.Sentence() == "" {
		t.Errorf("%s: %s", strange, strange.Sentence())
	}
	var code types.Code
	if err := code.UnmarshalText([]byte("from_the_future")); err != nil || code != types.CodeInternal {
		t.Errorf("%s, %v", code, err)
	}
}

func TestCodeOf(t *testing.T) {
	t.Parallel()
	refusal := types.Refuse(types.CodeFee, "the fee of %d is too low", 3)
	for want, err := range map[types.Code]error{
		types.CodeOK: nil, types.CodeInternal: errors.New("the disk is full"), types.CodeFee: fmt.Errorf("send: %w", refusal),
	} {
		if got := types.CodeOf(err); got != want {
			t.Errorf("%v has code %s, want %s", err, got, want)
		}
	}
	if refusal.Error() != "fee: the fee of 3 is too low" {
		t.Error(refusal)
	}
}
