package query_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"log/slog"
	"net/http/httptest"
	"os"
	"strconv"
	"testing"

	"lockstep/client"
	"lockstep/client/wire"
	"lockstep/internal/httpapi"
	"lockstep/internal/ledger"
	"lockstep/internal/ledgertest/party"
	"lockstep/internal/store"
	"lockstep/types"
	"lockstep/wallet"
)

// floods is the number of coins and assets of an attack: more than any page, or the number in the variable.
func floods() int {
	if n, err := strconv.Atoi(os.Getenv("LOCKSTEP_FLOOD")); err == nil {
		return n
	}
	return 2500
}

// put writes entries into the state without the rules, so that the test need not pay for an attack.
func (b *book) put(changes ...ledger.Change) {
	b.t.Helper()
	const some = 20_000
	for len(changes) > 0 {
		n := min(len(changes), some)
		b.time = b.time.Add(second)
		state := ledger.New(b.store.StateReader(), b.params)
		state.Begin(b.store.Height()+1, b.time)
		diff := state.Finish()
		diff.Changes = append(diff.Changes, changes[:n]...)
		changes = changes[n:]
		staged, err := b.store.Stage(store.Executed{Diff: diff})
		if err != nil {
			b.t.Fatal(err)
		}
		if err := staged.Commit(); err != nil {
			b.t.Fatal(err)
		}
	}
}

// coin returns the state entry of an output of a key.
func coin(n int, asset types.AssetID, amount types.Amount, owner types.PublicKey) ledger.Change {
	output := &types.Output{Asset: asset, Amount: amount, Lock: types.ToKey(owner)}
	key := binary.BigEndian.AppendUint64([]byte("o"), uint64(n))
	key = append(key, make([]byte, 24+4)...)
	return ledger.Change{Key: string(key), New: types.Encode(output), After: output}
}

func (b *book) head() *store.Head {
	b.t.Helper()
	head, err := b.store.Head()
	if err != nil {
		b.t.Fatal(err)
	}
	return head
}

// counted adds the counts of keys in the state to changes that add coins and assets.
func (b *book) counted(changes []ledger.Change) []ledger.Change {
	b.t.Helper()
	head := b.head()
	defer head.Close()
	counts := map[types.PublicKey]*types.Usage{}
	of := func(key types.PublicKey) *types.Usage {
		if counts[key] == nil {
			usage := head.Usage(key)
			counts[key] = &usage
		}
		return counts[key]
	}
	for _, change := range changes {
		switch value := change.After.(type) {
		case *types.Output:
			of(value.Lock.Key).Coins++
		case *types.AssetState:
			if change.Before == nil {
				of(value.Asset.Issuer).Assets++
			}
		}
	}
	for key, usage := range counts { // in any order: they are independent
		change := ledger.Change{Key: "x" + string(key[:]), New: types.Encode(usage), After: usage}
		if before := head.Usage(key); before != (types.Usage{}) {
			change.Old, change.Before = types.Encode(&before), &before
		}
		changes = append(changes, change)
	}
	return changes
}

// issued adds to the issued amount of an asset in the state.
func (b *book) issued(asset types.Asset, more types.Amount) ledger.Change {
	b.t.Helper()
	id := asset.ID()
	head := b.head()
	defer head.Close()
	change, state := ledger.Change{Key: "a" + string(id[:])}, types.AssetState{Asset: asset}
	if before, known := head.Asset(id); known {
		change.Old, change.Before, state = types.Encode(before), before, *before
	}
	state.Issued += more
	change.New, change.After = types.Encode(&state), &state
	return change
}

// sale is a sale by paul to clara for 100 with a deposit of 10 and a bond of 5.
func (b *book) sale(producer, consumer types.PublicKey, asset types.AssetID) types.Agreement {
	return types.Agreement{
		ChainID: b.params.ChainID, Producer: producer, Consumer: consumer,
		Goods: types.Goods{Commodity: "parcel", Unit: types.UnitItem, Quantity: 1},
		Asset: asset, Price: 100, Deposit: 10, Bond: 5, Instalments: 1, Nonce: uint64(b.time), Fallback: &types.Hold{},
		Deadlines: types.Deadlines{
			PayBy: b.time.Add(30 * second), DeliverBy: b.time.Add(60 * second),
			ReadingBy: b.time.Add(90 * second), ConfirmBy: b.time.Add(120 * second),
		},
	}
}

// wantPages reads every list of the flooded ledger: no page is too large, and nothing is missing.
func (b *book) wantPages(n int, p *trader, money, junk types.AssetID) {
	b.t.Helper()
	ctx := context.Background()
	for name, list := range map[string]struct {
		want  int
		fetch func(page client.Page) (items int, next string, err error)
	}{
		"assets": {n + 2, func(page client.Page) (int, string, error) {
			got, err := p.node.Assets(ctx, "", page)
			return len(got.Assets), got.Next, err
		}},
		"assets of a code": {min(n, 7*18) + 2, func(page client.Page) (int, string, error) {
			got, err := p.node.Assets(ctx, "EUR", page)
			return len(got.Assets), got.Next, err
		}},
		"balances": {n + 2, func(page client.Page) (int, string, error) {
			got, err := p.node.Balances(ctx, p.Key(), page)
			return len(got.Balances), got.Next, err
		}},
		"worthless coins": {n, func(page client.Page) (int, string, error) {
			got, err := p.node.Coins(ctx, p.Key(), junk, 0, page)
			return len(got.Coins), got.Next, err
		}},
		"dust": {n, func(page client.Page) (int, string, error) {
			got, err := p.node.Coins(ctx, p.Key(), money, 1, page)
			return len(got.Coins), got.Next, err
		}},
	} {
		total, limit := 0, 500
		if name == "dust" { // a page that is worth the sum ends there: the first is one coin of dust
			limit, list.want = 1, 1
		}
		for page := (client.Page{Limit: limit}); ; {
			items, next, err := list.fetch(page)
			if err != nil || items > limit {
				b.t.Fatal(name, items, err)
			}
			total += items
			if page.After = next; next == "" || name == "dust" {
				break
			}
		}
		if total != list.want {
			b.t.Errorf("%s: %d in all, want %d", name, total, list.want)
		}
	}
}

// trader is an account with a client of the node.
type trader struct {
	*wallet.Account
	b    *book
	node *client.Client
}

func (b *book) trader(address, name string) *trader {
	b.t.Helper()
	node, err := client.New(address)
	if err != nil {
		b.t.Fatal(err)
	}
	entropy := party.Secret(name)
	seed, err := wallet.NewSeed(bytes.NewReader(entropy[:]), "")
	if err != nil {
		b.t.Fatal(err)
	}
	account, err := seed.Account(0, wallet.DefaultLimits())
	if err != nil {
		b.t.Fatal(err)
	}
	return &trader{account, b, node}
}

func (p *trader) context() wallet.Context {
	return wallet.Context{Params: p.b.params, BlockTime: p.b.time, Clock: p.b.clock()}
}

func (b *book) clock() (now types.Time) {
	b.t.Helper()
	head := b.head()
	defer head.Close()
	return head.Clock().Now()
}

// do drafts a transaction, fetches its coins and puts it into a block.
func (p *trader) do(step func(*wallet.Draft) error) {
	p.b.t.Helper()
	draft := p.Draft(p.context())
	if err := step(draft); err != nil {
		p.b.t.Fatal(err)
	}
	err := draft.Fund(func(asset types.AssetID, sum types.Amount) iter.Seq2[types.Coin, error] {
		return p.node.CoinsFor(context.Background(), p.Key(), asset, sum)
	})
	if err != nil {
		p.b.t.Fatal(err)
	}
	tx, err := draft.Sign()
	if err != nil {
		p.b.t.Fatal(err)
	}
	p.b.must(tx)
}

func (p *trader) trade(id types.TradeID) *types.Trade {
	p.b.t.Helper()
	trade, err := p.node.Trade(context.Background(), id)
	if err != nil {
		p.b.t.Fatal(err)
	}
	return &trade.Trade
}

func (p *trader) wants(asset types.AssetID, spendable, locked types.Amount) {
	p.b.t.Helper()
	balances, err := p.node.BalancesOf(context.Background(), p.Key(), asset)
	if err != nil || len(balances.Balances) != 1 {
		p.b.t.Fatal(balances, err)
	}
	if got := balances.Balances[0]; got.Spendable != spendable || got.Locked != locked {
		p.b.t.Errorf("%s has %s and %s locked, want %s and %s", p.Key(), got.Spendable, got.Locked, spendable, locked)
	}
}

// TestFloodOfCoinsAndAssets gives two parties more coins than any answer holds: of one worthless asset, of many assets, and dust of their
// own money. They can still trade.
func TestFloodOfCoinsAndAssets(t *testing.T) {
	t.Parallel()
	b, n := newBook(t), floods()
	handler, err := httpapi.New(httpapi.Config{Ledger: b, OpenSubmit: true, Version: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	bank, paul, clara := b.trader(server.URL, "bank"), b.trader(server.URL, "paul"), b.trader(server.URL, "clara")
	money := types.Asset{Issuer: bank.Key(), Code: "EUR", Decimals: 2}
	euro := money.ID()
	bank.do(func(d *wallet.Draft) error { return d.Issue(money, 2_000_000) })
	for _, p := range []*trader{paul, clara} {
		bank.do(func(d *wallet.Draft) error { return d.Send(p.Key(), euro, 1_000) })
	}

	var flood []ledger.Change
	junk := types.Asset{Issuer: party.Key("mallory"), Code: "EUR", Decimals: 2}
	for i := range n {
		asset := types.Asset{Issuer: party.Key(fmt.Sprint("mallory ", i%7)), Code: "EUR", Decimals: uint8(i % 18)}
		if i >= 7*18 {
			asset.Code = fmt.Sprintf("EUR-%d", i)
		}
		id := asset.ID()
		state := &types.AssetState{Asset: asset, Issued: 2}
		flood = append(flood,
			ledger.Change{Key: "a" + string(id[:]), New: types.Encode(state), After: state},
			coin(6*i, id, 1, paul.Key()), coin(6*i+1, id, 1, clara.Key()),
			coin(6*i+2, junk.ID(), 1, paul.Key()), coin(6*i+3, junk.ID(), 1, clara.Key()),
			coin(6*i+4, euro, 1, paul.Key()), coin(6*i+5, euro, 1, clara.Key()))
	}
	b.put(b.counted(append(flood, b.issued(junk, 2*types.Amount(n)), b.issued(money, 2*types.Amount(n))))...)
	dust := types.Amount(n)
	clara.wants(euro, 1000+dust, 0)

	clara.do(func(d *wallet.Draft) error { return d.Send(paul.Key(), euro, 100) })
	clara.wants(euro, 900+dust, 0)
	for _, delivered := range []bool{true, false} {
		agreement := b.sale(paul.Key(), clara.Key(), euro)
		id := agreement.ID()
		agree := &types.Agree{Agreement: agreement, Submitter: paul.Key(), Mandates: types.Mandates{
			ValidUntil: b.time.Add(60 * second), Producer: types.Signature{Key: paul.Key()}, Consumer: types.Signature{Key: clara.Key()},
		}}
		b.must(types.NewTx(b.body(agree), types.Signature{Key: paul.Key()})) // the store does not check signatures
		clara.do(func(d *wallet.Draft) error { return d.Pay(id, clara.trade(id)) })
		clara.wants(euro, 790+dust, 110)
		if !delivered {
			b.wait(65 * second)
			clara.wants(euro, 900+dust, 0)
			clara.do(func(d *wallet.Draft) error { return d.Collect(id, clara.trade(id)) })
			clara.wants(euro, 900+dust, 0)
			continue
		}
		paul.do(func(d *wallet.Draft) error { return d.Deliver(id, paul.trade(id)) })
		release, err := clara.Release(clara.context(), id, clara.trade(id), 1)
		if err != nil {
			t.Fatal(err)
		}
		b.must(release)
		paul.wants(euro, 1200+dust, 0)
		paul.do(func(d *wallet.Draft) error { return d.Collect(id, paul.trade(id)) })
		clara.do(func(d *wallet.Draft) error { return d.Collect(id, clara.trade(id)) })
		bank.do(func(d *wallet.Draft) error { return d.Send(clara.Key(), euro, 100) })
	}
	few, err := clara.node.BalancesOf(t.Context(), clara.Key(), euro, types.AssetID{9}, junk.ID())
	if err != nil || len(few.Balances) != 2 || few.Balances[1].Spendable != dust || few.Balances[1].Coins != uint64(n) {
		t.Errorf("balances of two assets: %+v, %v", few, err)
	}
	one, err := b.Balances(t.Context(), clara.Key(), []types.AssetID{euro, junk.ID()}, wire.Page{Limit: 1})
	if err != nil || len(one.Balances) != 2 || one.Next != "" {
		t.Errorf("given assets come in more than one page: %+v, %v", one, err)
	}
	b.wantPages(n, clara, euro, junk.ID())
	if _, err := b.store.Check(); err != nil {
		t.Error(err)
	}
}
