package advice

import (
	"testing"

	"lockstep/types"
)

func TestMixedName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"Clara": false, "Zo\u00eb 2": false, "\u041a\u043b\u0430\u0440\u0430": false, "\u674e\u96f7 Li": false, "\u05d0\u05d1 Ab": false, "": false,
		"\u0421lara": true, "Clar\u03b1": true, "Clara \u0405": true, "\u0391\u0410": true,
	} {
		if MixedName(name) != want {
			t.Errorf("%+q is mixed: %v", name, !want)
		}
	}
}

func TestForeignName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"Clara": false, "": false, "12 34": false, "\u674e\u96f7": false, "\u041a\u043b\u0430\u0440\u0430": false, "\u0421lara": false, // the last is mixed
		"\u0421\u0435\u0441\u0430\u0440": true, "\u0421\u0435\u0501\u0430\u0433": true, "\u0391\u039d\u039d\u0391 2": true, "\u0421\u0438": false, "\u674e \u0421": false,
	} {
		if ForeignName(name) != want {
			t.Errorf("%+q can be read in Latin letters: %v", name, !want)
		}
	}
}

func TestAlikeNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"Clara", "Clara", true}, {"Clara", "CIara", true}, {"Clara", "C1ara", true}, {"Cedar", "\u0421\u0435\u0501\u0430r", true}, {"CEDAR", "\u0441edar", true}, {"Clara", "Klara", false},
		{"Clara", "Dora", false}, {"\u674e\u96f7", "\u674e\u96f7", true}, {"\u674e\u96f7", "\u97e9\u6885", false}, {"Bob", "B0b", true}, {"modern", "modem", true},
	} {
		if AlikeNames(c.a, c.b) != c.want || AlikeNames(c.b, c.a) != c.want {
			t.Errorf("%+q and %+q are alike: %v", c.a, c.b, !c.want)
		}
	}
}

func TestDoubtsOfName(t *testing.T) {
	t.Parallel()
	members := []types.Member{{Key: types.PublicKey{1}, Name: "Dora"}, {Key: types.PublicKey{2}, Name: "Cedar"}}
	for name, want := range map[string]struct {
		mixed, foreign bool
		like           string
	}{
		"Emil": {}, "Cedar": {like: "Cedar"}, "Cedаr": {mixed: true, like: "Cedar"}, "Сеԁаг": {foreign: true, like: "Cedar"}, "D0ra": {like: "Dora"},
	} {
		got := DoubtsOfName(&types.Member{Key: types.PublicKey{3}, Name: name}, members)
		if got.Mixed != want.mixed || got.Foreign != want.foreign || (got.Like == nil) != (want.like == "") || got.Like != nil && got.Like.Name != want.like {
			t.Errorf("%+q: %+v, want %+v", name, got, want)
		}
	}
	if got := DoubtsOfName(&members[1], members); got.Like != nil {
		t.Errorf("a member is like itself: %+v", got)
	}
}
