package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"lockstep/internal/broker"
	"lockstep/internal/home"
	"lockstep/trade/words"
	"lockstep/types"
)

type homeCmd struct {
	Run  homeRunCmd  `cmd:"" help:"Publish prices, energy, money and trades to Home Assistant, by MQTT. Needs no wallet."`
	Show homeShowCmd `cmd:"" help:"Print the messages that would be published now."`
}

type homeFile struct {
	Config string `arg:"" help:"Configuration in YAML." type:"path"`
}

// feed makes the feed of a configuration.
func (f *homeFile) feed(ctx context.Context, a *app) (*home.Feed, *broker.Config, error) {
	config, err := home.LoadConfig(f.Config)
	if err != nil {
		return nil, nil, err
	}
	key, err := types.ParseKey(config.Key)
	if err != nil {
		return nil, nil, types.Refuse(types.CodeMalformed, "%s: key: %v", f.Config, err)
	}
	s, err := a.visitor(ctx)
	if err != nil {
		return nil, nil, err
	}
	asset, err := s.asset(ctx, config.Asset)
	if err != nil {
		return nil, nil, err
	}
	language := words.Language(config.Language)
	if language == "" {
		language = a.language()
	}
	return &home.Feed{
		Node: s.node, Key: key, Device: home.Device{ID: config.ID, Name: config.Name, Prefix: config.Prefix, Version: version()},
		Zone: config.Zone, Asset: asset, Currency: cmp.Or(config.Currency, asset.Code), Buy: config.Buy, Sell: config.Sell, Language: language, Log: a.logger(),
	}, &config.Config, nil
}

type homeRunCmd struct{ homeFile }

func (c *homeRunCmd) Run(ctx context.Context, a *app) error {
	feed, config, err := c.feed(ctx, a)
	if err != nil {
		return err
	}
	defer a.tellWhenStill(ctx, feed.Node)()
	return feed.Run(ctx, config)
}

type homeShowCmd struct{ homeFile }

func (c *homeShowCmd) Run(ctx context.Context, a *app) error {
	feed, _, err := c.feed(ctx, a)
	if err != nil {
		return err
	}
	values, err := feed.Values(ctx)
	if err != nil {
		return err
	}
	messages, err := home.Messages(&feed.Device, values)
	if err != nil {
		return err
	}
	type shown struct {
		Topic    string `json:"topic"`
		Retained bool   `json:"retained"`
		Payload  any    `json:"payload"`
	}
	var all []shown
	for _, m := range messages {
		var payload any = string(m.Payload)
		if json.Valid(m.Payload) {
			payload = json.RawMessage(m.Payload)
		}
		all = append(all, shown{m.Topic, m.Retained, payload})
	}
	if a.JSON {
		return a.show(all, nil)
	}
	for _, m := range messages { // as they are, without new lines within a payload
		fmt.Fprintf(a.out, "%s\n  %s\n", m.Topic, m.Payload)
	}
	return nil
}
