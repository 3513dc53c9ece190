package outcomes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/mod/sumdb/tlog"

	"lockstep/types"
)

// Repaired is the report of [Repair]: its findings and actions.
type Repaired struct {
	Leaves  uint64    `json:"leaves"` // of the log
	From    uint64    `json:"from"`   // the first one that is kept
	Damaged []Finding `json:"damaged,omitempty"`
	Refused []Refused `json:"refused,omitempty"`
}

// Finding is a damaged or missing file.
type Finding struct {
	File   string `json:"file"`
	Damage string `json:"damage"`
	Done   string `json:"done,omitempty"` // how it was repaired
	Why    string `json:"why,omitempty"`  // it was not
}

// Whole reports whether each damaged file is repaired.
func (r *Repaired) Whole() bool {
	return !slices.ContainsFunc(r.Damaged, func(f Finding) bool { return f.Done == "" })
}

func (r *Repaired) add(file, damage, done string, err error) {
	finding := Finding{File: file, Damage: strings.TrimPrefix(strings.TrimPrefix(damage, ErrDamaged.Error()+": "), file+": "), Done: done}
	if err != nil {
		finding.Done, finding.Why = "", err.Error()
	}
	r.Damaged = append(r.Damaged, finding)
}

// Repair compares the files of a log with the mark that the ledger has written, and makes those anew that are damaged or missing: a segment from the leaves of it that are
// whole and, for the others, from the logs of other nodes; hashes and offsets from the segments. It writes nothing that does not lead to the roots in the mark, and replaces a
// file when the new one is whole and synced, so a crash leaves one of the two. No other may use the files. An error is one that ends the repair; files that can't be
// repaired are findings.
func Repair(ctx context.Context, files Files, start Start, at Mark, sources []Source) (Repaired, error) {
	r := &repairer{
		log: &Log{files: files, unpacked: new(unpacked), start: start, at: at}, sources: newSources(sources),
		report: Repaired{Leaves: at.Size, From: start.First}, segments: at.Size >> segmentHeight,
	}
	err := start.valid(&at)
	if err == nil {
		err = r.log.tidy()
	}
	for _, step := range []func(context.Context) error{r.readRows, r.trust, r.repairSegments, r.repairPrunedRows, r.writeRows} {
		if err == nil {
			err = step(ctx)
		}
	}
	r.report.Refused = r.sources.refused()
	return r.report, errors.Join(err, r.log.tidy())
}

// repairer is a repair in progress.
type repairer struct {
	log      *Log
	sources  *sources
	report   Repaired
	segments uint64 // that are full

	own   [levels]row  // the hashes of levels as the files have them
	fixed [levels]row  // as they should be
	roots []types.Hash // of the full segments, by their number
	known []bool       // those of them that lead to the mark

	partial bool // some hashes of bundles could not be compared with the mark
}

// row holds consecutive hashes of a level.
type row []byte

func (r row) at(n uint64) tlog.Hash      { return tlog.Hash(r[hashLength*n:]) }
func (r row) set(n uint64, h types.Hash) { copy(r[hashLength*n:], h[:]) }

// perTile is the number of bundles of a full segment.
const perTile = segmentLeaves / Width

// isDamage tells errors by which a file is damaged from those of a system that can't read it now.
func isDamage(err error) bool {
	return errors.Is(err, ErrDamaged) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EIO)
}

// sum returns the root of a complete subtree from those of a lower height; the subtrees before the snapshot are known by its peaks.
func (s *Start) sum(height int, n uint64, lowest int, of func(n uint64) tlog.Hash) (tlog.Hash, error) {
	if (n+1)<<height <= s.Joined.Size {
		return s.peak(height, n)
	}
	if height == lowest {
		return of(n), nil
	}
	left, err := s.sum(height-1, 2*n, lowest, of)
	if err != nil {
		return left, err
	}
	right, err := s.sum(height-1, 2*n+1, lowest, of)
	return tlog.NodeHash(left, right), err
}

// readRows reads the files of hashes. Hashes that are missing are zero.
func (r *repairer) readRows(context.Context) error {
	for level := 1; level < levels; level++ {
		content := make(row, hashLength*(r.log.at.Size>>(level*tileHeight)))
		size, err := r.log.files.Size(hashesFile(level))
		if err == nil && size > 0 {
			err = r.log.read(hashesFile(level), 0, content[:min(uint64(size), uint64(len(content)))])
		}
		if err != nil && !isDamage(err) {
			return err
		}
		r.own[level], r.fixed[level] = content, slices.Clone(content)
	}
	return nil
}

// trust finds the roots of the full segments: those that lead to the peaks of the mark. The files of hashes have them twice, the leaves once more, and so have the sources.
func (r *repairer) trust(ctx context.Context) error {
	r.roots, r.known = make([]types.Hash, r.segments), make([]bool, r.segments)
	start := &r.log.start
	byBundles := func(segment uint64) (tlog.Hash, error) {
		return start.sum(segmentHeight, segment, tileHeight, r.own[1].at)
	}
	candidates := []func(segment uint64) (tlog.Hash, error){
		func(segment uint64) (tlog.Hash, error) { return r.own[2].at(segment), nil },
		byBundles,
		func(segment uint64) (tlog.Hash, error) {
			if segment < start.First>>segmentHeight {
				return byBundles(segment)
			}
			forms, err := r.forms(segment)
			if err != nil {
				return tlog.Hash{}, err
			}
			read, err := r.readForm(segment, &forms[0])
			return read.root, err
		},
	}
	own := len(candidates)
	for i := range r.sources.list {
		candidates = append(candidates, func(segment uint64) (tlog.Hash, error) { return r.sources.root(ctx, i, segment, r.segments) })
	}
	size, unknown := r.log.at.Size, false
	for i, peak := range r.log.at.Peaks {
		height := peakHeight(size, i)
		if height < segmentHeight {
			break
		}
		n := size >> (height + 1) << 1
		if (n+1)<<height <= start.Joined.Size { // nothing of it is kept
			continue
		}
		first, count := n<<(height-segmentHeight), uint64(1)<<(height-segmentHeight)
		found := false
		for j := 0; j < len(candidates) && !found; j++ {
			var err error
			found, err = r.trustPeak(first, count, height, n, peak, candidates[j])
			if err != nil && (ctx.Err() != nil || !isDamage(err) && !errors.As(err, new(*unavailable))) {
				return err
			}
			if err == nil && !found && j >= own {
				r.sources.lost[j-own] = errOther
			}
		}
		unknown = unknown || !found
	}
	if unknown {
		r.report.add(hashesFile(2), "the hashes of segments in it, and the leaves or "+hashesFile(1)+", from which they could be made again, are not those that the ledger has written", "", r.sources.missing("the roots of the segments"))
	}
	return ctx.Err()
}

// peakHeight returns the height of the peak of an index in a mark of a size.
func peakHeight(size uint64, index int) int {
	for ; index > 0; index-- {
		size &^= 1 << (bits.Len64(size) - 1)
	}
	return bits.Len64(size) - 1
}

// trustPeak takes the roots of the segments below a peak from a candidate, if they lead to it.
func (r *repairer) trustPeak(first, count uint64, height int, n uint64, peak types.Hash, candidate func(uint64) (tlog.Hash, error)) (bool, error) {
	hashes := make([]types.Hash, count)
	for i := range count {
		segment := first + i
		if (segment+1)<<segmentHeight <= r.log.start.Joined.Size {
			continue
		}
		hash, err := candidate(segment)
		if err != nil {
			return false, err
		}
		hashes[i] = types.Hash(hash)
	}
	sum, err := r.log.start.sum(height, n, segmentHeight, func(segment uint64) tlog.Hash { return tlog.Hash(hashes[segment-first]) })
	if err != nil || types.Hash(sum) != peak {
		return false, err
	}
	for i := range count {
		r.roots[first+i], r.known[first+i] = hashes[i], true
	}
	return true, nil
}

// bundles returns the hashes of the full bundles of a segment: those of its file, of the file of hashes or of a source that lead to its root, or to the peaks of the mark if it
// is the last one.
func (r *repairer) bundles(ctx context.Context, segment uint64, read row) (row, error) {
	from := segment * perTile
	to := min(from+perTile, r.log.at.Size>>tileHeight)
	for _, own := range []row{r.own[1][hashLength*from : hashLength*to], read} {
		if uint64(len(own)) == hashLength*(to-from) && r.leads(segment, own) {
			return own, nil
		}
	}
	path := tilePath(tlog.Tile{H: tileHeight, L: 1, N: int64(segment), W: int(to - from)})
	var found row
	_, err := r.sources.get(ctx, path, func(content []byte) bool {
		found = content
		return uint64(len(content)) == hashLength*(to-from) && r.leads(segment, content)
	})
	return found, err
}

// leads reports whether the hashes of the full bundles of a segment lead to the mark.
func (r *repairer) leads(segment uint64, hashes row) bool {
	of := func(bundle uint64) tlog.Hash { return hashes.at(bundle - segment*perTile) }
	if segment < r.segments {
		sum, err := r.log.start.sum(segmentHeight, segment, tileHeight, of)
		return err == nil && r.known[segment] && types.Hash(sum) == r.roots[segment]
	}
	size := r.log.at.Size
	for i, peak := range r.log.at.Peaks {
		height := peakHeight(size, i)
		if height >= segmentHeight || height < tileHeight {
			continue
		}
		sum, err := r.log.start.sum(height, size>>(height+1)<<1, tileHeight, of)
		if err != nil || types.Hash(sum) != peak {
			return false
		}
	}
	return true
}

// repairPrunedRows repairs the hashes of bundles that are pruned.
func (r *repairer) repairPrunedRows(ctx context.Context) error {
	for segment := r.log.start.Joined.Size >> segmentHeight; segment < r.log.start.First>>segmentHeight; segment++ {
		if !r.known[segment] {
			r.partial = true
			continue
		}
		hashes, err := r.bundles(ctx, segment, nil)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.partial = true
			r.report.add(hashesFile(1), fmt.Sprintf("the hashes of leaves %d to %d, which are pruned, are not those that the ledger has written", segment<<segmentHeight, (segment+1)<<segmentHeight), "", err)
			continue
		}
		r.fix(segment, hashes)
	}
	return nil
}

// fix takes the hashes of the bundles of a segment.
func (r *repairer) fix(segment uint64, hashes row) {
	for i := range uint64(len(hashes) / hashLength) {
		if n := segment*perTile + i; (n+1)<<tileHeight > r.log.start.Joined.Size { // those before are not kept
			r.fixed[1].set(n, types.Hash(hashes.at(i)))
		}
	}
}

// errFollows is why hashes are not made.
var errFollows = errors.New("it follows from files that could not be repaired")

// writeRows computes the higher levels, and writes the files of hashes that are not as they should be. It adds no hash that does not lead to the mark.
func (r *repairer) writeRows(context.Context) error {
	for level := 1; level < levels; level++ {
		needed, whole, err := r.computeRow(level)
		if err != nil || !needed {
			return err
		}
		name := hashesFile(level)
		size, err := r.log.files.Size(name)
		if err != nil {
			return err
		}
		short := uint64(size) < uint64(len(r.fixed[level]))
		if !short && bytes.Equal(r.own[level], r.fixed[level]) {
			continue
		}
		damage := "it has hashes that are not those of the leaves"
		if short {
			damage = fmt.Sprintf("it has %d bytes, and %d are needed", size, len(r.fixed[level]))
		}
		if whole || !short {
			if err := r.replace(name, r.fixed[level]); err != nil {
				return err
			}
		}
		switch {
		case whole:
			r.report.add(name, damage, "written anew", nil)
		case !slices.ContainsFunc(r.report.Damaged, func(f Finding) bool { return f.File == name }):
			r.report.add(name, damage, "", errFollows)
		}
	}
	return nil
}

// computeRow computes a level from the roots of the segments. It reports whether a file of it is needed, and whether all of it leads to the mark.
func (r *repairer) computeRow(level int) (needed, whole bool, err error) {
	start, height := &r.log.start, level*tileHeight
	if whole = true; level == 1 {
		whole = !r.partial
	}
	for n := start.Joined.Size >> height; n < r.log.at.Size>>height; n++ {
		needed = true
		switch {
		case level == 1: // it is as the segments are
			return needed, whole, nil
		case !r.allKnown(height, n):
			whole = false
			continue
		}
		sum, err := start.sum(height, n, segmentHeight, func(segment uint64) tlog.Hash { return tlog.Hash(r.roots[segment]) })
		if err != nil {
			return needed, whole, err
		}
		r.fixed[level].set(n, types.Hash(sum))
	}
	return needed, whole, nil
}

// allKnown reports whether the roots of the segments of a subtree are known, as far as they are not from before the snapshot.
func (r *repairer) allKnown(height int, n uint64) bool {
	first := max(n<<(height-segmentHeight), r.log.start.Joined.Size>>segmentHeight)
	return !slices.Contains(r.known[first:(n+1)<<(height-segmentHeight)], false)
}

// replace gives a file another content, synced: a crash leaves the one or the other.
func (r *repairer) replace(name string, content []byte) error {
	if err := r.log.discard(repairing); err != nil {
		return err
	}
	file, err := r.log.files.Create(repairing)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(content, 0)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = r.log.files.Rename(repairing, name)
	}
	return errors.Join(err, r.log.files.Sync())
}
