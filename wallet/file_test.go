package wallet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"lockstep/types"
)

const (
	passphrase = "correct horse battery"
	quick      = 1 // the least work that age takes: tests are not attacked
)

func newWallet(t *testing.T) *Wallet {
	t.Helper()
	w, err := Create(filepath.Join(t.TempDir(), "wallet.age"), passphrase, Options{Work: quick, Quick: true})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func open(t *testing.T, w *Wallet) *Wallet {
	t.Helper()
	again, err := Open(w.path, passphrase)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func key(t *testing.T, w *Wallet, index uint32) types.PublicKey {
	t.Helper()
	account, err := w.Account(index)
	if err != nil {
		t.Fatal(err)
	}
	return account.Key()
}

func TestFileRoundTrip(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	roof, err := w.AddAccount("roof")
	if err != nil {
		t.Fatal(err)
	}
	limits := Limits{Losses: []LossLimit{{Asset: types.AssetID{7}, Most: 5}}, MinBond: 100, AllowNoBond: true, MaxDeposit: 2500}
	if err := w.SetLimits(limits); err != nil {
		t.Fatal(err)
	}
	again := open(t, w)
	if again.Words() != w.Words() || key(t, again, 0) != key(t, w, 0) || key(t, again, 1) != roof.Key() {
		t.Error("the file gives other words or keys")
	}
	if got := again.Limits(); fmt.Sprint(got) != fmt.Sprint(limits) {
		t.Errorf("got the limits %v, want %v", got, limits)
	}
	if got := again.Accounts(); len(got) != 2 || got[1].Name != "roof" || got[1].Index != 1 {
		t.Errorf("got the accounts %v", got)
	}
	if _, err := again.Account(2); ReasonOf(err) != ReasonAccount {
		t.Errorf("an account that was not added: %v", err)
	}
	same, _ := again.Account(1)
	if twice, _ := again.Account(1); twice != same {
		t.Error("an account has two values, which would know different coins in use")
	}
	info, err := os.Stat(w.path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(w.path)); len(entries) != 1 {
		t.Errorf("something is left over: %v", entries)
	}
}

func TestRestoredKeysAndSecrets(t *testing.T) {
	t.Parallel()
	first, err := Create(filepath.Join(t.TempDir(), "a"), passphrase, Options{Work: quick, Quick: true, Extra: "more"})
	if err != nil {
		t.Fatal(err)
	}
	restore := func(extra string) *Wallet {
		w, err := Restore(filepath.Join(t.TempDir(), "b"), first.Words(), "another passphrase", Options{Work: quick, Quick: true, Extra: extra})
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	trade := types.TradeID{5}
	second, third := restore("more"), restore("")
	if key(t, first, 0) != key(t, second, 0) || first.seed.Secret(trade) != second.seed.Secret(trade) || !second.HasExtra() {
		t.Error("the words restore another wallet")
	}
	if key(t, first, 0) == key(t, third, 0) || first.seed.Secret(trade) == third.seed.Secret(trade) {
		t.Error("the extra passphrase changes nothing")
	}
	if open(t, first).HasExtra() != true || key(t, open(t, first), 0) != key(t, first, 0) {
		t.Error("the file forgets the extra passphrase")
	}
}

func TestCreateOverExistingFile(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	before, _ := os.ReadFile(w.path)
	if _, err := Create(w.path, passphrase, Options{Work: quick, Quick: true}); ReasonOf(err) != ReasonExists {
		t.Errorf("create: %v", err)
	}
	if _, err := Restore(w.path, artWords, passphrase, Options{Work: quick, Quick: true}); ReasonOf(err) != ReasonExists {
		t.Errorf("restore: %v", err)
	}
	if err := writeFile(w.path, []byte("x"), false); ReasonOf(err) != ReasonExists { // made between the look and the write
		t.Errorf("write: %v", err)
	}
	if after, _ := os.ReadFile(w.path); !bytes.Equal(before, after) {
		t.Error("the file was changed")
	}
}

func TestPassphrases(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "w")
	if _, err := Create(path, "summer2026", Options{Work: quick, Quick: true}); ReasonOf(err) != ReasonPassphrase {
		t.Errorf("a passphrase that is soon guessed: %v", err)
	}
	if _, err := Restore(path, artWords, "summer2026", Options{Work: quick, Quick: true}); ReasonOf(err) != ReasonPassphrase {
		t.Errorf("restored under a passphrase that is soon guessed: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("a refused wallet left a file")
	}
	w := newWallet(t)
	for _, wrong := range []string{"", "correct horse", passphrase + " "} {
		if _, err := Open(w.path, wrong); ReasonOf(err) != ReasonPassphrase {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if err := w.ChangePassphrase("short"); ReasonOf(err) != ReasonPassphrase {
		t.Errorf("changed to a short one: %v", err)
	}
	if err := w.ChangePassphrase("another one of these"); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(w.path, passphrase); ReasonOf(err) != ReasonPassphrase {
		t.Errorf("the old passphrase: %v", err)
	}
	if again, err := Open(w.path, "another one of these"); err != nil || again.Words() != w.Words() {
		t.Errorf("the new passphrase: %v", err)
	}
}

func TestOpenRefusals(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	folder := filepath.Dir(w.path)
	if _, err := Open(filepath.Join(folder, "none"), passphrase); ReasonOf(err) != ReasonMissing {
		t.Errorf("no file: %v", err)
	}
	if _, err := Open(folder, passphrase); ReasonOf(err) != ReasonNotWallet {
		t.Errorf("a folder: %v", err)
	}
	for name, file := range map[string][]byte{
		"empty": nil, "text": []byte("hello"), "age, but of other content": encryptAny(t, []byte("my diary")),
		"age, for a key": encryptForKey(t), "too large": append([]byte(ageHeader), make([]byte, maxFileBytes)...),
	} {
		path := filepath.Join(t.TempDir(), "w")
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, passphrase); ReasonOf(err) != ReasonNotWallet {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.Chmod(w.path, 0o640); err != nil {
		t.Fatal(err)
	}
	_, err := Open(w.path, passphrase)
	if ReasonOf(err) != ReasonPermissions || !strings.Contains(err.Error(), "chmod 600 "+w.path) {
		t.Errorf("readable by others: %v", err)
	}
}

func encryptAny(t testing.TB, plain []byte) []byte {
	t.Helper()
	recipient, err := newRecipient(passphrase, quick)
	if err != nil {
		t.Fatal(err)
	}
	return encryptFor(t, plain, recipient)
}

func encryptForKey(t testing.TB) []byte {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return encryptFor(t, []byte("x"), identity.Recipient())
}

func encryptFor(t testing.TB, plain []byte, recipient age.Recipient) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := age.Encrypt(&out, recipient)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, bytes.NewReader(plain)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Content that decrypts is still not trusted.
func TestContentOutOfBounds(t *testing.T) {
	t.Parallel()
	good := content{Mark: walletMark, Work: quick, Accounts: []AccountInfo{{Name: "main"}}}
	for name, c := range map[string]struct {
		change func(*content)
		want   Reason
	}{
		"fine":            {func(*content) {}, ""},
		"another version": {func(c *content) { c.Mark = "lockstep wallet v5" }, ReasonNotWallet},
		"no accounts":     {func(c *content) { c.Accounts = nil }, ReasonDamaged},
		"an account twice": {func(c *content) {
			c.Accounts = []AccountInfo{{Name: "a"}, {Name: "b"}}
		}, ReasonDamaged},
		"an account too far": {func(c *content) { c.Accounts[0].Index = MaxAccount + 1 }, ReasonDamaged},
		"a name with codes":  {func(c *content) { c.Accounts[0].Name = "\x1b[2J" }, ReasonDamaged},
		"no work":            {func(c *content) { c.Work = 0 }, ReasonDamaged},
		"too much work":      {func(c *content) { c.Work = MaxWork + 1 }, ReasonDamaged},
		"too many limits":    {func(c *content) { c.Limits.Losses = make([]LossLimit, maxLosses+1) }, ReasonDamaged},
	} {
		changed := good
		changed.Accounts = append([]AccountInfo{}, good.Accounts...)
		c.change(&changed)
		if _, err := decrypt(encryptAny(t, types.Encode(&changed)), passphrase, MaxWork); ReasonOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A file with any one byte changed, cut anywhere, or with a byte more, is refused with a reason.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	file, err := os.ReadFile(w.path)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what string, damaged []byte) {
		_, err := decrypt(damaged, passphrase, 10)
		switch ReasonOf(err) {
		case ReasonDamaged, ReasonNotWallet, ReasonPassphrase:
		default:
			t.Errorf("%s: %v", what, err)
		}
	}
	for i := range file {
		for _, bit := range []byte{1, 0x80} {
			damaged := bytes.Clone(file)
			damaged[i] ^= bit
			refused(fmt.Sprintf("byte %d changed", i), damaged)
		}
		refused(fmt.Sprintf("cut to %d bytes", i), file[:i])
	}
	refused("a byte more", append(bytes.Clone(file), 0))
	if _, err := decrypt(file, passphrase, 10); err != nil {
		t.Errorf("the file itself: %v", err)
	}
	last := bytes.Clone(file)
	last[len(last)-1] ^= 1
	if _, err := decrypt(last, passphrase, 10); ReasonOf(err) != ReasonDamaged {
		t.Errorf("with the passphrase right, damage is called damage: %v", err)
	}
}

// A file that asks for more work than is sane is refused before it is done.
func TestWorkBound(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	file, err := os.ReadFile(w.path)
	if err != nil {
		t.Fatal(err)
	}
	header, rest, _ := bytes.Cut(file, []byte(" 1\n"))
	greedy := bytes.Join([][]byte{header, rest}, []byte(" 21\n"))
	if _, err := decrypt(greedy, passphrase, MaxWork); ReasonOf(err) != ReasonDamaged {
		t.Errorf("got %v", err)
	}
	if _, err := Create(filepath.Join(t.TempDir(), "w"), passphrase, Options{Work: MaxWork + 1}); err == nil {
		t.Error("a wallet was created that would not be opened")
	}
}

func FuzzDecrypt(f *testing.F) {
	good := content{Mark: walletMark, Work: quick, Accounts: []AccountInfo{{Name: "main"}}}
	f.Add(encryptAny(f, types.Encode(&good)), false)
	f.Add(encryptAny(f, nil), false)
	f.Add(encryptForKey(f), false)
	f.Add(types.Encode(&good), true) // as the content of a good file
	f.Fuzz(func(t *testing.T, file []byte, inside bool) {
		if inside {
			file = encryptAny(t, file)
		}
		c, err := decrypt(file, passphrase, 4)
		if err != nil {
			if ReasonOf(err) == "" {
				t.Fatalf("refused without a reason: %v", err)
			}
			return
		}
		if _, err := decrypt(encryptAny(t, types.Encode(c)), passphrase, 4); err != nil {
			t.Fatalf("what was read can't be written: %v", err)
		}
	})
}
