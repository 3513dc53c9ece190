// Package query answers the API's questions, in the API's messages, from the state, the store and the index.
package query
