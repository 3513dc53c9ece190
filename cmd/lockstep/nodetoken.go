package main

import (
	"errors"
	"strconv"
	"time"

	"lockstep/internal/access"
	"lockstep/internal/node"
	"lockstep/types"
)

type nodeTokenCmd struct {
	Add    nodeTokenAddCmd    `cmd:"" help:"Make a token for a client and print it, this once."`
	List   nodeTokenListCmd   `cmd:"" help:"List the clients that have tokens."`
	Revoke nodeTokenRevokeCmd `cmd:"" help:"Revoke the token of a client, at once."`
}

// tokensFile returns the file of the tokens, once the folder is that of a node.
func (f *nodeFlags) tokensFile(a *app) (string, error) {
	if _, err := node.LoadSettings(f.dir(a)); err != nil {
		return "", err
	}
	return node.TokensFile(f.dir(a)), nil
}

type nodeTokenAddCmd struct {
	nodeFlags
	Name    string        `arg:"" help:"Name of the client, such as anna or shop.example."`
	Rate    int           `help:"Transactions a second that the client may submit; four times as many may come at once. By default unlimited." placeholder:"N"`
	Expires time.Duration `help:"How long the token is good; by default until it is revoked." placeholder:"TIME"`
}

// Run makes the token. Only its hash is kept.
func (c *nodeTokenAddCmd) Run(a *app) error {
	if err := access.CheckName(c.Name); err != nil {
		return &usageError{err}
	}
	file, err := c.tokensFile(a)
	if err != nil {
		return err
	}
	now := time.Now()
	token := access.Token{Name: c.Name, Made: types.TimeOf(now), Rate: c.Rate}
	if c.Expires > 0 {
		token.Expires = types.TimeOf(now.Add(c.Expires))
	}
	secret, err := access.Add(file, token)
	if err != nil {
		return wrongName(err)
	}
	made := struct {
		Name    string     `json:"name"`
		Token   string     `json:"token"`
		Expires types.Time `json:"expires,omitzero"`
	}{c.Name, secret, token.Expires}
	return a.show(made, func(p *page) {
		p.line("%s", secret)
		p.line("This is the token of %s. It is kept nowhere: put it into a file of mode 0600 on the client's machine, which names it by --token-file.", c.Name)
	})
}

// wrongName makes the error of a name one of the command's use.
func wrongName(err error) error {
	if named, ok := errors.AsType[*access.NameError](err); ok {
		return &usageError{named}
	}
	return err
}

type nodeTokenListCmd struct{ nodeFlags }

// listedToken is a token without its hash.
type listedToken struct {
	Name    string     `json:"name"`
	Made    types.Time `json:"made"`
	Expires types.Time `json:"expires,omitzero"`
	Rate    int        `json:"rate,omitzero"`
}

// Run lists the tokens.
func (c *nodeTokenListCmd) Run(a *app) error {
	file, err := c.tokensFile(a)
	if err != nil {
		return err
	}
	tokens, err := access.List(file)
	if err != nil {
		return err
	}
	listed := make([]listedToken, len(tokens))
	for i, token := range tokens {
		listed[i] = listedToken{token.Name, token.Made, token.Expires, token.Rate}
	}
	return a.show(listed, func(p *page) {
		if len(listed) == 0 {
			p.line("No client has a token. Make one with: %s", a.next("node token add")+" NAME")
			return
		}
		p.row("name", "made", "good until", "transactions a second")
		for _, token := range listed {
			until, rate := "revoked", "unlimited"
			if token.Expires != 0 {
				until = stamp(token.Expires)
				if token.Expires <= types.TimeOf(time.Now()) {
					until += " (over)"
				}
			}
			if token.Rate > 0 {
				rate = strconv.Itoa(token.Rate)
			}
			p.row(token.Name, stamp(token.Made), until, rate)
		}
	})
}

type nodeTokenRevokeCmd struct {
	nodeFlags
	Name string `arg:"" help:"Name of the client."`
}

// Run revokes the token.
func (c *nodeTokenRevokeCmd) Run(a *app) error {
	file, err := c.tokensFile(a)
	if err != nil {
		return err
	}
	if err := access.Revoke(file, c.Name); err != nil {
		return wrongName(err)
	}
	return a.show(struct {
		Revoked string `json:"revoked"`
	}{c.Name}, func(p *page) { p.line("Revoked the token of %s. A running node refuses it from now on.", c.Name) })
}
