// Package sim is the demonstration: a community of households that trade the energy of a day, or live on as a town.
//
// [OpenTown] opens a town on a node in a process of its own, for the page: each household is an agent with a wallet of its own, and a reader
// steers it. [Evening.Report] reports a day that has been played, as text and as a page: package study plays it. [Compare] shares the same day by
// other rules. [Standard] and [ReadProfiles] say how much energy a day has.
package sim
