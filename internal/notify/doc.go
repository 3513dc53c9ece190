// Package notify tells the owner of a key in time, and only of matters that need the owner: a step that waits for this side, a deadline that comes near,
// an end that was not meant, a node that is away. Each notice has its cause, its deadline and its consequence, from [trade.StatusAt] and
// the catalogue of package words.
//
// [Of] finds the notice in a status: a pure function, so the same matter has the same id at every start. A [Queue] keeps notices on disk
// until each [Sink] has taken them, and remembers the ids: each matter is queued once. a [Courier] sends them on, and a [Watcher]
// follows a node. Nothing here waits for a receiver before it goes on watching.
package notify
