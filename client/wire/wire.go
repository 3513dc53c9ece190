// Package wire holds the messages of the HTTP API, shared by the server (package httpapi) and the SDK (package client). Domain values
// have the JSON form of package types; amounts are decimal strings.
package wire

import (
	"lockstep/trade"
	"lockstep/types"
	"lockstep/types/canon"
)

// The media types of the API besides JSON.
const (
	ProblemType = "application/problem+json" // an error, see [Problem]
	CBORType    = "application/cbor"         // a transaction, or an array of them, in canonical CBOR
)

// Status is the status of a node and its ledger.
type Status struct {
	ChainID    string         `json:"chain_id"`
	Genesis    types.Hash     `json:"genesis" doc:"hash of the ledger's name, parameters, first validators and start time: it distinguishes ledgers of one name"`
	Node       string         `json:"node,omitzero" doc:"how its peers name the node"`
	Version    string         `json:"version"`
	Height     uint64         `json:"height"`
	BlockTime  types.Time     `json:"block_time"`
	Clock      types.Time     `json:"clock" doc:"the ledger clock, by which deadlines count"`
	Skew       types.Duration `json:"skew" doc:"how far the ledger clock is behind block time"`
	Commitment types.Hash     `json:"commitment" doc:"the commitment of the last block to the state (app hash)"`
	Waiting    int            `json:"waiting" doc:"transactions in the pool"`
	Peers      int            `json:"peers"`
	Validators int            `json:"validators"`
	SinceBlock types.Duration `json:"since_block" doc:"the time since the last block arrived at this node"`
	Halted     bool           `json:"halted" doc:"no block arrived for much longer than an idle ledger waits"`
	OnDisk     uint64         `json:"on_disk,omitzero" doc:"the height up to which the state and the log of outcomes are on the disk; the next start makes them again for later blocks"`
	Index      uint64         `json:"index,omitzero" doc:"the height up to which the index goes, from which history is answered"`
	IndexFrom  uint64         `json:"index_from,omitzero" doc:"the first block whose history the index has; absent when it has all"`
	From       uint64         `json:"from,omitzero" doc:"the first block that this node keeps; absent when it keeps all"`
	DiskFree   uint64         `json:"disk_free,omitzero" doc:"bytes left on the disk of the node"`
	DiskFullIn types.Duration `json:"disk_full_in,omitzero" doc:"when the disk is full at the pace of the last day; absent while it doesn't fill, or after less than an hour"`
	CertEnds   types.Time     `json:"certificate_ends,omitzero" doc:"when the TLS certificate of the node ends"`
	Troubles   []string       `json:"troubles" nullable:"false" doc:"faults of the node, such as its clock or its disk, in sentences"`
}

// The states of a submitted transaction.
const (
	StatusPending   = "pending"   // in the pool
	StatusCommitted = "committed" // on the ledger, final
	StatusRefused   = "refused"   // by the pool or in its block; it changed nothing, and Code is the reason
)

// Submission carries an encoded transaction.
type Submission struct {
	Tx []byte `json:"tx" doc:"the transaction in canonical CBOR, base64"`
}

// MaxBatch bounds the transactions of one request.
const MaxBatch = 256

// Submissions carries several encoded transactions.
type Submissions struct {
	Txs [][]byte `json:"txs" doc:"transactions in canonical CBOR, base64; at most 256" nullable:"false"`
}

// Fields is the form of [CBORType]: an array of byte strings, each a transaction. See [canon.Value].
func (s *Submissions) Fields(c *canon.Coder) {
	canon.LongList(c, "transactions", &s.Txs, MaxBatch, func(tx *[]byte, c *canon.Coder) { canon.View(c, "transaction", tx) })
}

// Receipts has the receipts of several transactions, in their order.
type Receipts struct {
	Receipts []Receipt `json:"receipts" nullable:"false"`
}

// Outcomes has the outcomes of the transactions of a block, or of a part of them.
type Outcomes struct {
	Height uint64    `json:"height"`
	Txs    []Outcome `json:"txs" nullable:"false"`
}

// Outcome is the result of a transaction in its block.
type Outcome struct {
	ID   types.TxID `json:"id"`
	Code types.Code `json:"code"`
}

// Receipt is the present outcome of a transaction.
type Receipt struct {
	Tx     types.TxID `json:"tx,omitzero" doc:"absent when the submission can't be decoded"`
	Status string     `json:"status" enum:"pending,committed,refused"`
	Height uint64     `json:"height,omitempty" doc:"of its block; absent while it has none"`
	Code   types.Code `json:"code" doc:"the reason of a refusal, else ok"`
	Detail string     `json:"detail,omitempty"`
}

// Coins is a page of the coins of a key in one asset, at one height: the largest first, then refunds by their deadlines.
type Coins struct {
	Height uint64       `json:"height"`
	Clock  types.Time   `json:"clock"`
	Coins  []types.Coin `json:"coins" nullable:"false"`
	Next   string       `json:"next,omitempty" doc:"pass as 'after' for the next page; absent on the last"`
}

// Balance has the sums of a key in one asset.
type Balance struct {
	Asset     types.AssetID   `json:"asset" doc:"the id of the asset: the hash of issuer, code and decimals"`
	Issuer    types.PublicKey `json:"issuer"`
	Code      string          `json:"code"`
	Decimals  uint8           `json:"decimals"`
	Spendable types.Amount    `json:"spendable"`
	Locked    types.Amount    `json:"locked" doc:"put into trades by the key and not unlocked yet"`
	InOrders  types.Amount    `json:"in_orders" doc:"locked by the key's orders and standing offers"`
	Coins     uint64          `json:"coins" doc:"the number of coins of the spendable sum, without refunds that are due"`
	More      bool            `json:"more,omitempty" doc:"more refunds are due than are counted here: they are part of the locked sum"`
}

// Balances is a page of the balances of a key by asset, at one height.
type Balances struct {
	Height   uint64     `json:"height"`
	Clock    types.Time `json:"clock"`
	Balances []Balance  `json:"balances" nullable:"false"`
	Next     string     `json:"next,omitempty" doc:"pass as 'after' for the next page; absent on the last"`
}

// The kinds of a [Lock].
const (
	LockKey   = "key"
	LockTrade = "trade"
)

// Lock tells where an unspent sum is: with a key, or in a trade.
type Lock struct {
	Kind  string           `json:"kind" enum:"key,trade"`
	Key   *types.PublicKey `json:"key,omitempty" doc:"the owner of an output"`
	Trade *types.TradeID   `json:"trade,omitempty" doc:"the trade that has locked the sum"`
	Part  types.Part       `json:"part,omitzero" doc:"the part of the trade that the sum is"`
}

// Sum is an amount of an asset and its lock.
type Sum struct {
	Asset  types.AssetID `json:"asset"`
	Amount types.Amount  `json:"amount"`
	Lock   Lock          `json:"lock"`
}

// Output is an unspent output, or a part of a trade, with the key that can spend it now.
type Output struct {
	Outpoint types.Outpoint   `json:"outpoint"`
	Output   Sum              `json:"output"`
	Owner    *types.PublicKey `json:"owner,omitempty" doc:"the key that can spend it now; absent while nobody can"`
	Clock    types.Time       `json:"clock"`
	Height   uint64           `json:"height"`
}

// Trade is the state of a trade at one moment of the ledger clock.
type Trade struct {
	ID     types.TradeID `json:"id"`
	Phase  types.Phase   `json:"phase" doc:"now; a passed deadline counts"`
	Over   bool          `json:"over" doc:"it has left the ledger's state: nothing is locked and no step can follow"`
	Clock  types.Time    `json:"clock"`
	Height uint64        `json:"height"`
	Moves  []types.Move  `json:"moves" nullable:"false" doc:"the moves that are possible now; the trade waits for the first"`
	Trade  types.Trade   `json:"trade"`

	Reading uint64       `json:"reading,omitzero" doc:"under meter terms: the quantity that the readings so far allot to the trade"`
	Status  trade.Status `json:"status" doc:"answers to a viewer's questions, as keys with arguments; the Go package trade/words has them in English and Chinese"`
}

// Trades is a page of the trades of a key, newest first.
type Trades struct {
	Trades []Trade `json:"trades" nullable:"false"`
	Next   string  `json:"next,omitempty" doc:"pass as 'after' for the next page; absent on the last"`
}

// Offer is a standing offer.
type Offer struct {
	ID        types.OfferID `json:"id"`
	Remaining uint64        `json:"remaining"`
	Stake     types.Amount  `json:"stake" doc:"the bond of the remaining quantity, locked with the offer; 0: the bond is locked at delivery"`
	Offer     types.Offer   `json:"offer"`
}

// Offers is a page of the standing offers.
type Offers struct {
	Clock  types.Time `json:"clock"`
	Offers []Offer    `json:"offers" nullable:"false"`
	Next   string     `json:"next,omitempty" doc:"pass as 'after' for the next page; absent on the last"`
}

// Asset is an asset with the amount in circulation (Issued) and the fees.
type Asset struct {
	ID     types.AssetID `json:"id"`
	Asset  types.Asset   `json:"asset"`
	Issued types.Amount  `json:"issued"`
	// InOrders is the part of the issued money that orders and standing offers have staked.
	InOrders types.Amount `json:"in_orders" doc:"staked by orders and standing offers"`
	Fees     types.Amount `json:"fees"`
	// Recognised is set for assets that the ledger's operators or its genesis vouch for.
	Recognised bool         `json:"recognised" doc:"by the ledger's operators, or at genesis"`
	Least      types.Amount `json:"least" doc:"the smallest output of a recognised asset"`
}

// Assets is a page of the assets of the ledger, or of one code, by id.
type Assets struct {
	Height uint64  `json:"height"`
	Assets []Asset `json:"assets" nullable:"false"`
	Next   string  `json:"next,omitempty" doc:"pass as 'after' for the next page; absent on the last"`
}

// JoinRequests are the requests of newcomers to become members that wait at a node, oldest first.
type JoinRequests struct {
	Requests []types.JoinRequest `json:"requests" nullable:"false"`
}

// The states of a request to join.
const (
	JoinWaiting  = "waiting"
	JoinDeclined = "declined"
	JoinAdmitted = "admitted"
)

// JoinState is the state of a key's request to join, as a node knows it.
type JoinState struct {
	State   string             `json:"state" enum:"waiting,declined,admitted"`
	Request *types.JoinRequest `json:"request,omitempty" doc:"the request; absent when the key is a member"`
	Decline *types.JoinDecline `json:"decline,omitempty" doc:"the operator's refusal with its reason, when the request was declined"`
	Member  *types.Member      `json:"member,omitempty" doc:"the key with its name, when it is a member"`
}

// Block is a block with its results and events, for the server; it is served as a [BlockHead] and pages.
type Block struct {
	Height     uint64
	BlockTime  types.Time
	Clock      types.Time
	Commitment types.Hash
	Txs        []BlockTx
	Events     []types.Event
}

// Head is the block without its lists.
func (b *Block) Head() BlockHead {
	return BlockHead{
		Height: b.Height, BlockTime: b.BlockTime, Clock: b.Clock, Commitment: b.Commitment, TxCount: len(b.Txs), EventCount: len(b.Events),
	}
}

// BlockHead is a block without its transactions and events, which are lists of their own.
type BlockHead struct {
	Height     uint64     `json:"height"`
	BlockTime  types.Time `json:"block_time"`
	Clock      types.Time `json:"clock"`
	Commitment types.Hash `json:"commitment"`
	TxCount    int        `json:"tx_count"`
	EventCount int        `json:"event_count"`
}

// Event is an event in a stream. In a stream of a key or of a trade it has the status of its trade.
type Event struct {
	types.Event
	Status *EventStatus `json:"status,omitempty" doc:"of the trade, when the event was sent; in streams of a key or of a trade"`
}

// EventStatus is the status of the trade of an event, at the last block when the event was sent: later than the event if the stream
// began in the past.
type EventStatus struct {
	Height uint64        `json:"height"`
	Clock  types.Time    `json:"clock"`
	Asset  types.AssetID `json:"asset" doc:"of all sums"`
	Unit   string        `json:"unit" doc:"of all quantities"`
	Status trade.Status  `json:"status" doc:"the same as in the answer about the trade"`
}

// BlockTxs is a page of the transactions of a block, in their order.
type BlockTxs struct {
	Height uint64    `json:"height"`
	Txs    []BlockTx `json:"txs" nullable:"false"`
	Next   string    `json:"next,omitempty" doc:"pass as 'after' for the next page; absent on the last"`
}

// BlockEvents is a page of the events of a block, in their order.
type BlockEvents struct {
	Height uint64        `json:"height"`
	Events []types.Event `json:"events" nullable:"false"`
	Next   string        `json:"next,omitempty" doc:"pass as 'after' for the next page; absent on the last"`
}

// BlockTx is a transaction of a block. Tx is absent where the node has pruned its body.
type BlockTx struct {
	ID     types.TxID `json:"id"`
	Code   types.Code `json:"code"`
	Detail string     `json:"detail,omitempty"`
	Tx     *types.Tx  `json:"tx,omitempty"`
}

// Health reports that a node answers, or that its ledger makes blocks.
type Health struct {
	Status string `json:"status" enum:"ok,halted,ready" doc:"halted: the node lives, and the ledger stands still"`
	Height uint64 `json:"height"`
}

// Network has the data that another node needs to follow the ledger of this one.
type Network struct {
	ChainID string     `json:"chain_id"`
	Genesis types.Hash `json:"genesis" doc:"hash of the genesis, as in the status: compare it with one that an operator of the ledger told you"`
	File    []byte     `json:"file" doc:"the genesis file, base64"`
	Node    string     `json:"node" doc:"the name of this node among its peers"`
	Listen  string     `json:"listen" doc:"where it takes connections of other nodes, as host:port, or nothing; the host may be unspecified"`
	Peers   []string   `json:"peers" doc:"nodes that it is connected with and that take connections, each id@host:port" nullable:"false"`

	Snapshot uint64 `json:"snapshot" doc:"the last block of the newest snapshot that this node offers to new nodes, 0 for none"`
}

// Validators tells how the validators of a ledger take part, as a node sees it.
type Validators struct {
	Height     uint64      `json:"height" doc:"of the last block"`
	Blocks     int         `json:"blocks" doc:"the last blocks that were looked at"`
	Power      int64       `json:"power" doc:"of all validators"`
	Needed     int64       `json:"needed" doc:"the power without which no block is made: more than two thirds"`
	Heard      int64       `json:"heard" doc:"the power of the validators that are heard"`
	Validators []Validator `json:"validators" nullable:"false"`
}

// Validator is a validator and how it took part in the last blocks.
type Validator struct {
	Key    types.PublicKey `json:"key"`
	Power  int64           `json:"power"`
	Signed int             `json:"signed" doc:"the blocks whose commit has its signature; a commit takes those that come first, so a slow validator lacks some"`
	Last   uint64          `json:"last,omitzero" doc:"the newest block that it signed"`
	Heard  bool            `json:"heard" doc:"its vote for the next block reached the node, or for the last one as long as there is no next"`

	Ahead  types.Duration `json:"ahead,omitzero" doc:"how far its clock is ahead of this node's, by the time of its last vote"`
	Behind types.Duration `json:"behind,omitzero" doc:"how far its clock is behind this node's; the delay of the network is in it"`
}

// Problem is an error by RFC 9457 with the ledger's code.
type Problem struct {
	Type   string     `json:"type"`
	Title  string     `json:"title"`
	Status int        `json:"status"`
	Detail string     `json:"detail"`
	Code   types.Code `json:"code"`
}
