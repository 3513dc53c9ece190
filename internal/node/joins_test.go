package node

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// declineOf refuses a request for a reason.
func declineOf(r *types.JoinRequest, operator, reason string) *types.JoinDecline {
	d := &types.JoinDecline{ChainID: "test", Key: r.Member.Key, ValidUntil: r.ValidUntil, Reason: reason, Operator: party.Key(operator)}
	d.Signature = party.Signature(operator, d.Message()).Bytes
	return d
}

// joinOf is a request of a named party, valid for an hour.
func joinOf(who, called string, now time.Time) *types.JoinRequest {
	r := &types.JoinRequest{ChainID: "test", Member: types.Member{Key: party.Key(who), Name: called}, ValidUntil: types.TimeOf(now).Add(3_600_000)}
	r.Signature = party.Signature(who, r.Message()).Bytes
	return r
}

// joinParams are those of a ledger with an operator.
func joinParams() *types.Params {
	return &types.Params{ChainID: "test", Operators: []types.PublicKey{party.Key("operator")}}
}

// TestJoins: each key has one request; it leaves when it runs out or its key is admitted. An address and the node have a bound.
func TestJoins(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1_780_000_000_000)
	members := map[types.PublicKey]bool{}
	path := filepath.Join(t.TempDir(), joinsFile)
	open := func() *joins {
		t.Helper()
		j, err := openJoins(path, joinParams(), func(key types.PublicKey) bool { return members[key] })
		if err != nil {
			t.Fatal(err)
		}
		j.now = func() time.Time { return now }
		return j
	}
	j := open()
	client := func(n int) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(n / 256), byte(n)}), 32)
	}
	add := func(from int, r *types.JoinRequest, want types.Code) {
		t.Helper()
		if got := types.CodeOf(j.Add(t.Context(), client(from), r)); got != want {
			t.Errorf("the request of %s: %s, want %s", r.Member.Name, got, want)
		}
	}
	expect := func(when string, names ...string) {
		t.Helper()
		list := j.List(t.Context())
		for i := range list {
			if i >= len(names) || list[i].Member.Name != names[i] {
				t.Fatalf("%s: %+v, want %v", when, list, names)
			}
		}
		if len(list) != len(names) {
			t.Fatalf("%s: %d requests, want %v", when, len(list), names)
		}
	}
	forged := joinOf("clara", "Clara", now)
	forged.Member.Name = "Mallory"
	add(0, forged, types.CodeSignature)
	clara := joinOf("clara", "Clara", now)
	add(0, clara, types.CodeOK)
	add(0, clara, types.CodeOK) // again
	now = now.Add(time.Millisecond)
	add(0, joinOf("clara", "Clara", now), types.CodeOK) // as the wallet makes it again
	add(0, joinOf("dora", "Dora", now), types.CodeOK)
	expect("two ask", "Clara", "Dora")
	now = now.Add(joinPause - 2*time.Millisecond)
	add(0, joinOf("clara", "Klara", now), types.CodeQuota)
	now = now.Add(time.Millisecond)
	add(0, joinOf("clara", "Klara", now), types.CodeOK)
	expect("one has changed its mind", "Dora", "Klara")
	klara := joinOf("clara", "Klara", now)
	now = now.Add(joinPause)
	add(1, clara, types.CodeReplay) // a stranger sends what it has seen
	add(1, klara, types.CodeOK)
	add(0, joinOf("clara", "Klaerchen", now), types.CodeOK) // which does not hold up its key
	now = now.Add(joinPause)
	add(0, joinOf("clara", "Klara", now), types.CodeOK)
	expect("earlier requests were sent again", "Dora", "Klara")
	j = open()
	expect("after a restart", "Dora", "Klara")
	members[party.Key("dora")] = true
	add(0, joinOf("dora", "Dora", now), types.CodeMember)
	expect("Dora is admitted", "Klara")
	now = now.Add(time.Hour)
	expect("at its valid-until", "Klara")
	now = now.Add(time.Millisecond)
	expect("it has run out")

	for i := range mostJoins {
		who := fmt.Sprint("newcomer ", i)
		if i > 0 && i%mostClientJoins == 0 {
			add(i/mostClientJoins-1, joinOf(who, who, now), types.CodeQuota)
		}
		add(i/mostClientJoins, joinOf(who, who, now), types.CodeOK)
	}
	add(0, joinOf("late", "late", now), types.CodeQuota) // a neighbour of them all
	members[party.Key("newcomer 0")] = true
	add(0, joinOf("late", "late", now), types.CodeOK)

	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || info.Size() > maxJoinsFile/4 {
		t.Errorf("the file: %v, %v", info, err)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openJoins(path, joinParams(), nil); err == nil {
		t.Error("a damaged file is read")
	}
}

// TestDeclinedJoins: an operator declines a request once, and the newcomer reads why; it can ask again, and be admitted. A refusal of another is none, and
// an old one does not refuse a later request.
func TestDeclinedJoins(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1_780_000_000_000)
	path := filepath.Join(t.TempDir(), joinsFile)
	admitted := false
	open := func() *joins {
		t.Helper()
		j, err := openJoins(path, joinParams(), func(types.PublicKey) bool { return admitted })
		if err != nil {
			t.Fatal(err)
		}
		j.now = func() time.Time { return now }
		return j
	}
	j, client := open(), netip.MustParsePrefix("10.0.0.1/32")
	clara := joinOf("clara", "Clara", now)
	if err := j.Add(t.Context(), client, clara); err != nil {
		t.Fatal(err)
	}
	decline := func(d *types.JoinDecline, want types.Code) {
		t.Helper()
		if got := types.CodeOf(j.Decline(t.Context(), d)); got != want {
			t.Errorf("%q by %s: %s, want %s", d.Reason, d.Operator, got, want)
		}
	}
	state := func(when string, waits int, reason string) {
		t.Helper()
		request, refusal, err := j.State(t.Context(), party.Key("clara"))
		if err != nil || request.Member.Key != party.Key("clara") {
			t.Fatalf("%s: %+v, %v", when, request, err)
		}
		if got := len(j.List(t.Context())); got != waits || (refusal == nil) != (reason == "") || refusal != nil && refusal.Reason != reason {
			t.Errorf("%s: %d wait, %+v", when, got, refusal)
		}
	}
	decline(declineOf(clara, "mallory", "no"), types.CodeOperator)
	decline(declineOf(clara, "operator", " "), types.CodeText)
	decline(declineOf(clara, "operator", strings.Repeat("x", types.MaxJoinReason+1)), types.CodeText)
	forged := declineOf(clara, "operator", "Which house?")
	forged.Reason = "Never."
	decline(forged, types.CodeSignature)
	decline(declineOf(joinOf("clara", "Clara", now.Add(time.Hour)), "operator", "Which house?"), types.CodeNotFound)
	state("nothing has happened", 1, "")
	first := declineOf(clara, "operator", "Which house?")
	decline(first, types.CodeOK)
	decline(first, types.CodeOK) // again
	decline(declineOf(clara, "operator", "Never."), types.CodeReplay)
	j = open()
	state("declined, after a restart", 0, "Which house?")
	if got := types.CodeOf(j.Add(t.Context(), client, clara)); got != types.CodeReplay {
		t.Errorf("the same request again: %s", got)
	}
	now = now.Add(joinPause - time.Millisecond)
	again := joinOf("clara", "Clara", now)
	if got := types.CodeOf(j.Add(t.Context(), client, again)); got != types.CodeQuota {
		t.Errorf("at once: %s", got)
	}
	now = now.Add(time.Millisecond)
	if err := j.Add(t.Context(), client, again); err != nil {
		t.Error(err)
	}
	state("asked again", 1, "")
	decline(first, types.CodeNotFound) // of the request before
	state("the old refusal was sent again", 1, "")
	admitted = true
	if _, _, err := j.State(t.Context(), party.Key("clara")); types.CodeOf(err) != types.CodeNotFound {
		t.Errorf("a member: %v", err)
	}
	admitted = false
	j.list = nil
	for i := range mostJoins { // refusals are bounded too
		who := fmt.Sprint("newcomer ", i)
		r := joinOf(who, who, now)
		j.list = append(j.list, keptJoin{Request: *r, Client: client, At: types.TimeOf(now), Decline: declineOf(r, "operator", "Not yet.")})
	}
	if err := j.Add(t.Context(), client, clara); err != nil {
		t.Fatal(err)
	}
	decline(first, types.CodeOK)
	if _, _, err := j.State(t.Context(), party.Key("newcomer 0")); types.CodeOf(err) != types.CodeNotFound || len(j.list) != mostJoins {
		t.Errorf("%d are kept, the oldest: %v", len(j.list), err)
	}
	if _, _, err := j.State(t.Context(), party.Key("newcomer 1")); err != nil {
		t.Error(err)
	}
}

// TestFloodOfJoins: a flood from the many networks of one provider or customer pushes out its own requests, and none of another network; in a network that
// floods, those that were there first stay.
func TestFloodOfJoins(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1_780_000_000_000)
	for name, flood := range map[string]func(i int) string{
		"16 networks of one customer":      func(i int) string { return fmt.Sprintf("2001:db8:1:%x::/64", i%16) },
		"many customers of one provider":   func(i int) string { return fmt.Sprintf("2001:db8:%x::/64", i) },
		"16 addresses of one IPv4 network": func(i int) string { return fmt.Sprintf("10.0.1.%d/32", i%16) },
		"many IPv4 networks of a provider": func(i int) string { return fmt.Sprintf("10.0.%d.1/32", i%256) },
	} {
		j, err := openJoins(filepath.Join(t.TempDir(), joinsFile), joinParams(), func(types.PublicKey) bool { return false })
		if err != nil {
			t.Fatal(err)
		}
		j.now = func() time.Time { return now }
		add := func(who, from string) error {
			return j.Add(t.Context(), netip.MustParsePrefix(from), joinOf(who, "x", now))
		}
		has := func(who string) bool {
			_, _, err := j.State(t.Context(), party.Key(who))
			return err == nil
		}
		for i := range mostJoins {
			j.list = append(j.list, keptJoin{Request: *joinOf(fmt.Sprint(name, i), "x", now), Client: netip.MustParsePrefix(flood(i)), At: types.TimeOf(now)})
		}
		for who, from := range map[string]string{"clara": "2001:db9::/64", "dora": "192.168.1.1/32", "emil": "192.169.1.1/32"} {
			if err := add(who, from); err != nil {
				t.Errorf("%s: %s is kept out: %v", name, who, err)
			}
		}
		for i := range 2 * mostJoins {
			_ = add(fmt.Sprint(name, mostJoins+i), flood(i)) // most are refused
		}
		if !has("clara") || !has("dora") || !has("emil") || !has(name+"0") || has(fmt.Sprint(name, mostJoins-1)) || len(j.list) != mostJoins {
			t.Errorf("%s: the flood has pushed out others, or the newest of its own are there: %d requests", name, len(j.list))
		}
	}
}
