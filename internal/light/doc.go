// Package light lets a client check the answers of a node by proof, so that it need not believe the node: headers by the signatures of the validators
// ([Client.Newest]), outcomes by their leaves in the log of outcomes ([Client.Trade]).
//
// [Steps] is the table of what each step in a trade rests on: on proofs, on a fresh header, on the actor's own knowledge, or on the word of the node. [Judge]
// checks a step by it. [Belief] is the same for the agent.
package light
