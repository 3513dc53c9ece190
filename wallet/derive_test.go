package wallet

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
	"pgregory.net/rapid"

	"lockstep/trade"
	"lockstep/types"
)

// The test vectors that SLIP-0010 publishes for Ed25519: chain code, private and public key of every place.
func TestSLIP0010Vectors(t *testing.T) {
	t.Parallel()
	type step struct {
		path                   []uint32
		chain, private, public string
	}
	for i, vector := range []struct {
		seed  string
		steps []step
	}{
		{"000102030405060708090a0b0c0d0e0f", []step{
			{[]uint32{},
				"90046a93de5380a72b5e45010748567d5ea02bbf6522f979e05c0d8d8ca9fffb",
				"2b4be7f19ee27bbf30c667b642d5f4aa69fd169872f8fc3059c08ebae2eb19e7",
				"a4b2856bfec510abab89753fac1ac0e1112364e7d250545963f135f2a33188ed"},
			{[]uint32{0},
				"8b59aa11380b624e81507a27fedda59fea6d0b779a778918a2fd3590e16e9c69",
				"68e0fe46dfb67e368c75379acec591dad19df3cde26e63b93a8e704f1dade7a3",
				"8c8a13df77a28f3445213a0f432fde644acaa215fc72dcdf300d5efaa85d350c"},
			{[]uint32{0, 1},
				"a320425f77d1b5c2505a6b1b27382b37368ee640e3557c315416801243552f14",
				"b1d0bad404bf35da785a64ca1ac54b2617211d2777696fbffaf208f746ae84f2",
				"1932a5270f335bed617d5b935c80aedb1a35bd9fc1e31acafd5372c30f5c1187"},
			{[]uint32{0, 1, 2},
				"2e69929e00b5ab250f49c3fb1c12f252de4fed2c1db88387094a0f8c4c9ccd6c",
				"92a5b23c0b8a99e37d07df3fb9966917f5d06e02ddbd909c7e184371463e9fc9",
				"ae98736566d30ed0e9d2f4486a64bc95740d89c7db33f52121f8ea8f76ff0fc1"},
			{[]uint32{0, 1, 2, 2},
				"8f6d87f93d750e0efccda017d662a1b31a266e4a6f5993b15f5c1f07f74dd5cc",
				"30d1dc7e5fc04c31219ab25a27ae00b50f6fd66622f6e9c913253d6511d1e662",
				"8abae2d66361c879b900d204ad2cc4984fa2aa344dd7ddc46007329ac76c429c"},
			{[]uint32{0, 1, 2, 2, 1000000000},
				"68789923a0cac2cd5a29172a475fe9e0fb14cd6adb5ad98a3fa70333e7afa230",
				"8f94d394a8e8fd6b1bc2f3f49f5c47e385281d5c17e65324b0f62483e37e8793",
				"3c24da049451555d51a7014a37337aa4e12d41e485abccfa46b47dfb2af54b7a"},
		}},
		{"fffcf9f6f3f0edeae7e4e1dedbd8d5d2cfccc9c6c3c0bdbab7b4b1aeaba8a5a29f9c999693908d8a8784817e7b7875726f6c696663605d5a5754514e4b484542", []step{
			{[]uint32{},
				"ef70a74db9c3a5af931b5fe73ed8e1a53464133654fd55e7a66f8570b8e33c3b",
				"171cb88b1b3c1db25add599712e36245d75bc65a1a5c9e18d76f9f2b1eab4012",
				"8fe9693f8fa62a4305a140b9764c5ee01e455963744fe18204b4fb948249308a"},
			{[]uint32{0},
				"0b78a3226f915c082bf118f83618a618ab6dec793752624cbeb622acb562862d",
				"1559eb2bbec5790b0c65d8693e4d0875b1747f4970ae8b650486ed7470845635",
				"86fab68dcb57aa196c77c5f264f215a112c22a912c10d123b0d03c3c28ef1037"},
			{[]uint32{0, 2147483647},
				"138f0b2551bcafeca6ff2aa88ba8ed0ed8de070841f0c4ef0165df8181eaad7f",
				"ea4f5bfe8694d8bb74b7b59404632fd5968b774ed545e810de9c32a4fb4192f4",
				"5ba3b9ac6e90e83effcd25ac4e58a1365a9e35a3d3ae5eb07b9e4d90bcf7506d"},
			{[]uint32{0, 2147483647, 1},
				"73bd9fff1cfbde33a1b846c27085f711c0fe2d66fd32e139d3ebc28e5a4a6b90",
				"3757c7577170179c7868353ada796c839135b3d30554bbb74a4b1e4a5a58505c",
				"2e66aa57069c86cc18249aecf5cb5a9cebbfd6fadeab056254763874a9352b45"},
			{[]uint32{0, 2147483647, 1, 2147483646},
				"0902fe8a29f9140480a00ef244bd183e8a13288e4412d8389d140aac1794825a",
				"5837736c89570de861ebc173b1086da4f505d4adb387c6a1b1342d5e4ac9ec72",
				"e33c0f7d81d843c572275f287498e8d408654fdf0d1e065b84e2e6f157aab09b"},
			{[]uint32{0, 2147483647, 1, 2147483646, 2},
				"5d70af781f3a37b829f0d060924d5e960bdc02e85423494afc0b1a41bbe196d4",
				"551d333177df541ad876a60ea71f00447931c0a9da16f227c11ea080d7391b8d",
				"47150c75db263559a70d5778bf36abbab30fb061ad69f69ece61a72b0cfa4fc0"},
		}},
	} {
		for _, want := range vector.steps {
			n := masterNode(unhex(t, vector.seed))
			for _, index := range want.path {
				n = n.child(index)
			}
			public := n.privateKey().Public().(ed25519.PublicKey)
			got := fmt.Sprintf("%x %x %x", n.chain, n.key, public)
			if wanted := want.chain + " " + want.private + " " + want.public; got != wanted {
				t.Errorf("vector %d, path %v:\n got %s\nwant %s", i+1, want.path, got, wanted)
			}
		}
	}
}

// The vectors of 24 words that the authors of BIP-39 publish; their passphrase is TREZOR.
func TestBIP39Vectors(t *testing.T) {
	t.Parallel()
	for _, vector := range []struct{ entropy, words, seed string }{
		{
			"0000000000000000000000000000000000000000000000000000000000000000",
			"abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon art",
			"bda85446c68413707090a52022edd26a1c9462295029f2e60cd7c4f2bbd3097170af7a4d73245cafa9c3cca8d561a7c3de6f5d4a10be8ed2a5e608d68f92fcc8",
		},
		{
			"7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
			"legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth title",
			"bc09fca1804f7e69da93c2f2028eb238c227f2e9dda30cd63699232578480a4021b146ad717fbb7e451ce9eb835f43620bf5c514db0f8add49f5d121449d3e87",
		},
		{
			"8080808080808080808080808080808080808080808080808080808080808080",
			"letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic bless",
			"c0c519bd0e91a2ed54357d9d1ebef6f5af218a153624cf4f2da911a0ed8f7a09e2ef61af0aca007096df430022f7a2b6fb91661a9589097069720d015e4e982f",
		},
		{
			"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
			"zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo vote",
			"dd48c104698c30cfe2b6142103248622fb7bb0ff692eebb00089b32d22484e1613912f0a5b694407be899ffd31ed3992c456cdf60f5d4564b8ba3f05a69890ad",
		},
		{
			"3e141609b97933b66a060dcddc71fad1d91677db872031e85f4c015c5e7e8982",
			"dignity pass list indicate nasty swamp pool script soccer toe leaf photo multiply desk host tomato cradle drill spread actor shine dismiss champion exotic",
			"ff7f3184df8696d8bef94b6c03114dbee0ef89ff938712301d27ed8336ca89ef9635da20af07d4175f2bf5f3de130f39c9d9e8dd0472489c19b1a020a940da67",
		},
		{
			"2c85efc7f24ee4573d2b81a6ec66cee209b2dcbd09d8eddc51e0215b0b68e416",
			"clutch control vehicle tonight unusual clog visa ice plunge glimpse recipe series open hour vintage deposit universe tip job dress radar refuse motion taste",
			"fe908f96f46668b2d5b37d82f558c77ed0d69dd0e7e043a5b0511c48c2f1064694a956f86360c93dd04052a8899497ce9e985ebe0c8c52b955e6ae86d4ff4449",
		},
		{
			"4fa1a8bc3e6d80ee1316050e862c1812031493212b7ec3f3bb1b08f168cabeef",
			"exile ask congress lamp submit jacket era scheme attend cousin alcohol catch course end lucky hurt sentence oven short ball bird grab wing top",
			"095ee6f817b4c2cb30a5a797360a81a40ab0f9a4e25ecd672a3f58a0b5ba0687c096a6b14d2c0deb3bdefce4f61d01ae07417d502429352e27695163f7447a8c",
		},
		{
			"15da872c95a13dd738fbf50e427583ad61f18fd99f628c417a61cf8343c90419",
			"beyond stage sleep clip because twist token leaf atom beauty genius food business side grid unable middle armed observe pair crouch tonight away coconut",
			"b15509eaa2d09d3efd3e006ef42151b30367dc6e3aa5e44caba3fe4d3e352e65101fbdb86a96776b91946ff06f8eac594dc6ee1d3e82a42dfe1b40fef6bcc3fd",
		},
	} {
		seed, err := ParseWords(vector.words, "TREZOR")
		if err != nil {
			t.Fatalf("%s: %v", vector.words, err)
		}
		if got := hex.EncodeToString(seed.entropy[:]); got != vector.entropy {
			t.Errorf("%s: entropy %s, want %s", vector.words, got, vector.entropy)
		}
		if got := hex.EncodeToString(seed.master); got != vector.seed {
			t.Errorf("%s: seed %s, want %s", vector.words, got, vector.seed)
		}
		if seed.Words() != vector.words {
			t.Errorf("got the words %s, want %s", seed.Words(), vector.words)
		}
	}
}

const artWords = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon " +
	"abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon art"

// Keys and secrets must never change, or words would restore nothing: these are frozen.
func TestFrozenKeysAndSecrets(t *testing.T) {
	t.Parallel()
	seed, err := ParseWords(artWords, "")
	if err != nil {
		t.Fatal(err)
	}
	for index, want := range map[uint32]string{
		0: "lk1a0g2g643am6f7c90lxg6kusucv0v9yfnjr8rj7ksp6x8z4sam3ps60awy8",
		1: "lk10dznmu07lnef4jegzg6c26jat2tsd6yfrwwxtkys8uvesyugvhyqakgc7v",
	} {
		account, err := seed.Account(index, DefaultLimits())
		if err != nil || account.Key().String() != want {
			t.Errorf("account %d: got %s (%v), want %s", index, account.Key(), err, want)
		}
	}
	trade := types.TradeID{1, 2, 3}
	const want = "aa7f7245abd52e784f64a28f96414f485f5f9917cad9be75fe17cb98413f1e70"
	if got, _ := seed.Secret(trade).MarshalText(); string(got) != want {
		t.Errorf("secret: got %s, want %s", got, want)
	}
	if _, err := seed.Account(MaxAccount+1, Limits{}); ReasonOf(err) != ReasonAccount {
		t.Errorf("an account beyond the last: %v", err)
	}
}

// The secrets of bids must never change either, and each part of a place changes them.
func TestFrozenLeafSecrets(t *testing.T) {
	t.Parallel()
	seed, err := ParseWords(artWords, "")
	if err != nil {
		t.Fatal(err)
	}
	at := place{"town", types.ProductID{1}, types.PublicKey{2}, 3}
	const want = "1172568f7fc9f0115c3e1759c8e67dac68e1d881f08a55246fca41aaaa5f24ba"
	if got, _ := seed.leafSecret(&at, 4).MarshalText(); string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	seen := map[types.Secret]string{seed.leafSecret(&at, 4): "the place itself"}
	for name, other := range map[string]place{
		"ledger":  {"town2", at.product, at.owner, at.number},
		"product": {at.chainID, types.ProductID{2}, at.owner, at.number},
		"owner":   {at.chainID, at.product, types.PublicKey{3}, at.number},
		"number":  {at.chainID, at.product, at.owner, 4},
	} {
		secret := seed.leafSecret(&other, 4)
		if as, known := seen[secret]; known {
			t.Errorf("another %s has the secret of %s", name, as)
		}
		seen[secret] = name
	}
	if _, known := seen[seed.leafSecret(&at, 5)]; known {
		t.Error("another leaf has a secret that is known")
	}
}

// A tree has a leaf for each lot, up to 256; each secret opens its own leaf alone.
func TestBidTree(t *testing.T) {
	t.Parallel()
	for lots, want := range map[uint64]uint8{0: 0, 1: 0, 2: 1, 3: 2, 4: 2, 5: 3, 128: 7, 129: 8, 256: 8, 257: 8, 1 << 43: 8} {
		if got := depthOf(lots); got != want {
			t.Errorf("%d lots: a depth of %d, want %d", lots, got, want)
		}
	}
	seed, err := NewSeed(rand.Reader, "")
	if err != nil {
		t.Fatal(err)
	}
	at := place{chainID: "town"}
	tree := seed.bidTree(&at, 3)
	for leaf := range uint16(8) {
		deal := types.Trade{Agreement: types.Agreement{Instalments: 1, Nonce: types.MatchNonce | uint64(leaf)}, Digest: tree.Root(), Depth: 3}
		for other := range uint16(8) {
			if opens := trade.Opens(&deal, 1, seed.leafSecret(&at, other), tree.Path(leaf)); opens != (leaf == other) {
				t.Errorf("leaf %d, the secret of leaf %d: %t", leaf, other, opens)
			}
		}
	}
}

func BenchmarkBidTree(b *testing.B) {
	seed, err := NewSeed(rand.Reader, "")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		seed.bidTree(&place{chainID: "town"}, types.MaxDigestDepth)
	}
}

func TestInstalmentPreimages(t *testing.T) {
	t.Parallel()
	seed, err := NewSeed(rand.Reader, "")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint16Range(1, types.MaxInstalments).Draw(t, "n")
		k := rapid.Uint16Range(1, n).Draw(t, "k")
		id := types.TradeID{byte(n), byte(k)}
		deal := types.Trade{Agreement: types.Agreement{Instalments: n}, Digest: seed.Secret(id).Digest(int(n))}
		if !trade.Opens(&deal, k, seed.Preimage(id, k, n), nil) {
			t.Fatalf("the preimage of instalment %d of %d does not open it", k, n)
		}
		if k > 1 && trade.Opens(&deal, k-1, seed.Preimage(id, k, n), nil) {
			t.Fatalf("the preimage of instalment %d of %d opens the one before directly", k, n)
		}
	})
}

func TestWrongWords(t *testing.T) {
	t.Parallel()
	words := strings.Fields(artWords)
	change := func(i int, word string) string {
		changed := append([]string{}, words...)
		changed[i] = word
		return strings.Join(changed, " ")
	}
	for _, c := range []struct{ name, words, say string }{
		{"unknown", change(6, "abandonn"), "word 7 is not"},
		{"last unknown", change(23, "artt"), "word 24 is not"},
		{"checksum", change(3, "zoo"), "checksum is wrong"},
		{"too few", strings.Join(words[:23], " "), "there are 23 words"},
		{"twelve", strings.Join(words[:12], " "), "there are 12 words"},
		{"none", "", "there are 0 words"},
		{"too many", artWords + " art", "there are 25 words"},
	} {
		_, err := ParseWords(c.words, "")
		if ReasonOf(err) != ReasonWords || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: %v", c.name, err)
		}
		if err != nil && strings.Contains(err.Error(), "abandonn") {
			t.Errorf("%s: the error quotes a word: %v", c.name, err)
		}
	}
	if _, err := ParseWords("  "+strings.ToUpper(strings.ReplaceAll(artWords, " ", "\n\t"))+" ", ""); err != nil {
		t.Errorf("capitals and white space: %v", err)
	}
	if _, err := ParseWords(artWords, "\xff"); ReasonOf(err) != ReasonWords {
		t.Errorf("an extra passphrase that is not text: %v", err)
	}
}

// By BIP-39 the passphrase is normalised: the two ways to write é are one.
func TestExtraPassphraseNormalisation(t *testing.T) {
	t.Parallel()
	composed, err1 := ParseWords(artWords, "caf\u00e9")
	split, err2 := ParseWords(artWords, "cafe\u0301")
	plain, err3 := ParseWords(artWords, "")
	if err1 != nil || err2 != nil || err3 != nil {
		t.Fatal(err1, err2, err3)
	}
	if string(composed.master) != string(split.master) {
		t.Error("two ways to write one passphrase give two wallets")
	}
	if string(composed.master) == string(plain.master) {
		t.Error("the extra passphrase changes nothing")
	}
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEphemeralAccounts(t *testing.T) {
	t.Parallel()
	one, err := Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	if other, err := Ephemeral(); err != nil || other.Key() == one.Key() {
		t.Errorf("two accounts with key %s: %v", one.Key(), err)
	}
}
