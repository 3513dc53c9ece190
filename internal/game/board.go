package game

import (
	"crypto/sha256"
	"fmt"

	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"

	"lockstep/internal/ledger"
	"lockstep/meter"
	"lockstep/types"
)

// party is an actor. The operator issues the money and registers the meter, then does nothing more.
type party uint8

const (
	producer party = iota
	consumer
	stranger
	arbiter
	operator
	parties
)

func (p party) String() string {
	return [parties]string{"the producer", "the consumer", "a stranger", "the arbiter", "the operator"}[p]
}

func (p party) privateKey() ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("lockstep/game/" + p.String()))
	return ed25519.NewKeyFromSeed(seed[:])
}

func (p party) key() types.PublicKey {
	return types.PublicKey(p.privateKey().Public().(ed25519.PublicKey))
}

// board is a ledger in memory between two blocks. It does not change: a block makes another board.
type board struct {
	params *types.Params
	keys   *[parties]types.PublicKey
	view   *ledger.Memory
	sum    ledger.Accumulator
	clock  ledger.Clock
	purses *[parties][]input // everybody's coins, once asked for
}

// begin starts the block that follows after a gap.
func (b *board) begin(gap types.Duration) *ledger.State {
	state := ledger.New(b.view, *b.params)
	state.Begin(b.clock.Height+1, b.clock.BlockTime.Add(gap))
	return state
}

// after is the board on which a block has been done.
func (b *board) after(state *ledger.State) *board {
	next := b.clone()
	next.append(state)
	return next
}

func (b *board) clone() *board {
	clone := *b
	clone.view, clone.purses = b.view.Clone(), nil
	return &clone
}

func (b *board) append(state *ledger.State) {
	diff := state.Finish()
	b.view.Apply(diff.Changes)
	b.sum.Apply(diff.Changes)
	b.clock = diff.Clock
}

// at is the board once the ledger clock has come to a moment, in blocks no further apart than the clock cap. While the
// clock regains what an outage cost, it can be a millisecond later.
func (b *board) at(moment types.Time) *board {
	next := b.clone()
	for now := next.clock.Now(); now < moment; now = next.clock.Now() {
		gap := min(b.params.ClockCap, moment.Since(now))
		state := next.begin(gap)
		for ; state.Clock().Now() > moment && gap > 1; gap-- {
			state = next.begin(gap - 1)
		}
		next.append(state)
	}
	return next
}

// must does transactions that can't be refused, each in a block of its own.
func (b *board) must(txs ...*types.Tx) (*board, error) {
	for _, tx := range txs {
		state := b.begin(0)
		if result := state.Execute(tx, true); result.Code != types.CodeOK {
			return nil, fmt.Errorf("the ledger refused a step of the game: %s", result.Detail)
		}
		b = b.after(state)
	}
	return b, nil
}

func (b *board) reader() ledger.Reader { return ledger.Reader{View: b.view} }

// signed puts the parties' names under a body. The explorer tests which signers are needed, not whether a signature is valid, so
// there are no bytes in them: [ledger.State.Execute] is told the verdict.
func (b *board) signed(body types.Body, by ...party) *types.Tx {
	signatures := make([]types.Signature, len(by))
	for i, p := range by {
		signatures[i].Key = b.keys[p]
	}
	return types.NewTx(body, signatures...)
}

// mandates are those of two parties under an agreement or a split: their names, as in [board.signed].
func (b *board) mandates(producer, consumer party) types.Mandates {
	return types.Mandates{ValidUntil: goodUntil(b.params), Producer: types.Signature{Key: b.keys[producer]}, Consumer: types.Signature{Key: b.keys[consumer]}}
}

// agree records an agreement of the producer and its consumer, submitted by somebody.
func (b *board) agree(agreement *types.Agreement, submitter party) *types.Agree {
	buyer, _ := b.whose(agreement.Consumer)
	return &types.Agree{Agreement: *agreement, Mandates: b.mandates(producer, buyer), Submitter: b.keys[submitter]}
}

// goodUntil is the valid-until of all that is signed in a game.
func goodUntil(params *types.Params) types.Time { return opening.Add(params.MaxValidity / 2) }

// body is good for the whole game, and the same for the same content, so that equal moves are equal transactions.
func (b *board) body(actions ...types.Action) types.Body {
	return types.Body{ChainID: b.params.ChainID, ValidUntil: goodUntil(b.params), Actions: actions}
}

// The time of the game, in milliseconds: windows of 30, a clock cap of 10, slots of 60. Only their order matters.
const (
	window   = types.Duration(30)
	clockCap = types.Duration(10)
	slotSpan = types.Duration(60)
	opening  = types.Time(1_800_000_000_000) // a slot begins here
	outage   = 7 * clockCap
)

func gameParams(operatorKey types.PublicKey) *types.Params {
	return &types.Params{
		ChainID: "game", ClockCap: clockCap, MinWindow: window, Horizon: 1 << 20, MaxValidity: 1 << 20, Slot: slotSpan,
		Operators: []types.PublicKey{operatorKey}, Entries: types.DefaultEntryParams(),
	}
}

func money(issuer types.PublicKey) types.Asset {
	return types.Asset{Issuer: issuer, Code: "EUR", Decimals: 2}
}

// register is the meter register of the producer: active energy that goes out.
const register = "01-00:02.08.00*FF"

func gatewayKey() ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("lockstep/game/gateway"))
	return ed25519.NewKeyFromSeed(seed[:])
}

func gateway() *types.PointMeter {
	key := [32]byte(gatewayKey().Public().(ed25519.PublicKey))
	return &types.PointMeter{Form: types.FormNative, Key: ledger.NativeMeterKey(key), Export: []string{register}}
}

// record is the meter's signed record of an interval: the truth.
func record(from, until types.Time, page, quantity uint64) (types.HexBytes, error) {
	code, err := meter.ParseOBIS(register)
	if err != nil {
		return nil, err
	}
	key := gatewayKey()
	n := meter.Native{
		Meter: [32]byte(key.Public().(ed25519.PublicKey)), Register: code, Direction: meter.Export,
		From: int64(from), Until: int64(until), Page: page, Form: meter.FormQuantity, End: quantity,
	}
	signed := meter.SignedNative{Native: n, Signature: [64]byte(ed25519.Sign(key, n.Bytes()))}
	return types.HexBytes(signed.String()), nil
}

// newBoard gives each party its purse, and the producer its meter.
func newBoard(purses [parties]types.Amount) (*board, []*types.Tx, error) {
	keys := new([parties]types.PublicKey)
	for p := range parties {
		keys[p] = p.key()
	}
	b := &board{params: gameParams(keys[operator]), keys: keys, view: ledger.NewMemory(), clock: ledger.Clock{BlockTime: opening}}
	state := ledger.New(b.view, *b.params)
	state.Begin(1, opening)
	b = b.after(state)
	asset := money(keys[operator])
	total, ok := types.Sum(purses[:]...)
	if !ok {
		return nil, nil, types.Refuse(types.CodeOverflow, "the parties' purses are more than the ledger can count")
	}
	issue := b.body(&types.Issue{Asset: asset, Amount: total})
	for p, purse := range purses {
		if purse > 0 {
			issue.Outputs = append(issue.Outputs, b.coin(party(p), purse))
		}
	}
	setUp := []*types.Tx{
		b.signed(issue, operator),
		b.signed(b.body(&types.Admit{Operator: keys[operator], Member: types.Member{Key: keys[producer], Name: "producer"}}), operator),
		b.signed(b.body(&types.Enrol{Operator: keys[operator], Owner: keys[producer], Meter: *gateway()}), operator),
	}
	b, err := b.must(setUp...)
	return b, setUp, err
}

func (b *board) coin(owner party, amount types.Amount) types.Output {
	asset := money(b.keys[operator])
	return types.Output{Asset: asset.ID(), Amount: amount, Lock: types.ToKey(b.keys[owner])}
}

func (b *board) whose(key types.PublicKey) (party, bool) {
	for p := range parties {
		if b.keys[p] == key {
			return p, true
		}
	}
	return 0, false
}
