// Package board is a ledger in memory between two blocks, with the parties, the money and the times of a game.
package board

import (
	"crypto/sha256"
	"fmt"

	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"

	"lockstep/internal/ledger"
	"lockstep/meter"
	"lockstep/types"
)

// Party is an actor. The operator issues the money and enrols the meter, then does nothing more.
type Party uint8

// The parties, and their number.
const (
	Producer Party = iota
	Consumer
	Stranger
	Arbiter
	Operator
	Parties
)

func (p Party) String() string {
	return [Parties]string{"the producer", "the consumer", "a stranger", "the arbiter", "the operator"}[p]
}

// Name returns the word for a party in the name of a scene.
func (p Party) Name() string {
	return [Parties]string{"producer", "consumer", "stranger", "arbiter", "operator"}[p]
}

func (p Party) privateKey() ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("lockstep/game/" + p.String()))
	return ed25519.NewKeyFromSeed(seed[:])
}

func (p Party) key() types.PublicKey {
	return types.PublicKey(p.privateKey().Public().(ed25519.PublicKey))
}

// Board is a ledger in memory between two blocks. It does not change: a block makes another board.
type Board struct {
	Params *types.Params
	Keys   *[Parties]types.PublicKey
	View   *ledger.Memory
	Sum    ledger.Accumulator
	Clock  ledger.Clock
	Leaves []ledger.Leaf    // of the log of outcomes, by the blocks since the board before
	purses *[Parties][]Coin // everybody's coins, once asked for
}

// Begin starts the block that follows after a gap.
func (b *Board) Begin(gap types.Duration) *ledger.State {
	state := ledger.New(b.View, *b.Params)
	state.Begin(b.Clock.Height+1, b.Clock.BlockTime.Add(gap))
	return state
}

// After returns the board after a block.
func (b *Board) After(state *ledger.State) *Board {
	next := b.clone()
	next.Append(state)
	return next
}

func (b *Board) clone() *Board {
	clone := *b
	clone.View, clone.purses, clone.Leaves = b.View.Clone(), nil, nil
	return &clone
}

// Append adds a block to this board, which nobody else may use.
func (b *Board) Append(state *ledger.State) {
	diff := state.Finish()
	b.View.Apply(diff.Changes)
	b.Sum.Apply(diff.Changes)
	b.Clock = diff.Clock
	b.Leaves = append(b.Leaves, diff.Leaves...)
}

// At returns the board when the ledger clock reaches a moment, in blocks no further apart than the clock cap. While the clock makes up for
// an outage, it can be a millisecond later.
func (b *Board) At(moment types.Time) *Board {
	next := b.clone()
	for now := next.Clock.Now(); now < moment; now = next.Clock.Now() {
		gap := min(b.Params.ClockCap, moment.Since(now))
		state := next.Begin(gap)
		for ; state.Clock().Now() > moment && gap > 1; gap-- {
			state = next.Begin(gap - 1)
		}
		next.Append(state)
	}
	return next
}

// Must executes transactions that can't be refused, each in a block of its own.
func (b *Board) Must(txs ...*types.Tx) (*Board, error) {
	for _, tx := range txs {
		state := b.Begin(0)
		if result := state.Execute(tx, true); result.Code != types.CodeOK {
			return nil, fmt.Errorf("the ledger refused a step of the game: %s", result.Detail)
		}
		b = b.After(state)
	}
	return b, nil
}

// Reader reads the state of the ledger.
func (b *Board) Reader() ledger.Reader { return ledger.Reader{View: b.View} }

// Signed returns a transaction with the keys of its signers, without signatures: [ledger.State.Execute] takes the verdict on them as an
// argument.
func (b *Board) Signed(body types.Body, by ...Party) *types.Tx {
	signatures := make([]types.Signature, len(by))
	for i, p := range by {
		signatures[i].Key = b.Keys[p]
	}
	return types.NewTx(body, signatures...)
}

// Mandates returns the mandates of two parties under an agreement or a split, without signatures as in [Board.Signed].
func (b *Board) Mandates(producer, consumer Party) types.Mandates {
	return types.Mandates{ValidUntil: goodUntil(b.Params), Producer: types.Signature{Key: b.Keys[producer]}, Consumer: types.Signature{Key: b.Keys[consumer]}}
}

// Agree returns the action that records an agreement of the producer and a consumer.
func (b *Board) Agree(agreement *types.Agreement, submitter Party) *types.Agree {
	buyer, _ := b.Whose(agreement.Consumer)
	return &types.Agree{Agreement: *agreement, Mandates: b.Mandates(Producer, buyer), Submitter: b.Keys[submitter]}
}

// goodUntil is the valid-until of all that is signed in a game.
func goodUntil(params *types.Params) types.Time { return Opening.Add(params.MaxValidity / 2) }

// Body returns a body that is valid during the whole game. Equal moves are equal transactions.
func (b *Board) Body(actions ...types.Action) types.Body {
	return types.Body{ChainID: b.Params.ChainID, ValidUntil: goodUntil(b.Params), Actions: actions}
}

// The time of the game, in milliseconds. Only the order of its moments matters.
const (
	Window   = types.Duration(30)
	ClockCap = types.Duration(10)
	Outage   = 7 * ClockCap
	slotSpan = types.Duration(60)
	Opening  = types.Time(1_800_000_000_000) // a slot begins here
)

// The slot of the game's goods. Delivery is committed well before the slot: block time can pass the beginning of the slot in an outage, while
// the ledger clock is still before deliver-by.
const (
	SlotFrom   = Opening + types.Time(2*slotSpan)
	SlotMiddle = SlotFrom + types.Time(slotSpan/2)
	SlotUntil  = SlotFrom + types.Time(slotSpan)
)

func gameParams(operatorKey types.PublicKey) *types.Params {
	return &types.Params{
		ChainID: "game", ClockCap: ClockCap, MinWindow: Window, Horizon: 1 << 20, MaxValidity: 1 << 20, Slot: slotSpan,
		Operators: []types.PublicKey{operatorKey}, Entries: types.DefaultEntryParams(),
	}
}

// Money is the asset of a game, which the operator issues.
func (b *Board) Money() types.Asset {
	return types.Asset{Issuer: b.Keys[Operator], Code: "EUR", Decimals: 2}
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

// Record returns the signed record of an interval. The meter tells the truth.
func Record(from, until types.Time, page, quantity uint64) (types.HexBytes, error) {
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

// Blank returns the parties and the parameters of a game on a ledger without blocks.
func Blank() *Board {
	keys := new([Parties]types.PublicKey)
	for p := range Parties {
		keys[p] = p.key()
	}
	return &Board{Params: gameParams(keys[Operator]), Keys: keys, View: ledger.NewMemory(), Clock: ledger.Clock{BlockTime: Opening}}
}

// New gives each party its purse, and the producer its meter.
func New(purses [Parties]types.Amount) (*Board, []*types.Tx, error) {
	return NewMarket(purses, types.MarketParams{})
}

// NewMarket is [New] on a ledger that holds auctions.
func NewMarket(purses [Parties]types.Amount, market types.MarketParams) (*Board, []*types.Tx, error) {
	b := Blank()
	b.Params.Market = market
	state := ledger.New(b.View, *b.Params)
	state.Begin(1, Opening)
	b = b.After(state)
	asset := b.Money()
	total, ok := types.Sum(purses[:]...)
	if !ok {
		return nil, nil, types.Refuse(types.CodeOverflow, "the parties' purses are more than the ledger can count")
	}
	issue := b.Body(&types.Issue{Asset: asset, Amount: total})
	for p, purse := range purses {
		if purse > 0 {
			issue.Outputs = append(issue.Outputs, b.Output(Party(p), purse))
		}
	}
	setUp := []*types.Tx{
		b.Signed(issue, Operator),
		b.Signed(b.Body(&types.Admit{Operator: b.Keys[Operator], Member: types.Member{Key: b.Keys[Producer], Name: "producer"}}), Operator),
		b.Signed(b.Body(&types.Enrol{Operator: b.Keys[Operator], Owner: b.Keys[Producer], Meter: *gateway()}), Operator),
	}
	b, err := b.Must(setUp...)
	return b, setUp, err
}

// Output returns an output of money to a party.
func (b *Board) Output(owner Party, amount types.Amount) types.Output {
	asset := b.Money()
	return types.Output{Asset: asset.ID(), Amount: amount, Lock: types.ToKey(b.Keys[owner])}
}

// Whose returns the party with a key; false when no party has it.
func (b *Board) Whose(key types.PublicKey) (Party, bool) {
	for p := range Parties {
		if b.Keys[p] == key {
			return p, true
		}
	}
	return 0, false
}

// Coin is an output, and the party whose key spends it.
type Coin struct {
	Outpoint types.Outpoint
	Amount   types.Amount
	By       Party
}

// Coins returns the outputs locked to a party's key.
func (b *Board) Coins(who Party) []Coin {
	if b.purses == nil {
		b.purses = new([Parties][]Coin)
		for outpoint, holding := range b.Reader().Holdings() {
			if owner, known := b.Whose(holding.Key); known && holding.Trade == nil {
				b.purses[owner] = append(b.purses[owner], Coin{outpoint, holding.Amount, owner})
			}
		}
	}
	return b.purses[who]
}

// Secret returns the consumer's secret of a trade by the number of the trade in its game.
func Secret(trade int) types.Secret { return types.Secret{byte(trade) + 1, 7} }

// Flow returns the producer's export at its connection point.
func (b *Board) Flow() types.Flow {
	return types.Flow{Point: gateway().ID(), Direction: types.DirectionExport}
}
