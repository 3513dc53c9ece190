package index

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"lockstep/types"
)

// ClosedOffer is when an offer ended.
type ClosedOffer struct {
	At types.Time // by the ledger clock
	Tx types.TxID // that took the last of it, or cancelled it; zero: it ran out
}

// Offer returns how an offer ended; false when the index knows of no such end, and a refusal when that may be pruned.
func (x *Index) Offer(ctx context.Context, offer types.OfferID) (closed ClosedOffer, known bool, err error) {
	err = x.reading(ctx, func(db *database, tx *sql.Tx) error {
		var by []byte
		err := tx.StmtContext(ctx, db.queries.offer).QueryRowContext(ctx, offer[:]).Scan(&closed.At, &by)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			at, _, err := loadPlace(tx)
			if err == nil && at.base.Height > 0 {
				err = types.Refuse(types.CodePruned, "offer %s does not stand, and is not in the history of this node, which begins at block %d: ask a node that keeps all (\"keep\": \"all\")", offer, at.base.Height+1)
			}
			return err
		case err != nil:
			return err
		case len(by) != 0 && len(by) != len(closed.Tx):
			return fmt.Errorf("%w: an offer was closed by what is no transaction", ErrDamaged)
		}
		copy(closed.Tx[:], by)
		known = true
		return nil
	})
	return closed, known, err
}

// Offers lists the IDs of ended offers from low to high, in order, at most limit.
func (x *Index) Offers(ctx context.Context, low, high types.OfferID, limit int) (ids []types.OfferID, err error) {
	err = x.reading(ctx, func(db *database, tx *sql.Tx) error {
		q := &query{ctx: ctx, tx: tx, queries: &db.queries}
		rows, err := q.rows(db.queries.offers, low[:], high[:], limit)
		if err != nil {
			return err
		}
		ids, _, err = collect(rows, limit, func(found *types.OfferID) error {
			var id []byte
			if err := rows.Scan(&id); err != nil {
				return err
			}
			if copy(found[:], id) != len(found) || len(id) != len(found) {
				return fmt.Errorf("%w: what names an offer is no id", ErrDamaged)
			}
			return nil
		})
		return err
	})
	return ids, err
}
