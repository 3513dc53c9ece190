package wire

import "lockstep/types"

// Members is a page of the members by their keys.
type Members struct {
	Height  uint64         `json:"height"`
	Members []types.Member `json:"members" nullable:"false" doc:"the keys that an operator has admitted, each with its name"`
	Next    string         `json:"next,omitempty" doc:"pass as 'after' for the next page; absent on the last"`
}
