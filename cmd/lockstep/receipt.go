package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/chain"
	"lockstep/internal/light"
	"lockstep/internal/plaintext"
	"lockstep/internal/receipt"
	"lockstep/types"
)

type receiptCmd struct {
	Export receiptExportCmd `cmd:"" help:"Write the receipt of a trade: a small file that proves how it ended."`
	Verify receiptVerifyCmd `cmd:"" help:"Check a receipt offline, part by part."`
}

type trustCmd struct {
	Export trustExportCmd `cmd:"" help:"Write headers with their validators, for receipts of a ledger whose validators have changed, or from a trusted header on."`
}

type receiptExportCmd struct {
	Trade types.TradeID `arg:"" help:"The trade's id, or its beginning."`
	Out   string        `short:"o" help:"New file for the receipt; by default standard output." type:"path" placeholder:"FILE"`
	Leaf  uint64        `help:"The outcome with the end of the trade, by its number in the log, as log export --trades lists it beside the whole id of the trade: for a node that keeps the log from before its own history." placeholder:"N"`

	Records bool         `help:"Attach the transactions of the steps, and the readings of the meter, each with its proof."`
	Record  []types.TxID `help:"Attach this transaction too, such as an order of one of the sides; once for each." placeholder:"TX"`
}

// exportedFile is a file that a command wrote.
type exportedFile struct {
	File  string `json:"file,omitempty"`
	Text  string `json:"text,omitempty"` // without a file
	Bytes int    `json:"bytes"`
	Over  bool   `json:"over"` // of the trade: no step can follow
}

func (c *receiptExportCmd) Run(ctx context.Context, a *app) error {
	s, err := a.visitor(ctx)
	if err != nil {
		return err
	}
	proof, err := c.proof(ctx, s)
	if err != nil {
		return err
	}
	r := receipt.Of(c.Trade, &proof)
	checked := r.Verify(nil)
	if checked.OK() && (c.Records || len(c.Record) > 0) {
		if err := c.attach(ctx, s, r, checked, proof.Signed.Height); err != nil {
			return err
		}
		checked = r.Verify(nil)
	}
	switch {
	case !checked.OK() && c.Leaf > 0:
		return fmt.Errorf("outcome %d, as the node gives it, proves nothing about the trade:%s; log export --trades lists the right number for each trade", c.Leaf, faults(checked))
	case !checked.OK():
		return errors.New("the node's answer proves nothing about the trade:" + faults(checked))
	}
	return a.export(c.Out, exportedFile{Over: checked.Story != nil}, r.Text(), func(p *page, w exportedFile) {
		p.line("Wrote the receipt of trade %s to %s: %d bytes.", short(c.Trade), w.File, w.Bytes)
		switch {
		case !w.Over && c.Leaf > 0:
			p.line("Outcome %d is not the end of the trade: the receipt proves this step, and later ones may exist.", c.Leaf)
		case !w.Over:
			p.line("The trade goes on: the receipt proves its last step so far.")
		}
	})
}

// proof asks for the last leaf of the trade, or for the leaf that the user names.
func (c *receiptExportCmd) proof(ctx context.Context, s *session) (wire.Proof, error) {
	if c.Leaf > 0 { // the first leaf is of no trade
		return s.node.LeafProof(ctx, c.Leaf)
	}
	return s.awaitProof(ctx, c.Trade)
}

// attach adds the records that the user wants, in the order of the ledger.
func (c *receiptExportCmd) attach(ctx context.Context, s *session, r *receipt.Receipt, checked *receipt.Verified, header uint64) error {
	wanted := slices.Clone(c.Record)
	if story := checked.Story; c.Records && story != nil {
		for _, step := range story.Steps {
			wanted = append(wanted, step.Tx)
		}
		readings, err := readingsOf(ctx, s.node, story, checked.Outcome.Height)
		if err != nil {
			return err
		}
		wanted = append(wanted, readings...)
	} else if c.Records {
		wanted = append(wanted, checked.Outcome.Tx)
	}
	attached := map[types.TxID]bool{{}: true} // a step of the clock or of an auction has no transaction
	for _, id := range wanted {
		if attached[id] {
			continue
		}
		attached[id] = true
		proof, err := s.node.TxProofBy(ctx, id, header)
		if err != nil {
			return err
		}
		tx, err := s.body(ctx, id)
		if err == nil {
			err = r.Attach(&proof, tx)
		}
		if err != nil {
			return err
		}
	}
	slices.SortFunc(r.Records, func(a, b receipt.Record) int { return cmp.Compare(a.Index, b.Index) })
	return nil
}

// body fetches an accepted transaction.
func (s *session) body(ctx context.Context, id types.TxID) (*types.Tx, error) {
	found, err := s.node.Tx(ctx, id)
	if err != nil {
		return nil, err
	}
	for tx, err := range s.node.AllBlockTxs(ctx, found.Height) {
		if err != nil {
			return nil, err
		}
		if tx.ID == id && tx.Tx != nil {
			return tx.Tx, nil
		}
	}
	return nil, types.Refuse(types.CodeNotFound, "the node does not keep transaction %s any more: ask one that keeps all blocks", id)
}

// readingsOf finds the transactions with records of the slot of a trade, up to the height at which it was over.
func readingsOf(ctx context.Context, node *client.Client, story *types.Trade, until uint64) (found []types.TxID, err error) {
	goods := &story.Agreement.Goods
	if goods.Flow.IsZero() {
		return nil, nil
	}
	for reading, err := range node.Readings(ctx, goods, story.Height, until) {
		if err != nil {
			return nil, err
		}
		if reading.Reading != nil && !slices.Contains(found, reading.Tx) {
			found = append(found, reading.Tx)
		}
	}
	return found, nil
}

// export writes a new file, or standard output if it has no name.
func (a *app) export(file string, w exportedFile, text string, tell func(p *page, w exportedFile)) error {
	w.Bytes = len(text)
	if file == "" {
		if w.Text = text; a.JSON {
			return a.show(w, nil)
		}
		_, err := io.WriteString(a.out, text)
		return err
	}
	if err := createFile(file, []byte(text)); err != nil {
		return err
	}
	w.File = file
	return a.show(w, func(p *page) { tell(p, w) })
}

// awaitProof asks for the proof of a trade until the header of the block after its last leaf is there.
func (s *session) awaitProof(ctx context.Context, id types.TradeID) (wire.Proof, error) {
	const tries, pause = 50, 200 * time.Millisecond
	for try := 1; ; try++ {
		proof, err := s.node.TradeProof(ctx, id)
		if types.CodeOf(err) != types.CodeAhead {
			return proof, err
		}
		if try == tries {
			if still := s.node.CheckStill(ctx, "The proof needs one block more"); still != nil {
				return proof, still
			}
			return proof, err
		}
		select {
		case <-ctx.Done():
			return proof, ctx.Err()
		case <-time.After(pause):
		}
	}
}

type receiptVerifyCmd struct {
	File    string `arg:"" help:"The receipt." type:"existingfile"`
	Genesis string `help:"Trust the validators of this genesis file." type:"existingfile" placeholder:"FILE" xor:"begin"`
	Trusted string `help:"Trust the header of this height with this hash, which you have from somebody whom you trust." placeholder:"HEIGHT:HASH" xor:"begin"`
	Trust   string `help:"Follow the validators by the headers of this file (lockstep trust export)." type:"existingfile" placeholder:"FILE"`
}

func (c *receiptVerifyCmd) Run(a *app) error {
	trust, err := c.trust()
	if err != nil {
		return err
	}
	text, err := readText(c.File, receipt.MaxBytes)
	if err != nil {
		return err
	}
	checked := new(receipt.Verified)
	r, err := receipt.Parse(text)
	if fault, ok := errors.AsType[*receipt.PartError](err); ok {
		checked.Verdicts = []receipt.Verdict{{Part: fault.Part, Text: fault.Err.Error()}}
	} else {
		checked = r.Verify(trust)
	}
	if err := a.show(checked, func(p *page) { printReceipt(p, checked) }); err != nil {
		return err
	}
	if !checked.OK() {
		return fmt.Errorf("receipt %s does not hold:%s", c.File, faults(checked))
	}
	return nil
}

// trust returns the validators that the reader trusts.
func (c *receiptVerifyCmd) trust() (trust *chain.Trust, err error) {
	switch {
	case c.Genesis != "":
		if trust, err = chain.TrustGenesis(c.Genesis); err != nil {
			return nil, err
		}
	case c.Trusted != "":
		pin, err := light.ParsePin(c.Trusted)
		if err != nil {
			return nil, misuse("--trusted: %v", err)
		}
		trust = chain.TrustHeader(pin.Height, pin.Hash)
	default:
		return nil, misuse("name the validators that you trust: --genesis FILE, or --trusted HEIGHT:HASH")
	}
	if c.Trust == "" {
		return trust, nil
	}
	text, err := readText(c.Trust, 64<<20)
	if err == nil {
		err = receipt.ReadTrust(text, trust)
	}
	if err != nil {
		return nil, fmt.Errorf("trust file %s: %w", c.Trust, err)
	}
	return trust, nil
}

// readText reads a receipt or a trust file.
func readText(file string, most int64) (string, error) {
	text, err := plaintext.ReadFile(file, most)
	return string(text), err
}

// faults lists the parts that do not hold.
func faults(checked *receipt.Verified) string {
	var text strings.Builder
	for _, verdict := range checked.Verdicts {
		if !verdict.OK {
			fmt.Fprintf(&text, " %s: %s;", verdict.Part, verdict.Text)
		}
	}
	return strings.TrimSuffix(text.String(), ";")
}

// printReceipt prints the story of a trade and the verdicts. The story of a receipt that does not hold is not shown: it may be invented.
func printReceipt(p *page, checked *receipt.Verified) {
	if checked.OK() {
		switch {
		case checked.Story != nil:
			printStory(p, checked.Story)
		case checked.Step != nil:
			p.row("trade", checked.Step.Trade.String())
			p.row("phase", checked.Step.Phase.String()+", after the step "+checked.Step.Event.String())
			p.row("at", stamp(checked.Outcome.At))
		}
		p.line("")
	}
	for _, verdict := range checked.Verdicts {
		mark := "ok"
		if !verdict.OK {
			mark = "FAILED"
		}
		p.row(mark, verdict.Part, verdict.Text)
	}
}

func printStory(p *page, t *types.Trade) {
	agreement := &t.Agreement
	p.row("trade", t.ID().String())
	p.row("producer", agreement.Producer.String())
	p.row("consumer", agreement.Consumer.String())
	goods := &agreement.Goods
	p.row("goods", fmt.Sprintf("%d %s of %s", goods.Quantity, goods.Unit, name(goods.Commodity)))
	p.row("asset", agreement.Asset.String())
	p.row("price", fmt.Sprintf("%s of its smallest units; deposit %s, bond %s", agreement.Price, agreement.Deposit, agreement.Bond))
	for _, step := range t.Steps {
		by := ""
		if step.Tx != (types.TxID{}) {
			by = ", by transaction " + short(step.Tx)
		}
		p.row(step.Kind.String(), stamp(step.At)+by)
	}
	p.row("ended", t.Phase.String())
}

type trustExportCmd struct {
	At  []uint64 `help:"Heights of the headers, ascending; by default the newest alone. Name one for each change of the validators." placeholder:"HEIGHT"`
	Out string   `short:"o" help:"New file; by default standard output." type:"path" placeholder:"FILE"`
}

func (c *trustExportCmd) Run(ctx context.Context, a *app) error {
	node, err := a.connect()
	if err != nil {
		return err
	}
	heights := c.At
	if len(heights) == 0 {
		heights = []uint64{0}
	}
	blocks := make([]chain.LightBlock, len(heights))
	for i, height := range heights {
		light, err := node.LightBlock(ctx, height)
		if err != nil {
			return err
		}
		blocks[i] = chain.LightBlock{
			SignedHeader: chain.SignedHeader{Height: light.Height, Header: light.Header, Commit: light.Commit}, Hash: light.Hash, Validators: light.Validators,
		}
	}
	text, err := receipt.TrustText(blocks)
	if err != nil {
		return err
	}
	return a.export(c.Out, exportedFile{}, text, func(p *page, w exportedFile) {
		p.line("Wrote %s: %d bytes. Headers: %d.", w.File, w.Bytes, len(blocks))
		last := &blocks[len(blocks)-1]
		p.line("The last one is --trusted %d:%s", last.Height, last.Hash)
	})
}
