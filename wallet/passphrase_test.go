package wallet

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestPassphraseStrength(t *testing.T) {
	t.Parallel()
	for passphrase, fine := range map[string]bool{
		"correct horse battery":      true, // that of the documentation
		"k7#mQ2xv9":                  true,
		"":                           false,
		"password1234":               false,
		"aaaaaaaaaaaaaaaaaaaaaaaa":   false,
		"12345678901234567890":       false,
		"qwertyuiopasdfghjkl":        false,
		"lockstepwallet":             false,
		"Christmas2026":              false,
		strings.Repeat("a", 100_000): false, // and soon
	} {
		if err := CheckPassphrase(passphrase); (err == nil) != fine {
			t.Errorf("%.40q: %v", passphrase, err)
		}
	}
}

// TestOpenWithWeakPassphrase: a file written under a weaker rule still opens.
func TestOpenWithWeakPassphrase(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	w.passphrase = "seven77"
	if err := w.write(true); err != nil {
		t.Fatal(err)
	}
	again, err := Open(w.path, "seven77")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.AddAccount("roof"); err != nil {
		t.Error(err)
	}
}

func TestWorkFloor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		work  int
		quick bool
		fine  bool
	}{{MinWork - 1, false, false}, {MinWork, false, true}, {MaxWork, false, true}, {MaxWork + 1, false, false}, {-1, false, false}, {1, true, true}, {-1, true, false}} {
		if err := checkWork(c.work, c.quick); (err == nil) != c.fine {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if _, err := Create(filepath.Join(t.TempDir(), "w"), passphrase, Options{Work: MinWork - 1}); ReasonOf(err) != ReasonPassphrase {
		t.Errorf("a wallet below the floor: %v", err)
	}
}
