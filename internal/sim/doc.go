// Package sim plays a day of a community on the real code: a chain of its own, its API on loopback, households with
// wallets of their own that sell and buy each quarter-hour's surplus.
//
// Start with [Play], which is the demo as text: it opens a community, plays the day and returns a [Report] that says which household gained or
// lost how much, and proves that no money came or went. [Household.Step], a pure function, decides a household's moves; the
// community's runner carries it out. [OpenTown] opens a town whose days go on, for the page. [Standard] and [ReadProfiles] say how much energy a day has.
package sim
