package outcomes_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"lockstep/internal/outcomes"
)

// TestRepairFrames damages the head, the table of IDs and the chunks of a packed segment. The repair takes the leaves of whole chunks from the file.
func TestRepairFrames(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long: make test runs it without the race detector, make race with it")
	}
	const name, numbers = "packed-000000001", 8 // where the numbers of the head begin: the length, and the ends of the frames
	healthy := packed(t, 81)
	want := healthy.files.read(t)
	whole := want[name]
	number := func(i int) uint64 { return binary.BigEndian.Uint64(whole[numbers+8*i:]) }
	frames := 1
	for number(frames) < uint64(len(whole)) {
		frames++
	}
	if frames < 6 {
		t.Fatalf("%d frames: this test tests little", frames)
	}
	flip := func(at uint64) func([]byte) []byte {
		return func(b []byte) []byte { b[at] ^= 1; return b }
	}
	cut := func(at uint64) func([]byte) []byte { return func(b []byte) []byte { return b[:at] } }
	set := func(i int, to uint64) func([]byte) []byte {
		return func(b []byte) []byte { binary.BigEndian.PutUint64(b[numbers+8*i:], to); return b }
	}
	const all, least, chunk = 256, 40, 63 // bundles of the segment, and of a chunk
	type damage struct {
		change func([]byte) []byte
		most   int // bundles that are fetched
	}
	damages := map[string]damage{
		"the kind":                   {flip(7), all},
		"an earlier kind":            {func(b []byte) []byte { b[6] = '1'; return b }, all},
		"no length":                  {set(0, 0), all},
		"the length of no segment":   {set(0, 1<<63), all},
		"the length, less by a byte": {set(0, number(0)-1), chunk},
		"the length, more by a byte": {set(0, number(0)+1), chunk},
		"the length, of more frames": {set(0, number(0)+1<<20), all},
		"the length, of less frames": {set(0, number(0)-1<<20), all},
		"the table":                  {flip(number(1) - 20), all},
		"cut in the head":            {cut(numbers + 8*2 + 3), all},
		"cut before the table":       {cut(numbers + 8*uint64(frames+1)), all},
		"cut in the table":           {cut(number(1) - 5), all},
		"cut behind the table":       {cut(number(1)), all},
		"two chunks, exchanged": {func(b []byte) []byte {
			first, second := slices.Clone(b[number(1):number(2)]), slices.Clone(b[number(2):number(3)])
			copy(b[number(1):], append(second, first...))
			binary.BigEndian.PutUint64(b[numbers+8*2:], number(1)+uint64(len(second)))
			return b
		}, 2 * (chunk + 2)},
	}
	for _, i := range []int{2, 3, frames} {
		damages[fmt.Sprintf("chunk %d", i)] = damage{flip(number(i) - 20), chunk + 2}
		damages[fmt.Sprintf("cut behind frame %d", i-1)] = damage{cut(number(i - 1)), all - (i-2)*least}
	}
	for _, i := range []int{1, 2, frames} {
		most := 2 * (chunk + 2)
		if i == 1 {
			most = all
		}
		damages[fmt.Sprintf("end %d, less by a byte", i)] = damage{set(i, number(i)-1), most}
		damages[fmt.Sprintf("end %d, more by a byte", i)] = damage{set(i, number(i)+1), most}
		damages[fmt.Sprintf("end %d, none", i)] = damage{set(i, 0), all}
		damages[fmt.Sprintf("end %d, far behind", i)] = damage{set(i, 1<<63), all}
	}
	for how, d := range damages {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			files, fetched := healthy.copied(), []string{}
			files.damage(t, name, func(_ string, b []byte) []byte { return d.change(b) })
			report, err := outcomes.Repair(t.Context(), files, healthy.start, healthy.at, []outcomes.Source{healthy.counted(&fetched)})
			if err != nil {
				t.Fatal(err)
			}
			if !report.Whole() || len(report.Refused) > 0 || len(report.Damaged) != 1 || report.Damaged[0].File != name {
				t.Errorf("%+v", report)
			}
			if len(fetched) > d.most {
				t.Errorf("%d bundles were fetched, and %d are enough: %+v", len(fetched), d.most, report.Damaged)
			}
			equal(t, files, want)
		})
	}
}
