package main

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestConservation trades for a moment in each form; measure itself audits the books.
func TestConservation(t *testing.T) {
	for _, variant := range []string{"lean", "plain"} {
		t.Run(variant, func(t *testing.T) {
			needPostgres(t)
			r, err := measure(t.Context(), options{variant: variant, clients: 4, seconds: 0.5, folder: os.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			if r.TradesPerSecond <= 0 || *r.P99 < *r.P50 {
				t.Errorf("measured %+v", r)
			}
		})
	}
}

// TestGuarantees tries calls that the escrow must refuse, and checks that the audit notices money made from nothing.
func TestGuarantees(t *testing.T) {
	needPostgres(t)
	ctx := t.Context()
	cluster, err := startCluster(ctx, os.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.stop(); err != nil {
			t.Error(err)
		}
	})
	c, err := pgx.Connect(ctx, cluster.address())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.WithoutCancel(ctx))
	if err := fill(ctx, c, schema); err != nil {
		t.Fatal(err)
	}
	first, second := newTrade(1, 1, 2), newTrade(2, 2, 1)
	pay := "SELECT pay($1, $2, $3, $4, $5, $6)"
	for _, step := range []struct {
		name, call string
		args       []any
		done       bool
	}{
		{"more than the balance", pay, []any{9, 1, 2, wealth, deposit, first.digest}, false},
		{"a trade with oneself", pay, []any{9, 1, 1, price, deposit, first.digest}, false},
		{"pay", pay, []any{first.id, 1, 2, price, deposit, first.digest}, true},
		{"release before delivery", "SELECT release($1, $2)", []any{first.id, first.secret}, false},
		{"refund before deliver-by", "SELECT refund($1)", []any{first.id}, false},
		{"delivery by a stranger", "SELECT deliver($1, $2)", []any{first.id, 3}, false},
		{"deliver", "SELECT deliver($1, $2)", []any{first.id, 2}, true},
		{"the wrong secret", "SELECT release($1, $2)", []any{first.id, second.secret}, false},
		{"release", "SELECT release($1, $2)", []any{first.id, first.secret}, true},
		{"release again", "SELECT release($1, $2)", []any{first.id, first.secret}, false},
		{"pay a second", pay, []any{second.id, 2, 1, price, deposit, second.digest}, true},
		{"its deliver-by passes", "UPDATE trades SET deliver_by = now() - interval '1 second' WHERE id = $1 RETURNING id", []any{second.id}, true},
		{"delivery too late", "SELECT deliver($1, $2)", []any{second.id, 1}, false},
		{"refund", "SELECT refund($1)", []any{second.id}, true},
	} {
		var id *int64
		err := c.QueryRow(ctx, step.call, step.args...).Scan(&id)
		if done := err == nil && id != nil; done != step.done {
			t.Fatalf("%s: done %v, want %v (%v)", step.name, done, step.done, err)
		}
		if _, err := audit(ctx, c); err != nil {
			t.Fatalf("after %s: %v", step.name, err)
		}
	}
	if _, err := c.Exec(ctx, "UPDATE accounts SET balance = balance + 1 WHERE id = 1"); err != nil {
		t.Fatal(err)
	}
	if _, err := audit(ctx, c); err == nil {
		t.Error("the audit overlooked a coin made from nothing")
	}
	if err := plain(ctx, c, first); err == nil || errors.Is(err, errRefused) {
		t.Errorf("a trade's number was given twice: %v", err)
	}
}

func needPostgres(t *testing.T) {
	t.Helper()
	if _, err := findBinaries(); err != nil {
		t.Fatalf("this module measures PostgreSQL, so its tests need it: %v", err)
	}
}
