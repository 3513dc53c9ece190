package disk

import (
	"testing"
	"time"
)

// TestPace: a disk that loses 1 GB an hour is full when all but the last megabytes are used.
func TestPace(t *testing.T) {
	t.Parallel()
	start, hour := time.Unix(1_800_000_000, 0), time.Hour
	const gb = 1 << 30
	var p Pace
	if _, known := p.FullIn(); known {
		t.Error("a forecast without a sample")
	}
	p.Note(start, 11*gb+RoomToRun)
	p.Note(start.Add(hour-1), 10*gb+RoomToRun)
	if _, known := p.FullIn(); known {
		t.Error("a forecast after less than an hour")
	}
	p.Note(start.Add(hour), 5*gb) // too soon after the one before: it doesn't count
	p.Note(start.Add(2*hour), 9*gb+RoomToRun)
	if left, known := p.FullIn(); !known || left != 9*hour {
		t.Errorf("%v, %v", left, known)
	}
	p.Note(start.Add(3*hour), 12*gb+RoomToRun)
	if _, known := p.FullIn(); known {
		t.Error("a disk with more room than before fills up")
	}
	p.Note(start.Add(26*hour), 6*gb+RoomToRun) // the samples before the one at two hours are older than a day
	if left, known := p.FullIn(); !known || left != 48*hour {
		t.Errorf("%v, %v", left, known)
	}
	p.Note(start.Add(27*hour), RoomToRun)
	if left, known := p.FullIn(); !known || left != 0 {
		t.Errorf("%v, %v", left, known)
	}
	for i := range 10_000 {
		p.Note(start.Add(time.Duration(i)*hour), 0)
	}
	if n := len(p.samples); n > int(paceSpan/paceStep)+1 {
		t.Errorf("%d samples", n)
	}
}
