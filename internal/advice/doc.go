// Package advice makes the checks that come before the decision of a member: it recomputes auctions from their orders, compares a price with
// the market's, and lists the claims that are served before a trade. The command line and the page show its results in their own words.
package advice
