// Package strategy measures the gains of dishonest orders in an auction: how far the rule of package market can be
// gamed, by one trader or by several together, against n honest ones. Everything follows from a seed.
package strategy
