package outcomes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"lockstep/types"
)

// form is a file that holds a segment, or should.
type form struct {
	log     *Log
	segment uint64
	name    string
	length  uint64      // of the leaves
	head    *packedHead // of a packed segment
	broken  error       // it can't be read
	cut     error       // only a part of it can
	buffer  []byte
}

func (f *form) read(at uint64, into []byte) error {
	if f.head == nil {
		return f.log.read(f.name, at, into)
	}
	return f.log.readPacked(f.segment, f.head, at, into)
}

// leaves reads a number of leaves from a place on. They are valid until the next call.
func (f *form) leaves(at, count uint64) (leaves [][]byte, err error) {
	const usual = 128 << 10 // more than most bundles
	switch {
	case f.broken != nil:
		return nil, f.broken
	case at > f.length:
		return nil, damaged(f.name, "it ends before byte %d", at)
	}
	for size := uint64(usual); ; size *= 2 {
		f.buffer = slices.Grow(f.buffer[:0], int(size))
		content := f.buffer[:min(size, f.length-at)]
		if err := f.read(at, content); err != nil {
			return nil, err
		}
		leaves, _, err := split(content, 0, count)
		if err == nil {
			return leaves, nil
		}
		if uint64(len(content)) < size || size > Width*(2+types.MaxOutcome) {
			return nil, damaged(f.name, "its leaves from byte %d on are cut off", at)
		}
	}
}

// forms returns the files that hold a segment: at first the one that a start keeps, or that should be there.
func (r *repairer) forms(segment uint64) (forms []form, err error) {
	full := segment < r.segments
	packed, raw := form{log: r.log, segment: segment, name: packedFile(segment)}, form{log: r.log, segment: segment, name: segmentFile(segment)}
	for _, f := range []*form{&packed, &raw} {
		here, err := r.log.holds(f.name)
		if err != nil && !isDamage(err) {
			return nil, err
		}
		if f.broken = err; !here && err == nil {
			continue
		}
		if f == &packed {
			head, err := r.log.readHead(f.name)
			if err != nil && !isDamage(err) {
				return nil, err
			}
			if f.head, f.length = &head, head.length; err != nil && uint64(len(head.ends)) == framesOf(head.length) {
				f.cut = err
			} else if f.broken == nil {
				f.broken = err
			}
		} else if size, err := r.log.files.Size(f.name); err == nil {
			f.length = uint64(size)
		} else {
			return nil, err
		}
		forms = append(forms, *f)
	}
	if len(forms) == 2 && !full {
		slices.Reverse(forms)
	}
	if len(forms) == 0 {
		if raw.broken = damaged(raw.name, "it is missing"); full && !r.joins(segment) {
			raw.name = packed.name
		}
		forms = append(forms, raw)
	}
	return forms, nil
}

// joins reports whether the snapshot from which the log was continued ends within a segment: that stays as it is.
func (r *repairer) joins(segment uint64) bool {
	joined := r.log.start.Joined.Size
	return joined>>segmentHeight == segment && joined%segmentLeaves > 0
}

// content describes the leaves of a segment up to a mark, with the offsets and hashes that follow from them.
type content struct {
	at      Mark
	length  uint64
	root    tlog.Hash // once it is full
	offsets []byte
	bundles row
	kept    uint64 // where the offsets that are kept begin
}

// begin returns the content of a segment before its first leaf that is kept. The peaks before the segment don't matter to it, unless they are known.
func (r *repairer) begin(segment uint64) content {
	at := Mark{Size: segment << segmentHeight, Peaks: make([]types.Hash, bits.OnesCount64(segment))}
	if !r.joins(segment) {
		return content{at: at}
	}
	at = r.log.start.Joined
	c := content{at: at, length: at.Bytes, kept: at.Size % segmentLeaves / stride * numberBytes}
	c.offsets, c.bundles = make([]byte, c.kept), make(row, hashLength*(at.Size%segmentLeaves/Width))
	return c
}

// add adds the leaves of a bundle.
func (c *content) add(b *Batch) {
	c.at, c.length = b.To, c.length+uint64(len(b.parts[0].content))
	c.offsets, c.bundles = append(c.offsets, b.offsets...), append(c.bundles, b.hashes[1]...)
	if len(b.hashes[2]) > 0 {
		c.root = row(b.hashes[2]).at(0)
	}
}

// next returns how many leaves of a segment come next: up to the end of a bundle, or of the log. 0 at the end.
func (r *repairer) next(segment uint64, at *Mark) uint64 {
	return min(Width-at.Size%Width, min((segment+1)<<segmentHeight, r.log.at.Size)-at.Size)
}

// readForm reads a segment from one of its files.
func (r *repairer) readForm(segment uint64, f *form) (content, error) {
	c := r.begin(segment)
	if f.cut != nil {
		return c, f.cut
	}
	for count := r.next(segment, &c.at); count > 0; count = r.next(segment, &c.at) {
		leaves, err := f.leaves(c.length, count)
		if err != nil {
			return c, err
		}
		batch, err := c.at.Extend(leaves)
		if err != nil {
			return c, damaged(f.name, "%w", err)
		}
		c.add(batch)
	}
	if behind := f.length - c.length; behind > 0 && segment < r.segments {
		return c, damaged(f.name, "%d bytes stand behind its last leaf", behind)
	}
	return c, nil
}

// right reports whether a content leads to the mark.
func (r *repairer) right(segment uint64, c *content) bool {
	if segment < r.segments {
		return types.Hash(c.root) == r.roots[segment]
	}
	return c.at.Bytes == r.log.at.Bytes && r.endsRight(&c.at, segmentHeight)
}

// endsRight reports whether a mark at the end of the log has the peaks below a height that the ledger has written.
func (r *repairer) endsRight(at *Mark, height int) bool {
	low := bits.OnesCount64(at.Size & (1<<height - 1))
	return at.Size == r.log.at.Size && slices.Equal(at.Peaks[len(at.Peaks)-low:], r.log.at.Peaks[len(r.log.at.Peaks)-low:])
}

// repairSegments reads each segment that is kept, and repairs it and the offsets in it.
func (r *repairer) repairSegments(ctx context.Context) error {
	for segment := r.log.start.First >> segmentHeight; segment<<segmentHeight < r.log.at.Size && r.log.start.First < r.log.at.Size; segment++ {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := r.repairSegment(ctx, segment); err != nil {
			return err
		}
	}
	return nil
}

func (r *repairer) repairSegment(ctx context.Context, segment uint64) error {
	forms, err := r.forms(segment)
	if err != nil {
		return err
	}
	name := forms[0].name
	if segment < r.segments && !r.known[segment] { // nothing says how it should be
		r.partial = true
		if _, err := r.readForm(segment, &forms[0]); isDamage(err) {
			r.report.add(name, err.Error(), "", r.sources.missing(name))
		}
		return nil
	}
	c, err := r.readForm(segment, &forms[0])
	if err != nil && !isDamage(err) {
		return err
	}
	if err == nil && !r.right(segment, &c) {
		err = damaged(name, "its leaves are not those that the ledger has written")
	}
	if err != nil {
		damage := err.Error()
		rebuilt, done, err := r.rebuild(ctx, segment, forms, c.bundles)
		switch {
		case err != nil && ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !errors.As(err, new(*unavailable)):
			return err
		}
		r.report.add(name, damage, done, err)
		if err != nil {
			r.partial = true
			return nil
		}
		c = *rebuilt
	}
	r.fix(segment, c.bundles)
	return r.repairOffsets(segment, &c)
}

// repairOffsets writes the offsets of a segment anew if they are not those of its leaves.
func (r *repairer) repairOffsets(segment uint64, c *content) error {
	name := offsetsFile(segment)
	if uint64(len(c.offsets)) == c.kept {
		return nil
	}
	found := make([]byte, len(c.offsets))
	size, err := r.log.files.Size(name)
	if err != nil {
		return err
	}
	damage := ""
	switch {
	case size < int64(len(found)):
		damage = fmt.Sprintf("it has %d bytes, and %d are needed", size, len(found))
	default:
		if err := r.log.read(name, 0, found); err != nil && !isDamage(err) {
			return err
		}
		if bytes.Equal(found[c.kept:], c.offsets[c.kept:]) {
			return nil
		}
		damage = "it has offsets that are not those of the leaves"
	}
	if err := r.replace(name, c.offsets); err != nil {
		return err
	}
	r.report.add(name, damage, "made from the leaves", nil)
	return nil
}

// rebuild makes a segment anew: each bundle from the files of the segment, or else from a source. read are the hashes of the bundles as its file has them.
func (r *repairer) rebuild(ctx context.Context, segment uint64, forms []form, read row) (made *content, done string, err error) {
	hashes, err := r.bundles(ctx, segment, read)
	if err != nil {
		return nil, "", err
	}
	if err := r.log.discard(repairing); err != nil {
		return nil, "", err
	}
	file, err := r.log.files.Create(repairing)
	if err != nil {
		return nil, "", err
	}
	c := r.begin(segment)
	var origins origins
	for count := r.next(segment, &c.at); count > 0 && err == nil; count = r.next(segment, &c.at) {
		var batch *Batch
		var from string
		if batch, from, err = r.bundle(ctx, segment, &c, count, hashes, forms); err == nil {
			_, err = file.WriteAt(batch.parts[0].content, int64(batch.parts[0].at))
			c.add(batch)
			origins.count(from)
		}
	}
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = r.install(segment, c.length)
	}
	return &c, origins.String(), err
}

// bundle returns the next leaves of a segment, which lead to the mark, and the source that gave them: none if they are from the files.
func (r *repairer) bundle(ctx context.Context, segment uint64, c *content, count uint64, hashes row, forms []form) (batch *Batch, from string, err error) {
	number := c.at.Size / Width
	accept := func(leaves [][]byte) bool {
		made, err := c.at.Extend(leaves)
		if err != nil {
			return false
		}
		if made.To.Size%Width == 0 {
			batch = made
			return row(made.hashes[1]).at(0) == hashes.at(number-segment*perTile)
		}
		batch = made
		return r.endsRight(&made.To, tileHeight)
	}
	for i := range forms {
		leaves, err := forms[i].leaves(c.length, count)
		if err != nil && !isDamage(err) {
			return nil, "", err
		}
		if err == nil && accept(leaves) {
			return batch, "", nil
		}
	}
	skip := c.at.Size % Width // leaves before the snapshot
	path := tilePath(tlog.Tile{H: tileHeight, L: entriesLevel, N: int64(number), W: int(skip + count)})
	from, err = r.sources.get(ctx, path, func(bundle []byte) bool {
		leaves, length, err := split(bundle, skip, skip+count)
		return err == nil && length == len(bundle) && accept(leaves)
	})
	return batch, from, err
}

// install gives the segment that was made its name: packed, if the log packs it.
func (r *repairer) install(segment, length uint64) error {
	l, raw, packed := r.log, segmentFile(segment), packedFile(segment)
	l.unpacked = new(unpacked) // of the old file
	if segment < r.segments && !r.joins(segment) {
		if err := l.writePacked(repairing, length); err != nil {
			return err
		}
		if err := errors.Join(l.files.Rename(packing, packed), l.files.Sync()); err != nil {
			return err
		}
		return errors.Join(l.discard(raw), l.discard(repairing), l.files.Sync())
	}
	if segment < r.segments { // a start would keep the packed one
		if err := l.discard(packed); err != nil {
			return err
		}
	}
	return errors.Join(l.files.Rename(repairing, raw), l.files.Sync(), l.discard(packed), l.files.Sync())
}

// origins counts the bundles of each source.
type origins struct {
	names  []string
	counts []int
}

func (o *origins) count(name string) {
	i := slices.Index(o.names, name)
	if i < 0 {
		i = len(o.names)
		o.names, o.counts = append(o.names, name), append(o.counts, 0)
	}
	o.counts[i]++
}

func (o *origins) String() string {
	parts := make([]string, len(o.names))
	for i, name := range o.names {
		if name == "" {
			name = "the file"
		}
		parts[i] = fmt.Sprintf("%d from %s", o.counts[i], name)
	}
	return "written anew, of its parts of 256 outcomes " + strings.Join(parts, ", ")
}
