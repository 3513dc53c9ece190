package index

import "lockstep/client/wire/history"

// The answers are those of the API.
type (
	Position   = history.Position
	Total      = history.Total
	Trade      = history.Trade
	Trades     = history.Trades
	Auction    = history.Auction
	Auctions   = history.Auctions
	Round      = history.Round
	Volume     = history.Volume
	Volumes    = history.Volumes
	Fill       = history.Fill
	Fills      = history.Fills
	FillTrade  = history.FillTrade
	Tally      = history.Tally
	Conduct    = history.Conduct
	Statistics = history.Statistics
	Member     = history.Member
)

// How much of an answer's lists is told with it.
const (
	MaxRounds     = history.MaxRounds
	MaxFillTrades = history.MaxFillTrades
)

func totalOf[N ~uint64](n N) Total { return history.TotalOf(n) }
