package notify

import (
	"context"
	"encoding/json"
	"errors"

	"lockstep/internal/broker"
)

// Topic publishes notices to a topic of an MQTT broker, in the form of a webhook's body.
type Topic struct {
	Connection *broker.Connection
	Topic      string
}

// Name implements [Sink].
func (t *Topic) Name() string { return "mqtt" }

// Send implements [Sink]. The broker takes a notice for those that listen now: it keeps none.
func (t *Topic) Send(ctx context.Context, n Notice) error {
	body, err := json.Marshal(Envelope{Type: n.Kind, Timestamp: n.At.String(), Data: n})
	if err != nil {
		return errors.Join(ErrNever, err)
	}
	err = t.Connection.Publish(ctx, broker.Message{Topic: t.Topic, Payload: body})
	if errors.Is(err, broker.ErrAway) {
		return &RetryAfter{Wait: firstBackoff, Err: err}
	}
	return err
}
