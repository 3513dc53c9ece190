package main

import (
	"context"
	"slices"
	"strings"

	"lockstep/client"
)

// zones collects the zones that have results, for a query of another zone that found nothing.
type zones struct{ seen []string }

func (z *zones) add(zone string) {
	if !slices.Contains(z.seen, zone) {
		z.seen = append(z.seen, zone)
	}
}

// wanted reports whether a zone is the requested one, or none was requested; it collects the others.
func (z *zones) wanted(asked, zone string) bool {
	if asked == "" || zone == asked {
		return true
	}
	z.add(zone)
	return false
}

// mostZones bounds the zones that a hint lists.
const mostZones = 20

// hint lists the zones that have results, as the next thing to try; empty when there are none.
func (z *zones) hint() string {
	if len(z.seen) == 0 {
		return ""
	}
	slices.Sort(z.seen)
	names := make([]string, 0, mostZones)
	for _, zone := range z.seen[:min(len(z.seen), mostZones)] {
		if zone == "" {
			names = append(names, "none (leave --zone out)")
		} else {
			names = append(names, "--zone "+quoted(printable(zone)))
		}
	}
	if len(z.seen) > mostZones {
		names = append(names, "and more")
	}
	return " There is some in: " + strings.Join(names, ", ") + "."
}

// latestAuctions bounds the auctions that a hint examines.
const latestAuctions = 500

// zoneHint lists the zones of recent auctions that match a filter without its zone.
func (s *session) zoneHint(ctx context.Context, filter client.AuctionFilter) string {
	var found zones
	filter.Zone = ""
	told, err := s.node.AuctionHistory(ctx, filter, client.Page{Limit: latestAuctions})
	if err != nil { // the answer is right without it
		return ""
	}
	for i := range told.Auctions {
		found.add(told.Auctions[i].Product.Zone)
	}
	return found.hint()
}
