package node

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"lockstep/client/wire"
	"lockstep/internal/ledgertest/party"
	"lockstep/internal/outcomes"
	"lockstep/internal/query"
	"lockstep/types"
)

// holdings are the balances of a party, and its euros, one a page.
func holdings(t testing.TB, l *query.Ledger, name string) (coins []types.Coin, balances []wire.Balance) {
	t.Helper()
	answer, err := l.Balances(context.Background(), party.Key(name), nil, wire.Page{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	asset := party.Euro()
	for part := (wire.Page{Limit: 1}); ; {
		page, err := l.Coins(context.Background(), party.Key(name), asset.ID(), 0, part)
		if err != nil {
			t.Fatal(err)
		}
		coins = append(coins, page.Coins...)
		if part.After = page.Next; part.After == "" {
			return coins, answer.Balances
		}
	}
}

func TestUnknownObjects(t *testing.T) {
	t.Parallel()
	dir := initNode(t, quickParams())
	n, _ := start(t, dir)
	l := n.Ledger()
	_, receipt := l.Receipt(t.Context(), types.TxID{1})
	_, trade := l.Trade(t.Context(), types.TradeID{1})
	_, offer := l.Offer(t.Context(), types.OfferID{1})
	_, block := l.Block(t.Context(), 1<<50, false)
	for name, err := range map[string]error{"receipt": receipt, "trade": trade, "offer": offer, "block": block} {
		if types.CodeOf(err) != types.CodeNotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, trades := l.Trades(t.Context(), party.Key("peter"), false, wire.Page{After: "x", Limit: 1})
	_, offers := l.Offers(t.Context(), wire.Page{After: "x", Limit: 1})
	_, assets := l.Assets(t.Context(), "", wire.Page{After: "x", Limit: 1})
	_, coins := l.Coins(t.Context(), party.Key("peter"), types.AssetID{}, 0, wire.Page{After: "x", Limit: 1})
	_, balances := l.Balances(t.Context(), party.Key("peter"), nil, wire.Page{After: "x", Limit: 1})
	_, orders := l.KeyOrders(t.Context(), party.Key("peter"), wire.Page{After: "x", Limit: 1})
	_, records := l.Records(t.Context(), party.Key("peter"), wire.Page{After: "x", Limit: 1})
	for name, err := range map[string]error{
		"trades": trades, "offers": offers, "assets": assets, "coins": coins, "balances": balances, "orders": orders, "records": records,
	} {
		if types.CodeOf(err) != types.CodeMalformed {
			t.Errorf("%s after rubbish: %v", name, err)
		}
	}
	if coins, balances := holdings(t, l, "stranger"); len(coins)+len(balances) != 0 {
		t.Errorf("%+v, %+v", coins, balances)
	}
}

func TestEventsAndBlockBodies(t *testing.T) {
	t.Parallel()
	params := quickParams()
	n, _ := start(t, initNode(t, params))
	l := n.Ledger()
	tx := mint(params, 7, "peter")
	must(t, l, tx)
	receipt, err := l.Receipt(t.Context(), tx.ID())
	if err != nil || receipt.Status != wire.StatusCommitted {
		t.Fatalf("%+v, %v", receipt, err)
	}
	for block, err := range l.Events(t.Context(), receipt.Height) {
		if err != nil || block.Height != receipt.Height || len(block.Events) != 2 || block.Events[0].Tx != tx.ID() {
			t.Errorf("%+v, %v", block, err)
		}
		break
	}
	block, err := l.Block(t.Context(), receipt.Height, true)
	if err != nil || len(block.Txs) != 1 || block.Txs[0].Tx == nil || block.Txs[0].Tx.ID() != tx.ID() {
		t.Errorf("%+v, %v", block, err)
	}
	latest, err := l.Block(t.Context(), 0, false)
	if err != nil || latest.Height < block.Height {
		t.Errorf("%+v, %v", latest, err)
	}
	status, err := l.Status(t.Context())
	if err != nil || status.ChainID != "test" || status.Height < block.Height || status.Validators != 1 {
		t.Errorf("%+v, %v", status, err)
	}
	assets, err := l.Assets(t.Context(), "", wire.Page{Limit: 1})
	if err != nil || len(assets.Assets) != 1 || assets.Assets[0].Issued != 7 {
		t.Errorf("%+v, %v", assets, err)
	}
}

// TestProofFromADamagedSegment: a leaf that was altered on the disk is a fault of the node, and not sent as a proof that does not hold.
func TestProofFromADamagedSegment(t *testing.T) {
	t.Parallel()
	dir := initNode(t, quickParams())
	n, _ := start(t, dir)
	for i := range types.Amount(3) {
		must(t, n.Ledger(), mint(n.Params(), i+1, "peter"))
	}
	ask := func(want error) {
		t.Helper()
		if _, err := n.Ledger().LeafProof(t.Context(), 2); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	ask(nil)
	file := filepath.Join(dir, storeFolder, "outcomes", "segment-000000000")
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)*5/8] ^= 1 // of four leaves that are alike in length
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	ask(outcomes.ErrDamaged)
}
