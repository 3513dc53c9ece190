package index

// schema returns the tables. Moments are Unix milliseconds; amounts are 8 bytes and totals 16, big-endian.
//
// Trades are numbered in the order in which the chain recorded them, so n stands for time: "newest first" is n downwards,
// and a range of time is a range of n. Every index on trades ends with n (as SQLite's do, by the row's number), so each
// query reads its answer from one place, in order.
//
// A trade gets its row once it is over. Those that go on are in memory, see [open]; the table open has them for the next start.
func schema() string {
	return `
CREATE TABLE position (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	ledger BLOB NOT NULL, height INTEGER NOT NULL, commitment BLOB NOT NULL,
	clock INTEGER NOT NULL, skew INTEGER NOT NULL,
	trades INTEGER NOT NULL, auctions INTEGER NOT NULL, -- how many have numbers
	base INTEGER NOT NULL, since INTEGER NOT NULL, -- the last block whose history is pruned, and the clock of the next one; 0, 0: none is
	begun INTEGER NOT NULL, begun_at INTEGER NOT NULL, -- the same of the blocks that were pruned before the index began
	whole INTEGER NOT NULL -- all auctions of slots from then on were held later than that
) STRICT;

CREATE TABLE stalls (at INTEGER PRIMARY KEY, since INTEGER NOT NULL) STRICT; -- of the ledger clock: the chain had stood still from since until at

CREATE TABLE parties (n INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE) STRICT;

CREATE TABLE products (
	n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE,
	commodity TEXT NOT NULL, unit TEXT NOT NULL, zone TEXT NOT NULL, starts INTEGER NOT NULL, ends INTEGER NOT NULL, asset BLOB NOT NULL
) STRICT;

CREATE TABLE trades (
	n INTEGER PRIMARY KEY, id BLOB NOT NULL,
	producer INTEGER NOT NULL REFERENCES parties, consumer INTEGER NOT NULL REFERENCES parties, product INTEGER NOT NULL REFERENCES products,
	phase INTEGER NOT NULL, deliver_by INTEGER NOT NULL, ended_at INTEGER NOT NULL, -- 0: it goes on
	rest BLOB NOT NULL -- see tradeRow.rest
) STRICT;
CREATE INDEX trades_phase ON trades (phase);
CREATE INDEX trades_product ON trades (product, phase, n, producer, consumer);
CREATE INDEX trades_producer ON trades (producer, phase);
CREATE INDEX trades_consumer ON trades (consumer, phase);
CREATE UNIQUE INDEX trades_open ON trades (id) WHERE phase <= 3; -- those that go on, for which memory has no room
CREATE INDEX trades_due ON trades (deliver_by) WHERE phase = 2;
CREATE INDEX trades_ended ON trades (ended_at) WHERE ended_at > 0;

CREATE TABLE open (chunk INTEGER PRIMARY KEY, rows BLOB NOT NULL) STRICT; -- the trades in memory, some in a chunk

CREATE TABLE offers ( -- those that stand no more
	id BLOB PRIMARY KEY, closed_at INTEGER NOT NULL, tx BLOB NOT NULL -- empty: it ran out
) STRICT, WITHOUT ROWID;
CREATE INDEX offers_closed ON offers (closed_at);

CREATE TABLE moments (agreed_at INTEGER PRIMARY KEY, first INTEGER NOT NULL REFERENCES trades) STRICT; -- of the trades agreed then

CREATE TABLE conduct (
	party INTEGER NOT NULL REFERENCES parties, asset BLOB NOT NULL, sums BLOB NOT NULL, -- of its trades, see conductNumbers
	PRIMARY KEY (party, asset)
) STRICT, WITHOUT ROWID;

CREATE TABLE auctions (
	n INTEGER PRIMARY KEY, product INTEGER NOT NULL UNIQUE REFERENCES products,
	commodity TEXT NOT NULL, zone TEXT NOT NULL, asset BLOB NOT NULL, starts INTEGER NOT NULL, -- as the product has them
	lot INTEGER NOT NULL, deposit INTEGER NOT NULL, bond INTEGER NOT NULL, terms INTEGER NOT NULL, arbiter BLOB NOT NULL, -- as its grid has them
	height INTEGER NOT NULL, held_at INTEGER NOT NULL, void TEXT NOT NULL, orders INTEGER NOT NULL, excluded INTEGER NOT NULL,
	filled INTEGER NOT NULL, trades INTEGER NOT NULL, rounds INTEGER NOT NULL,
	demanded BLOB NOT NULL, offered BLOB NOT NULL, volume BLOB NOT NULL, value BLOB NOT NULL
) STRICT;
CREATE INDEX auctions_ ON auctions (starts);
CREATE INDEX auctions_c ON auctions (commodity, starts);
CREATE INDEX auctions_z ON auctions (zone, starts);
CREATE INDEX auctions_a ON auctions (asset, starts);
CREATE INDEX auctions_cz ON auctions (commodity, zone, starts);
CREATE INDEX auctions_ca ON auctions (commodity, asset, starts);
CREATE INDEX auctions_za ON auctions (zone, asset, starts);
CREATE INDEX auctions_cza ON auctions (commodity, zone, asset, starts);

CREATE TABLE leaving (auction INTEGER PRIMARY KEY) STRICT; -- auctions that are pruned, and have rows in the tables below

CREATE TABLE rounds (
	auction INTEGER NOT NULL REFERENCES auctions, round INTEGER NOT NULL,
	sellers INTEGER NOT NULL, buyers INTEGER NOT NULL, price INTEGER NOT NULL, volume BLOB NOT NULL, -- the price of a lot
	PRIMARY KEY (auction, round)
) STRICT, WITHOUT ROWID;

CREATE TABLE orders (
	auction INTEGER NOT NULL REFERENCES auctions, place INTEGER NOT NULL, id BLOB NOT NULL,
	owner INTEGER NOT NULL REFERENCES parties, number INTEGER NOT NULL, side INTEGER NOT NULL,
	quantity INTEGER NOT NULL, price INTEGER NOT NULL, filled INTEGER NOT NULL, standing INTEGER NOT NULL, excluded TEXT NOT NULL,
	trades INTEGER NOT NULL, value BLOB NOT NULL, stake BLOB NOT NULL, used BLOB NOT NULL, -- the price is the limit for a lot
	PRIMARY KEY (auction, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX orders_owner ON orders (owner, auction, place);

CREATE TABLE matches (
	auction INTEGER NOT NULL REFERENCES auctions, place INTEGER NOT NULL, trade INTEGER NOT NULL REFERENCES trades, round INTEGER NOT NULL,
	leaf INTEGER NOT NULL, -- of the bid's tree of digests
	PRIMARY KEY (auction, place, trade)
) STRICT, WITHOUT ROWID;

CREATE TABLE volumes (
	commodity TEXT NOT NULL, unit TEXT NOT NULL, zone TEXT NOT NULL, asset BLOB NOT NULL, span INTEGER NOT NULL, starts INTEGER NOT NULL,
	auctions INTEGER NOT NULL, orders INTEGER NOT NULL, trades INTEGER NOT NULL, volume BLOB NOT NULL, value BLOB NOT NULL,
	PRIMARY KEY (commodity, unit, zone, asset, span, starts)
) STRICT, WITHOUT ROWID;
CREATE INDEX volumes_starts ON volumes (span, starts);
`
}

// table is a table with how many of its first columns are its key.
type table struct {
	name string
	key  int
}

// tables are those of the schema, in the order of a digest. Trades and conduct are not among them, since trades that go on are in memory.
func tables() []table {
	return []table{
		{"position", 1}, {"stalls", 1}, {"parties", 1}, {"products", 1}, {"offers", 1}, {"moments", 1},
		{"auctions", 1}, {"leaving", 1}, {"rounds", 2}, {"orders", 2}, {"matches", 3}, {"volumes", 6},
	}
}
