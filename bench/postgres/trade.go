package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Every trade is over the same sums: the measurement doesn't depend on them.
const (
	households = 10_000
	wealth     = 1_000_000_000 // of each household
	price      = 250
	deposit    = 10
)

// trade is one trade as a client sees it.
type trade struct {
	id                 int64
	consumer, producer int32
	secret, digest     []byte
}

func newTrade(id int64, consumer, producer int32) trade {
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	digest := sha256.Sum256(secret)
	return trade{id, consumer, producer, secret, digest[:]}
}

var errRefused = errors.New("the database refused the step")

// lean trades by three calls of a function, a transaction each; pgx prepares each statement once a connection.
func lean(ctx context.Context, c *pgx.Conn, t trade) error {
	for _, step := range []struct {
		call string
		args []any
	}{
		{"SELECT pay($1, $2, $3, $4, $5, $6)", []any{t.id, t.consumer, t.producer, price, deposit, t.digest}},
		{"SELECT deliver($1, $2)", []any{t.id, t.producer}},
		{"SELECT release($1, $2)", []any{t.id, t.secret}},
	} {
		var id *int64
		if err := c.QueryRow(ctx, step.call, step.args...).Scan(&id); err != nil {
			return fmt.Errorf("%s: %w", step.call, err)
		}
		if id == nil {
			return fmt.Errorf("%s: %w", step.call, errRefused)
		}
	}
	return nil
}

// plain trades as a service is usually written: four transactions, each of single statements.
func plain(ctx context.Context, c *pgx.Conn, t trade) error {
	const (
		take    = "UPDATE accounts SET balance = balance - $2 WHERE id = $1 AND balance >= $2"
		give    = "UPDATE accounts SET balance = balance + $2 WHERE id = $1"
		record  = "INSERT INTO trades (id, consumer, producer, price, deposit, digest, deliver_by) VALUES ($1, $2, $3, $4, $5, $6, now() + interval '1 hour')"
		deliver = "UPDATE trades SET phase = 2 WHERE id = $1 AND producer = $2 AND phase = 1 AND now() <= deliver_by"
		release = "UPDATE trades SET phase = 3, secret = $2 WHERE id = $1 AND phase = 2 AND digest = sha256($2)"
		collect = "UPDATE trades SET phase = 4 WHERE id = $1 AND producer = $2 AND phase = 3"
	)
	for _, statements := range [][]statement{
		{{take, []any{t.consumer, price + deposit}}, {record, []any{t.id, t.consumer, t.producer, price, deposit, t.digest}}},
		{{deliver, []any{t.id, t.producer}}},
		{{release, []any{t.id, t.secret}}, {give, []any{t.consumer, deposit}}},
		{{collect, []any{t.id, t.producer}}, {give, []any{t.producer, price}}},
	} {
		if err := pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error { return execute(ctx, tx, statements) }); err != nil {
			return err
		}
	}
	return nil
}

type statement struct {
	text string
	args []any
}

// execute runs the statements of one transaction; each must change exactly one row.
func execute(ctx context.Context, tx pgx.Tx, statements []statement) error {
	for _, s := range statements {
		tag, err := tx.Exec(ctx, s.text, s.args...)
		if err != nil {
			return fmt.Errorf("%s: %w", s.text, err)
		}
		if tag.RowsAffected() != 1 {
			return fmt.Errorf("%s: %w", s.text, errRefused)
		}
	}
	return nil
}

// fill gives every household its wealth.
func fill(ctx context.Context, c *pgx.Conn, schema string) error {
	if _, err := c.Exec(ctx, schema); err != nil {
		return fmt.Errorf("schema: %w", err)
	}
	if _, err := c.Exec(ctx, "INSERT INTO accounts SELECT id, $1 FROM generate_series(1, $2) AS id", wealth, households); err != nil {
		return fmt.Errorf("accounts: %w", err)
	}
	_, err := c.Exec(ctx, "VACUUM ANALYZE accounts") // not in a transaction with the rest
	return err
}

// audit counts the finished trades and refuses if money was made or lost.
func audit(ctx context.Context, c *pgx.Conn) (finished int64, err error) {
	var sum, locked int64
	err = c.QueryRow(ctx, `SELECT (SELECT sum(balance) FROM accounts)::bigint, coalesce((SELECT sum(amount) FROM locked), 0)::bigint,
		(SELECT count(*) FROM trades WHERE phase = 4)`).Scan(&sum, &locked, &finished)
	if err != nil {
		return 0, fmt.Errorf("audit: %w", err)
	}
	if sum+locked != households*wealth {
		return 0, fmt.Errorf("not conserved: %d in balances and %d locked, but %d were issued", sum, locked, int64(households)*wealth)
	}
	return finished, nil
}
