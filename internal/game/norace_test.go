//go:build !race

package game_test

const racing = false
