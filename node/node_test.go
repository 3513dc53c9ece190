package node_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"lockstep/node"
	"lockstep/types"
)

func TestNodeStartsCommitsAndStartsAgain(t *testing.T) {
	t.Parallel()
	params := quickParams()
	dir := initNode(t, params)
	n, stop := start(t, dir)
	issue := mint(params, 1000, "peter", "clara")
	must(t, n.Ledger(), issue)
	stop()

	n, stop = start(t, dir)
	pay := body(params)
	pay.Inputs = []types.Outpoint{{Tx: issue.ID(), Index: 1}}
	pay.Outputs = []types.Output{output("peter", 400), output("clara", 600)}
	must(t, n.Ledger(), sign(pay, "clara"))
	holdings, err := n.Ledger().Holdings(t.Context(), publicKey("peter"))
	if err != nil {
		t.Fatal(err)
	}
	if len(holdings.Coins) != 2 || len(holdings.Balances) != 1 || holdings.Balances[0].Spendable != 1400 {
		t.Errorf("peter has %+v", holdings)
	}
	stop()

	report, err := node.Check(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if report.Txs != 2 || report.Outputs != 3 {
		t.Errorf("the store holds %+v", report)
	}
}

func TestSecretsAreForTheOwnerOnly(t *testing.T) {
	t.Parallel()
	dir := initNode(t, quickParams())
	for _, file := range []string{"api.token", "engine/config/priv_validator_key.json", "engine/config/node_key.json"} {
		info, err := os.Stat(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o", file, mode)
		}
	}
}
