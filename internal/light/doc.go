// Package light lets a client check the answers of a node by proof, so that it need not believe the node: headers by the signatures of the validators
// ([Client.Newest]), outcomes by their leaves in the log of outcomes ([Client.Trade]).
//
// [Steps] is the table of the facts on which each step in a trade rests: proofs, a fresh header, the actor's own knowledge, or the word of the node. [Judge]
// checks a step by it. [Belief] is the same for the agent.
package light
