package evidence

// CurveNamed is curveNamed for tests.
var CurveNamed = curveNamed
