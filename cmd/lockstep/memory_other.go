//go:build !linux

package main

// releasePages does nothing: other systems offer no such advice.
func releasePages() {}
