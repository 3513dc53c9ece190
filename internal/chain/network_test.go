package chain

import (
	"net"
	"testing"
)

// TestDialable: a peer says of itself where it listens. Only an address is passed on, and no name is looked up.
func TestDialable(t *testing.T) {
	t.Parallel()
	const id = "0123456789abcdef0123456789abcdef01234567"
	remote := net.ParseIP("192.0.2.7")
	for listen, want := range map[string]string{
		"203.0.113.5:26656":       "203.0.113.5:26656",
		"tcp://203.0.113.5:26656": "203.0.113.5:26656",
		"0.0.0.0:26656":           "192.0.2.7:26656",
		"tcp://[::]:26656":        "192.0.2.7:26656",
		"[2001:db8::1]:26656":     "[2001:db8::1]:26656",
		"203.0.113.5:0":           "",
		"slow.example:26656":      "",
		"[fe80::1%eth0]:26656":    "",
		"[fe80::1%\x1b[2J]:26656": "",
		"203.0.113.5:26656,x@y:1": "",
		"203.0.113.5":             "",
		"":                        "",
	} {
		if want != "" {
			want = id + "@" + want
		}
		if got := dialableAt(id, listen, remote); got != want {
			t.Errorf("%q: %q, want %q", listen, got, want)
		}
	}
	if got := dialableAt(id, "0.0.0.0:26656", nil); got != "" {
		t.Errorf("%q", got)
	}
}
