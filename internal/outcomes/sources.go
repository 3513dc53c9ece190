package outcomes

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"lockstep/types"
)

// Source is the log of another node.
type Source struct {
	Name  string
	Fetch func(ctx context.Context, path string) ([]byte, error) // a file of C2SP tlog-tiles
	Lost  error                                                  // why it is not asked at all, if so
}

// Refused is a source that was not asked again, and the reason.
type Refused struct {
	Source string `json:"source"`
	Why    string `json:"why"`
}

// sources asks other nodes, each until it fails or lies.
type sources struct {
	list  []Source
	lost  []error // why a source is not asked again
	tiles []map[uint64][]byte
}

func newSources(list []Source) *sources {
	s := &sources{list: list, lost: make([]error, len(list))}
	for i := range list {
		s.lost[i], s.tiles = list[i].Lost, append(s.tiles, map[uint64][]byte{})
	}
	return s
}

// unavailable is the error of a file that no source has given.
type unavailable struct{ error }

var errOther = errors.New("it gives outcomes of another log than this ledger's")

// get returns a file that a caller accepts, and the name of the node that gave it.
func (s *sources) get(ctx context.Context, path string, accept func(content []byte) bool) (from string, err error) {
	var reasons []string
	for i, source := range s.list {
		content, err := s.fetch(ctx, i, path)
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if err == nil && !accept(content) {
			s.lost[i] = fmt.Errorf("%s: %w", path, errOther)
			err = s.lost[i]
		}
		if err == nil {
			return source.Name, nil
		}
		reasons = append(reasons, source.Name+": "+err.Error())
	}
	return "", s.missing(path, reasons...)
}

// missing is the error of a thing that no source has given.
func (s *sources) missing(what string, reasons ...string) error {
	if len(s.list) == 0 {
		return &unavailable{fmt.Errorf("%s would have to come from another node of the ledger: name one by --from URL", what)}
	}
	if len(reasons) == 0 {
		for _, lost := range s.refused() {
			reasons = append(reasons, lost.Source+": "+lost.Why)
		}
	}
	return &unavailable{fmt.Errorf("no other node gave %s (%s): name one that keeps all outcomes (\"keep\": \"all\") by --from URL", what, strings.Join(reasons, "; "))}
}

// fetch asks one source. A source that does not answer is not asked again; one that does not have the file is.
func (s *sources) fetch(ctx context.Context, i int, path string) ([]byte, error) {
	if s.lost[i] != nil {
		return nil, s.lost[i]
	}
	content, err := s.list[i].Fetch(ctx, path)
	if code := types.CodeOf(err); err != nil && ctx.Err() == nil && code != types.CodePruned && code != types.CodeNotFound {
		s.lost[i] = err
	}
	return content, err
}

// root returns the root of a full segment as a source says it.
func (s *sources) root(ctx context.Context, i int, segment, segments uint64) (tlog.Hash, error) {
	number := segment / Width
	tile, known := s.tiles[i][number]
	if !known {
		width := min(Width, segments-number*Width)
		content, err := s.fetch(ctx, i, tilePath(tlog.Tile{H: tileHeight, L: 2, N: int64(number), W: int(width)}))
		if ctx.Err() != nil {
			return tlog.Hash{}, ctx.Err()
		}
		if err == nil && uint64(len(content)) != hashLength*width {
			err = errOther
			s.lost[i] = err
		}
		if err != nil {
			return tlog.Hash{}, &unavailable{err}
		}
		tile = content
		s.tiles[i][number] = tile
	}
	return row(tile).at(segment % Width), nil
}

// refused returns the sources that are not asked again.
func (s *sources) refused() (refused []Refused) {
	for i, err := range s.lost {
		if err != nil {
			refused = append(refused, Refused{s.list[i].Name, err.Error()})
		}
	}
	return refused
}
