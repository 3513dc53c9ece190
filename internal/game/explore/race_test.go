//go:build race

package explore_test

// racing: the race detector makes everything several times slower, and nothing here runs at once.
const racing = true
