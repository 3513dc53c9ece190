package receipt

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"lockstep/client/wire"
	"lockstep/internal/outcomes"
	"lockstep/types"
)

// Record is a transaction beside the log: a step of the trade, meter readings of its slot, or an order of one of its sides. Its leaf proves that the ledger accepted it.
type Record struct {
	Index uint64 // of the leaf
	Leaf  []byte
	Path  []types.Hash
	Tx    []byte // the transaction, signatures included
}

// PartRecord is a line of a receipt with records.
const PartRecord = "record"

// Attach adds a transaction with its proof, which must be by the header of the receipt.
func (r *Receipt) Attach(proof *wire.Proof, tx *types.Tx) error {
	if proof.Log != r.Log || proof.State != r.State {
		return fmt.Errorf("the proof of transaction %s is by another header than that of the trade", tx.ID())
	}
	r.Records = append(r.Records, Record{proof.Index, proof.Leaf, proof.Path, tx.Bytes()})
	return nil
}

func (r *Receipt) writeRecords(text *strings.Builder) {
	for i := range r.Records {
		record := &r.Records[i]
		writeLine(text, PartRecord, strconv.FormatUint(record.Index, 10), encode(record.Leaf), encode(joined(record.Path)), encode(record.Tx))
	}
}

func joined(path []types.Hash) []byte {
	all := make([]byte, 0, len(types.Hash{})*len(path))
	for _, hash := range path {
		all = append(all, hash[:]...)
	}
	return all
}

func (r *Receipt) readRecords(in *lines) error {
	for in.more() {
		values, err := in.next(PartRecord, 4)
		if err != nil {
			return err
		}
		var record Record
		var path []byte
		if record.Index, err = decodeNumber(PartRecord, values[0]); err != nil {
			return err
		}
		for i, into := range []*[]byte{&record.Leaf, &path, &record.Tx} {
			if *into, err = decode(PartRecord, values[i+1]); err != nil {
				return err
			}
		}
		if record.Path, err = hashes(PartRecord, path); err != nil {
			return err
		}
		r.Records = append(r.Records, record)
	}
	return nil
}

// verifyRecords checks each record: the ledger accepted it, and it is of this trade.
func (r *Receipt) verifyRecords(v *Verified) {
	for i := range r.Records {
		tx, what, err := r.Records[i].verify(r, v)
		if v.add(PartRecord, err, "%s", what); err == nil {
			v.Records = append(v.Records, tx)
		}
	}
}

func (c *Record) verify(r *Receipt, v *Verified) (*types.Tx, string, error) {
	tx, err := types.DecodeTx(c.Tx)
	if err != nil {
		return nil, "", err
	}
	outcome := new(types.Outcome)
	if err := types.Decode(c.Leaf, outcome); err != nil {
		return nil, "", err
	}
	switch {
	case !outcomes.Proves(c.Leaf, c.Index, c.Path, r.Log):
		return nil, "", errors.New("leaf, index and path do not lead to the root of the log: one of them was changed")
	case outcome.Tx != tx.ID():
		return nil, "", fmt.Errorf("its leaf is of transaction %s, and not of %s", outcome.Tx, tx.ID())
	case !types.VerifySignatures(tx)[0]:
		return nil, "", fmt.Errorf("a signature of transaction %s is not good", tx.ID())
	}
	what := relation(tx, v)
	if what == "" {
		return nil, "", fmt.Errorf("transaction %s is no step, reading or order of this trade", tx.ID())
	}
	return tx, fmt.Sprintf("transaction %s %s", tx.ID(), what), nil
}

// relation tells how a transaction belongs to the trade of a receipt; empty if it does not.
func relation(tx *types.Tx, v *Verified) string {
	if v.Story == nil {
		if v.Outcome != nil && v.Outcome.Tx == tx.ID() {
			return "is the last step"
		}
		return ""
	}
	var steps []string
	for _, step := range v.Story.Steps {
		if step.Tx == tx.ID() {
			steps = append(steps, step.Kind.String())
		}
	}
	if len(steps) > 0 {
		return "is the step " + strings.Join(steps, " and ")
	}
	agreement := &v.Story.Agreement
	goods := &agreement.Goods
	for _, action := range tx.Body.Actions {
		switch a := action.(type) { //nolint:gochecksumtype // the others are steps, or of no trade
		case *types.Reading:
			if !goods.Flow.IsZero() && a.Flow == goods.Flow && a.From == goods.From {
				return fmt.Sprintf("has records of the meter for the slot, %d in all", len(a.Records))
			}
		case *types.Place:
			o := &a.Order
			if (o.Owner == agreement.Producer || o.Owner == agreement.Consumer) && o.Product.Asset == agreement.Asset && o.Product.Goods(goods.Quantity, goods.Flow) == (types.Goods{
				Commodity: goods.Commodity, Unit: goods.Unit, Quantity: goods.Quantity, Zone: goods.Zone, From: goods.From, Until: goods.Until, Flow: goods.Flow,
			}) {
				return "places an order of " + o.Owner.String()
			}
		}
	}
	return ""
}
