// Package sim plays a day of a community on the real code: a chain of its own, its API on loopback, households with
// wallets of their own that sell and buy each quarter-hour's surplus.
//
// Start with [Play], which is the demo: it opens a community, plays the day and returns a [Report] that says who gained and
// lost what and proves that no money came or went. What a household does is decided by [Household.Step], a pure function; the
// community's runner carries it out. [Standard] and [ReadProfiles] say how much energy a day has.
package sim
