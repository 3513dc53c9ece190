package node

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"lockstep/internal/ledgertest/party"
	"lockstep/types"
)

// joinOf is a request of a named party, valid for an hour.
func joinOf(who, called string, now time.Time) *types.JoinRequest {
	r := &types.JoinRequest{ChainID: "test", Member: types.Member{Key: party.Key(who), Name: called}, ValidUntil: types.TimeOf(now).Add(3_600_000)}
	r.Signature = party.Signature(who, r.Message()).Bytes
	return r
}

// TestJoins: each key has one request; it leaves when it runs out or its key is admitted. An address and the node have a bound.
func TestJoins(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(1_780_000_000_000)
	members := map[types.PublicKey]bool{}
	path := filepath.Join(t.TempDir(), joinsFile)
	open := func() *joins {
		t.Helper()
		j, err := openJoins(path, "test", func(key types.PublicKey) bool { return members[key] })
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
	add(999, joinOf("late", "late", now), types.CodeQuota)
	members[party.Key("newcomer 0")] = true
	add(999, joinOf("late", "late", now), types.CodeOK)

	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || info.Size() > maxJoinsFile/4 {
		t.Errorf("the file: %v, %v", info, err)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openJoins(path, "test", nil); err == nil {
		t.Error("a damaged file is read")
	}
}
