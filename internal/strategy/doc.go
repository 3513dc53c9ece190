// Package strategy measures what traders gain in an auction by orders that are not honest: how far the rule of package market can be
// gamed, by one trader or by several together, against n honest ones. Everything follows from a seed.
package strategy
