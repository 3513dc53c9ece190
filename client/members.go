package client

import (
	"context"
	"iter"

	"lockstep/client/wire"
	"lockstep/types"
)

// Member returns the name under which an operator of the ledger has admitted a key. The caller trusts the node for it.
func (c *Client) Member(ctx context.Context, key types.PublicKey) (member types.Member, err error) {
	err = c.get(ctx, "/v1/members/"+key.String(), nil, &member)
	if err == nil && member.Key != key {
		err = c.lied("its answer for member %s is of another key", key)
	}
	if err == nil {
		err = c.checkMember(&member)
	}
	return member, wrap("member "+key.String(), err)
}

// Members returns a page of the members of the ledger by their keys. A node that omits members can't be detected.
func (c *Client) Members(ctx context.Context, page Page) (members wire.Members, err error) {
	err = c.get(ctx, "/v1/members", pageQuery(page), &members)
	for i := range members.Members {
		if err == nil {
			err = c.checkMember(&members.Members[i])
		}
	}
	return members, wrap("members", err)
}

// AllMembers iterates over the members of the ledger, page by page. It ends after an error.
func (c *Client) AllMembers(ctx context.Context) iter.Seq2[types.Member, error] {
	return Pages(Page{Limit: maxPage}, func(page Page) ([]types.Member, string, error) {
		answer, err := c.Members(ctx, page)
		return answer.Members, answer.Next, err
	})
}

// checkMember refuses a name that no ledger admits, such as one with invisible characters.
func (c *Client) checkMember(member *types.Member) error {
	if err := member.Check(); err != nil {
		return c.lied("its answer has a member that no ledger admits: %v", err)
	}
	return nil
}
