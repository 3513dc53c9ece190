package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"lockstep/internal/atomicfile"
	"lockstep/internal/plaintext"
	"lockstep/types"
)

// A boundStation is a charging station that was bound to a connection point and so to its seller, by the first of its sessions that
// was put on the ledger. The ledger knows a meter by its key and serial number alone; the binding notices a station that suddenly
// brings records of another meter.
type boundStation struct {
	Chain   string          `json:"chain"`
	Station string          `json:"station"`
	Point   types.PointID   `json:"point"`
	Seller  types.PublicKey `json:"seller"`
	Serial  string          `json:"serial"` // of the meter then; an exchange on the ledger keeps the point
	Key     string          `json:"key"`
}

// A stationBook holds the bound stations of one ledger, in a file in the home folder.
type stationBook struct {
	path  string
	chain string
	all   []boundStation
}

const maxStationsFile = 4 << 20

// stations reads the bound stations.
func (s *session) stations() (*stationBook, error) {
	b := &stationBook{path: filepath.Join(s.Home, "stations.json"), chain: s.params.ChainID}
	text, err := plaintext.ReadFile(b.path, maxStationsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &b.all); err != nil {
		return nil, types.Refuse(types.CodeMalformed, "%s can't be read: %v; repair it, or remove it to bind stations anew", b.path, err)
	}
	return b, nil
}

// of returns the binding of a station.
func (b *stationBook) of(station string) (boundStation, bool) {
	for _, known := range b.all {
		if station != "" && known.Chain == b.chain && known.Station == station {
			return known, true
		}
	}
	return boundStation{}, false
}

// conflict says why a station is not of a point, "" if it is or may be.
func (b *stationBook) conflict(chain, station string, point types.PointID) string {
	for _, known := range b.all {
		switch {
		case known.Chain != chain || station == "":
		case known.Station == station && known.Point != point:
			return fmt.Sprintf("station %s is bound to connection point %s with meter %s, not to %s", printable(station), known.Point, name(known.Serial), point)
		case known.Station != station && known.Point == point:
			return fmt.Sprintf("connection point %s is bound to station %s, not to %s", point, printable(known.Station), printable(station))
		}
	}
	return ""
}

// bind notes a binding in place of those that it contradicts. A binding that is known is not written again.
func (b *stationBook) bind(station boundStation) error {
	if known, ok := b.of(station.Station); ok && known.Point == station.Point {
		return nil
	}
	kept := []boundStation{}
	for _, known := range b.all {
		if known.Chain != station.Chain || known.Station != station.Station && known.Point != station.Point {
			kept = append(kept, known)
		}
	}
	b.all = append(kept, station)
	text, err := json.MarshalIndent(b.all, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(b.path), 0o700) // a wallet may be elsewhere
	}
	if err == nil {
		err = atomicfile.Replace(b.path, append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("the reading is on the ledger, but station %s was not bound: %w", printable(station.Station), err)
	}
	return nil
}
