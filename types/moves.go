package types

// Move is something that a party can do now.
type Move struct {
	Who  PublicKey `json:"who,omitzero"`
	Role string    `json:"role"` // "producer", "consumer", "both", "arbiter" or "anyone"
	What string    `json:"what"` // "pay", "deliver", "release", "split", "collect", "take_return", "refund", "take_bond",
	// "read", "settle", "award"
	Until Time `json:"until,omitzero"` // zero: no deadline
}
