package types_test

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lockstep/types"
	"lockstep/types/canon"
)

var update = flag.Bool("update", false, "write testdata anew; the difference is a change of protocol")

// A vector is one domain value in every form in which it leaves the program.
type vector struct {
	name  string
	value canon.Value // a pointer to the domain type
	id    fmt.Stringer
}

func vectors() []vector {
	agreement, offer, asset, trade, body, params := sampleAgreement(), sampleOffer(), sampleAsset(), sampleTrade(), sampleBody(), sampleParams()
	registered, point, slot := sampleMeter(), samplePoint(), sampleSlot()
	product, order, bid, grid, auction := sampleProduct(), sampleOrder(), sampleBid(), sampleGrid(), sampleAuction()
	params.Operators = []types.PublicKey{keyOf("operator")}
	params.Genesis = []types.GenesisAsset{{Asset: asset, Least: 10, Supply: 1_000}}
	arbiter, meter := agreement, agreement
	arbiter.Fallback, meter.Fallback = &types.Arbiter{Key: keyOf("arbiter")}, &types.Meter{}
	governance, decision := sampleGovernance(), sampleDecision()
	list := []vector{
		{"asset", &asset, asset.ID()},
		{"agreement/hold", &agreement, agreement.ID()},
		{"agreement/meter", &meter, meter.ID()},
		{"agreement/arbiter", &arbiter, arbiter.ID()},
		{"offer", &offer, offer.ID()},
		{"trade", &trade, trade.ID()},
		{"params", &params, params.Hash()},
		{"meter", &registered, registered.ID()},
		{"point", &point, point.ID()},
		{"slot", &slot, nil},
		{"asset_state", &types.AssetState{Asset: asset, Issued: 100_000, Fees: 12, Recognised: noon, Least: 10, Uses: 3}, nil},
		{"purse", &types.Purse{Amount: 300, Kind: types.PurseAccepted}, nil},
		{"usage", &types.Usage{Coins: 1, Assets: 2, Accepted: 3, Unasked: 4, Offers: 5, Orders: 6, Trades: 7}, nil},
		{"standing_offer", &types.StandingOffer{Offer: offer, Remaining: 900, Stake: 585}, nil},
		{"output/key", &types.Output{Asset: assetID(), Amount: 1, Lock: types.ToKey(keyOf("consumer"))}, nil},
		{"event", &types.Event{
			Kind: types.EventPaid, Height: 12, At: noon, Tx: types.TxID{1}, Trade: agreement.ID(), Keys: []types.PublicKey{keyOf("producer")},
		}, nil},
		{"product", &product, product.ID()},
		{"order", &order, order.ID()},
		{"order/bid", &bid, bid.ID()},
		{"grid", &grid, nil},
		{"placed_order", &types.PlacedOrder{Order: order, Tx: types.TxID{1}, Height: 12}, nil},
		{"book", &types.Book{Product: product, Orders: 2}, nil},
		{"record", &types.Conduct{Kept: 900, Failed: 100, Fills: 9, Refunds: 2, Disputes: 3, Excused: 4}, nil},
		{"auction", &auction, nil},
		{"governance", &governance, nil},
		{"decided", &types.Decided{Number: 3, Height: 12, At: noon, Tx: types.TxID{4}, Signers: []types.PublicKey{keyOf("operator")}, Decision: decision}, decision.ID()},
		{"body", &body, nil},
	}
	for _, outcome := range sampleOutcomes() {
		list = append(list, vector{"outcome/" + types.EffectKind(outcome.Effects[0]), &outcome, nil})
	}
	for _, action := range sampleActions() {
		one := types.Body{ChainID: "samplestadt", ValidUntil: noon, Actions: []types.Action{action}}
		list = append(list, vector{"body/" + types.ActionKind(action), &one, types.NewTx(one).ID()})
	}
	return list
}

// TestVectors holds every encoding, ID, key text and signature against testdata: a change there is a fork of the protocol.
func TestVectors(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	out.WriteString("# Frozen vectors: a program that speaks the protocol gets exactly these. Written by go test -run TestVectors -update.\n")
	for _, v := range vectors() {
		text, err := json.Marshal(v.value)
		if err != nil {
			t.Fatalf("%s: %v", v.name, err)
		}
		fmt.Fprintf(&out, "\nname %s\njson %s\ncbor %x\n", v.name, text, types.Encode(v.value))
		if v.id != nil {
			fmt.Fprintf(&out, "id   %s\n", v.id)
		}
	}
	writeTxVectors(&out)

	path := filepath.Join("testdata", "vectors.txt")
	if *update {
		if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	frozen, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(frozen), "\n"), strings.Split(out.String(), "\n")); diff != "" {
		t.Errorf("the protocol has changed (- frozen, + now):\n%s", diff)
	}
}

func writeTxVectors(out *strings.Builder) {
	release := types.NewRelease("samplestadt", types.Release{Trade: types.TradeID{1}, Instalment: 5, Preimage: sampleSecret()})
	for _, v := range []struct {
		name string
		tx   *types.Tx
	}{{"tx/signed", sampleTx()}, {"tx/release, unsigned", release}} {
		fmt.Fprintf(out, "\nname %s\ncbor %x\nbody %x\nid   %s\nhash %s\n", v.name, v.tx.Bytes(), v.tx.BodyBytes(), v.tx.ID(), v.tx.Hash())
		fmt.Fprintf(out, "message %x\n", types.SigningMessage(v.tx.BodyBytes()))
		for _, signature := range v.tx.Signatures {
			fmt.Fprintf(out, "signature %x by %s\n", signature.Bytes[:], signature.Key)
		}
	}
	agree, split := sampleAgree(), sampleSplit()
	fmt.Fprintf(out, "\nname message of an agreement's mandates\nmessage %x\n", agree.Message("samplestadt"))
	fmt.Fprintf(out, "\nname message of a split's mandates\nmessage %x\n", split.Message("samplestadt"))
	decision := sampleDecision()
	fmt.Fprintf(out, "\nname message of a decision of operators\nmessage %x\n", decision.Message())
	fmt.Fprintf(out, "\nname message of a validator's consent\nmessage %x\n",
		types.ConsentMessage("samplestadt", keyOf("validator"), types.Checkpoint{Height: 400, Hash: types.Hash{5}, Until: noon}))
	for _, name := range []string{"issuer", "producer", "consumer", "arbiter"} {
		key := keyOf(name)
		fmt.Fprintf(out, "\nname key/%s\nseed %x\nkey  %x\ntext %s\n", name, signer(name).Seed(), key[:], key)
	}
	secret := sampleSecret()
	fmt.Fprintf(out, "\nname digest, applied 5 times\nsecret %x\ndigest %s\n", secret[:], secret.Digest(5))
}

// TestVectorsRead goes the other way: frozen CBOR and JSON decode to the original value.
func TestVectorsRead(t *testing.T) {
	t.Parallel()
	frozen, err := os.ReadFile(filepath.Join("testdata", "vectors.txt"))
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]map[string]string{}
	for block := range strings.SplitSeq(string(frozen), "\n\n") {
		lines := map[string]string{}
		for line := range strings.Lines(block) {
			name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			lines[name] = strings.TrimSpace(value)
		}
		fields[lines["name"]] = lines
	}
	for _, v := range vectors() {
		encoded, err := hex.DecodeString(fields[v.name]["cbor"])
		if err != nil || len(encoded) == 0 {
			t.Fatalf("%s: no vector (%v)", v.name, err)
		}
		fromCBOR, fromJSON := fresh(v.value), fresh(v.value)
		if err := types.Decode(encoded, fromCBOR); err != nil {
			t.Errorf("%s: %v", v.name, err)
		}
		if err := json.Unmarshal([]byte(fields[v.name]["json"]), fromJSON); err != nil {
			t.Errorf("%s: %v", v.name, err)
		}
		for form, got := range map[string]any{"CBOR": fromCBOR, "JSON": fromJSON} {
			if diff := cmp.Diff(v.value, got, equal...); diff != "" {
				t.Errorf("%s from %s:\n%s", v.name, form, diff)
			}
		}
	}
}
