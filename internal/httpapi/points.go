package httpapi

import (
	"context"

	"lockstep/client/wire"
	"lockstep/types"
)

// Points has the questions about connection points.
type Points interface {
	Point(ctx context.Context, id types.PointID) (wire.Point, error)
	// KeyPoints returns the connection points of a key that a bounded search finds.
	KeyPoints(ctx context.Context, key types.PublicKey) (wire.Points, error)
	// Claims returns the claims of trades on the slot of a flow that begins at a moment; on all slots with claims, if it is zero.
	Claims(ctx context.Context, flow types.Flow, from types.Time) (wire.Claims, error)
}

type pointInput struct {
	ID types.PointID `path:"id" doc:"the id of a connection point"`
}

func (s *server) point(ctx context.Context, in *pointInput) (*answer[wire.Point], error) {
	point, err := s.ledger.Point(ctx, in.ID)
	fillPoint(&point)
	return respond(s, point, err)
}

type keyPointsInput struct {
	Key types.PublicKey `path:"key" doc:"a public key"`
}

func (s *server) keyPoints(ctx context.Context, in *keyPointsInput) (*answer[wire.Points], error) {
	points, err := s.ledger.KeyPoints(ctx, in.Key)
	points.Points = filled(points.Points)
	for i := range points.Points {
		fillPoint(&points.Points[i])
	}
	return respond(s, points, err)
}

// fillPoint makes the nil lists of a point empty lists.
func fillPoint(point *wire.Point) {
	point.Point.Meters = filled(point.Point.Meters)
	for i := range point.Point.Meters {
		m := &point.Point.Meters[i]
		m.Import, m.Export = filled(m.Import), filled(m.Export)
	}
}

type claimsInput struct {
	ID        types.PointID `path:"id" doc:"the id of a connection point"`
	Direction direction     `path:"direction" doc:"the direction of the energy, seen from the owner of the point"`
	From      moment        `query:"from" doc:"the beginning of a slot; without it, all slots that have claims"`
}

func (s *server) claims(ctx context.Context, in *claimsInput) (*answer[wire.Claims], error) {
	claims, err := s.ledger.Claims(ctx, types.Flow{Point: in.ID, Direction: in.Direction.Direction}, in.From.Time)
	claims.Slots = filled(claims.Slots)
	for i := range claims.Slots {
		claims.Slots[i].Claims = filled(claims.Slots[i].Claims)
	}
	return respond(s, claims, err)
}
