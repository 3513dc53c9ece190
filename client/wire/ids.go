package wire

// MaxIDs bounds the IDs in one answer.
const MaxIDs = 10

// IDs are the IDs of a kind that begin with some digits, in order.
type IDs struct {
	IDs  []string `json:"ids" nullable:"false"`
	More bool     `json:"more" doc:"there are more than an answer holds: these are the first"`
}
