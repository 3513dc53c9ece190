package evidence

// CurveNamed is curveNamed for tests.
var CurveNamed = curveNamed

// Bounds of the effort for a file.
const (
	MaxInvalid = maxInvalid
	MaxVain    = maxVain
)

// Checks is the number of signatures that were checked for a file so far.
func (f *File) Checks() int { return f.Sessions[0].effort.checks }
