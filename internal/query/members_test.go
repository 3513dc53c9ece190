package query_test

import (
	"fmt"
	"testing"

	"lockstep/client/wire"
	"lockstep/internal/ledgertest"
	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// TestMembers lists members page by page, each once, and finds one by its key.
func TestMembers(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, "test")
	want := map[string]bool{}
	for i := range 5 {
		name := fmt.Sprintf("member %d", i)
		want[name] = true
		body := l.Body(&types.Admit{Operator: party.Key("operator"), Member: types.Member{Key: party.Key(name), Name: name}})
		if err := l.Submit(t.Context(), party.Sign(body, "operator")); err != nil {
			t.Fatal(err)
		}
	}
	after, seen := "", 0
	for {
		page, err := l.Members(t.Context(), wire.Page{After: after, Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Members) > 2 {
			t.Fatalf("a page of %d", len(page.Members))
		}
		for _, member := range page.Members {
			if !want[member.Name] || member.Key != party.Key(member.Name) {
				t.Errorf("%q is listed twice, or is nobody", member.Name)
			}
			delete(want, member.Name)
			seen++
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if len(want) != 0 || seen != 5 {
		t.Errorf("%d listed, missing: %v", seen, want)
	}
	if _, err := l.Members(t.Context(), wire.Page{After: "nonsense", Limit: 2}); types.CodeOf(err) != types.CodeMalformed {
		t.Error(err)
	}
	if member, err := l.Member(t.Context(), party.Key("member 3")); err != nil || member.Name != "member 3" {
		t.Error(member, err)
	}
	if _, err := l.Member(t.Context(), party.Key("stranger")); types.CodeOf(err) != types.CodeNotFound {
		t.Error(err)
	}
}
