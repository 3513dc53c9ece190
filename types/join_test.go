package types_test

import (
	"crypto/ed25519"
	"strings"
	"testing"

	"lockstep/types"
)

// joinRequest is one of Clara's, valid for as long as can be.
func joinRequest() types.JoinRequest {
	r := types.JoinRequest{ChainID: "test", Member: types.Member{Key: keyOf("clara"), Name: "Clara"}, ValidUntil: noon.Add(types.JoinValidity)}
	r.Signature = types.SignatureBytes(ed25519.Sign(signer("clara"), r.Message()))
	return r
}

func TestJoinRequest(t *testing.T) {
	t.Parallel()
	good := joinRequest()
	if err := good.Check("test", noon); err != nil {
		t.Errorf("a good request: %v", err)
	}
	if err := good.Check("test", good.ValidUntil); err != nil {
		t.Errorf("at its valid-until: %v", err)
	}
	if got := types.CodeOf(good.Check("test", good.ValidUntil+1)); got != types.CodeExpired {
		t.Errorf("after its valid-until: %s", got)
	}
	if got := types.CodeOf(good.Check("test", noon-1)); got != types.CodeValidity {
		t.Errorf("valid for too long: %s", got)
	}
	for name, c := range map[string]struct {
		want types.Code
		edit func(r *types.JoinRequest)
	}{
		"another chain":     {types.CodeChain, func(r *types.JoinRequest) { r.ChainID = "other" }},
		"another key":       {types.CodeSignature, func(r *types.JoinRequest) { r.Member.Key = keyOf("mallory") }},
		"another name":      {types.CodeSignature, func(r *types.JoinRequest) { r.Member.Name = "Mallory" }},
		"another time":      {types.CodeSignature, func(r *types.JoinRequest) { r.ValidUntil-- }},
		"another signature": {types.CodeSignature, func(r *types.JoinRequest) { r.Signature[5] ^= 1 }},
		"no name":           {types.CodeMemberName, func(r *types.JoinRequest) { r.Member.Name = "" }},
		"a hidden name":     {types.CodeText, func(r *types.JoinRequest) { r.Member.Name = "Cla\u200bra" }},
	} {
		r := joinRequest()
		c.edit(&r)
		if got := types.CodeOf(r.Check("test", noon)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestJoinDecline(t *testing.T) {
	t.Parallel()
	request := joinRequest()
	operators := []types.PublicKey{keyOf("other"), keyOf("operator")}
	sign := func(edit func(d *types.JoinDecline)) types.JoinDecline {
		d := types.JoinDecline{ChainID: "test", Key: request.Member.Key, ValidUntil: request.ValidUntil, Reason: strings.Repeat("x", types.MaxJoinReason), Operator: keyOf("operator")}
		if edit != nil {
			edit(&d)
		}
		d.Signature = types.SignatureBytes(ed25519.Sign(signer("operator"), d.Message()))
		return d
	}
	good := sign(nil)
	if err := good.Check("test", operators); err != nil {
		t.Errorf("a good refusal: %v", err)
	}
	for name, c := range map[string]struct {
		want         types.Code
		before, edit func(d *types.JoinDecline)
	}{
		"another chain":      {types.CodeChain, nil, func(d *types.JoinDecline) { d.ChainID = "other" }},
		"another key":        {types.CodeSignature, nil, func(d *types.JoinDecline) { d.Key = keyOf("mallory") }},
		"another request":    {types.CodeSignature, nil, func(d *types.JoinDecline) { d.ValidUntil++ }},
		"another reason":     {types.CodeSignature, nil, func(d *types.JoinDecline) { d.Reason = "Never." }},
		"another operator":   {types.CodeSignature, nil, func(d *types.JoinDecline) { d.Operator = keyOf("other") }},
		"no operator":        {types.CodeOperator, func(d *types.JoinDecline) { d.Operator = keyOf("mallory") }, nil},
		"no reason":          {types.CodeText, func(d *types.JoinDecline) { d.Reason = "" }, nil},
		"spaces":             {types.CodeText, func(d *types.JoinDecline) { d.Reason = "  " }, nil},
		"a long reason":      {types.CodeText, func(d *types.JoinDecline) { d.Reason += "x" }, nil},
		"a hidden character": {types.CodeText, func(d *types.JoinDecline) { d.Reason = "a\u200bb" }, nil},
	} {
		d := sign(c.before)
		if c.edit != nil {
			c.edit(&d)
		}
		if got := types.CodeOf(d.Check("test", operators)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
