package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"lockstep/internal/advice"
	"lockstep/trade/words"
	"lockstep/types"
	"lockstep/wallet"
)

type memberCmd struct {
	List     memberListCmd     `cmd:"" help:"List the members of the ledger: the keys that an operator has admitted, with their names."`
	Join     memberJoinCmd     `cmd:"" help:"Ask the operators of a members' ledger to admit you under a name. The node keeps the request for them."`
	Requests memberRequestsCmd `cmd:"" help:"List the requests to join that wait at the node."`
	Status   memberStatusCmd   `cmd:"" help:"Show whether your request to join waits, was declined and why, or you are a member."`
	Decline  memberDeclineCmd  `cmd:"" help:"As an operator: decline a request to join, with a reason that the newcomer reads."`
	Admit    memberAdmitCmd    `cmd:"" help:"As an operator: make a key a member, by its request to join or by its whole key and a name."`
}

type memberListCmd struct {
	lookFlags
	mostFlag
}

func (c *memberListCmd) Run(ctx context.Context, a *app) error {
	s, err := c.visitor(ctx, a)
	if err != nil {
		return err
	}
	members, err := list(a, s.node.AllMembers(ctx), c.mostFlag, all)
	if err != nil {
		return err
	}
	return a.show(members, func(p *page) {
		if len(members) == 0 {
			p.line("This ledger has no members.")
			return
		}
		p.row("name", "key")
		for i := range members {
			p.row(name(members[i].Name), s.withLabel(members[i].Key))
		}
	})
}

type memberJoinCmd struct {
	walletFlags
	Name string `arg:"" help:"The name under which you want to be known: the operators and all members see it."`
}

func (c *memberJoinCmd) Run(ctx context.Context, a *app) error {
	s, err := a.session(ctx, &c.walletFlags)
	if err != nil {
		return err
	}
	known, err := s.known(ctx)
	if err != nil {
		return err
	}
	request, err := s.account.JoinRequest(known, c.Name, types.TimeOf(time.Now()))
	if err != nil {
		return err
	}
	if err := s.node.Join(ctx, &request); err != nil {
		return err
	}
	return a.show(request, func(p *page) {
		p.line("Asked to join %s as %s. The request waits at the node until %s.", s.params.ChainID, name(c.Name), stamp(request.ValidUntil))
		p.line("Tell an operator your key in another way too, so that the operator can compare it:\n  %s", request.Member.Key)
		p.line("See what has become of it with: %s", s.next("member status"))
	})
}

type memberRequestsCmd struct {
	lookFlags
}

func (c *memberRequestsCmd) Run(ctx context.Context, a *app) error {
	s, err := c.visitor(ctx, a)
	if err != nil {
		return err
	}
	requests, err := s.node.JoinRequests(ctx)
	if err != nil {
		return err
	}
	return a.show(requests, func(p *page) {
		if len(requests) == 0 {
			p.line("No request to join waits at this node.")
			return
		}
		p.row("name", "expires", "key")
		for i := range requests {
			p.row(name(requests[i].Member.Name), about(&words.Printer{}, requests[i].ValidUntil, s.status.BlockTime), s.withLabel(requests[i].Member.Key))
		}
		p.line("\nAdmit one with: %s", s.next("member admit", requests[0].Member.Key.String()[:shortDigits]))
		p.line("Decline one with: %s", s.next("member decline", requests[0].Member.Key.String()[:shortDigits], "--reason", "TEXT"))
	})
}

type memberStatusCmd struct {
	walletFlags
}

func (c *memberStatusCmd) Run(ctx context.Context, a *app) error {
	s, err := a.session(ctx, &c.walletFlags)
	if err != nil {
		return err
	}
	state, err := s.node.JoinState(ctx, s.account.Key())
	if err != nil {
		return err
	}
	if d := state.Decline; d != nil && !slices.Contains(s.params.Operators, d.Operator) {
		return types.Refuse(types.CodeOperator, "the node shows a refusal by %s, which is no operator of this ledger: don't trust that node, ask another", d.Operator)
	}
	return a.show(state, func(p *page) {
		switch {
		case state.Member != nil:
			p.line("You are a member of %s as %s.", s.params.ChainID, name(state.Member.Name))
		case state.Decline != nil:
			p.line("An operator has declined your request as %s: %s", name(state.Request.Member.Name), printable(state.Decline.Reason))
			p.line("The operator: %s", s.withLabel(state.Decline.Operator))
			p.line("You can ask again: %s", s.next("member join", "NAME"))
		default:
			p.line("Your request as %s waits at the node until %s.", name(state.Request.Member.Name), stamp(state.Request.ValidUntil))
		}
	})
}

type memberDeclineCmd struct {
	walletFlags
	Member string `arg:"" help:"Key of the newcomer, or the beginning of it."`
	Reason string `required:"" help:"The reason, or what the newcomer should do; anybody can read it." placeholder:"TEXT"`
}

func (c *memberDeclineCmd) Run(ctx context.Context, a *app) error {
	s, err := a.session(ctx, &c.walletFlags)
	if err != nil {
		return err
	}
	request, _, err := askedToJoin(ctx, s, c.Member)
	if err != nil {
		return err
	}
	known, err := s.known(ctx)
	if err != nil {
		return err
	}
	decline, err := s.account.JoinDecline(known, &request, c.Reason)
	if err != nil {
		return err
	}
	if err := s.node.DeclineJoin(ctx, &decline); err != nil {
		return err
	}
	return a.show(decline, func(p *page) {
		p.line("Declined the request of %s, with the key %s. The newcomer reads your reason, and can ask again.", name(request.Member.Name), request.Member.Key)
	})
}

type memberAdmitCmd struct {
	walletFlags
	proposeFlag
	yesFlag
	Member string `arg:"" help:"Key of the member; the beginning of it if a request of it waits."`
	Name   string `arg:"" optional:"" help:"Its name; by default the one in its request to join."`
}

func (c *memberAdmitCmd) Run(ctx context.Context, a *app) error {
	return a.operate(ctx, &c.walletFlags, c.yesFlag, c.proposeFlag, func(s *session, d *wallet.Draft) (plan, error) {
		member, whole, err := c.member(ctx, s)
		if err != nil {
			return plan{}, err
		}
		d.Admit(member)
		p := plan{
			ask: fmt.Sprintf("Make %s a member, with the key %s", name(member.Name), member.Key), done: name(member.Name) + " is a member now: " + member.Key.String(),
			free: whole, // anybody can search for a key that begins like another's
		}
		err = p.warnOfName(ctx, s, &member)
		return p, err
	})
}

// warnOfName makes a plan to admit a member ask about a name that may imitate another.
func (p *plan) warnOfName(ctx context.Context, s *session, member *types.Member) error {
	members, err := advice.Members(ctx, s.node)
	if err != nil {
		return err
	}
	doubts := advice.DoubtsOfName(member, members)
	if doubts.Mixed {
		p.free, p.worst = false, append(p.worst, "The name mixes letters of several alphabets that look alike, as a name does that imitates another.")
	}
	if doubts.Foreign {
		p.free, p.worst = false, append(p.worst, "The name has no Latin letter, and each of its letters looks like one: it can be read as another name.")
	}
	if like := doubts.Like; like != nil {
		p.free, p.worst = false, append(p.worst, fmt.Sprintf("The name looks like that of the member %s, with the key %s.", name(like.Name), like.Key))
	}
	return nil
}

// member returns the member that the arguments name, and whether they hold its whole key.
func (c *memberAdmitCmd) member(ctx context.Context, s *session) (member types.Member, whole bool, err error) {
	key, wrong := types.ParseKey(c.Member)
	if wrong == nil && c.Name != "" {
		return types.Member{Key: key, Name: c.Name}, true, nil
	}
	request, whole, err := askedToJoin(ctx, s, c.Member)
	if err != nil {
		return types.Member{}, false, err
	}
	if member = request.Member; c.Name != "" {
		member.Name = c.Name
	}
	return member, whole, nil
}

// askedToJoin returns the request that waits of a key, or of the only key with that beginning, and whether the key was whole.
func askedToJoin(ctx context.Context, s *session, text string) (request types.JoinRequest, whole bool, err error) {
	key, wrong := types.ParseKey(text)
	prefix := strings.ToLower(strings.TrimSpace(text))
	if _, _, err := types.PrefixRange(prefix); err != nil || !strings.HasPrefix(prefix, "lk1") {
		return request, false, misuse("%q is no key and no beginning of one: %v", text, wrong)
	}
	requests, err := s.node.JoinRequests(ctx)
	if err != nil {
		return request, false, err
	}
	found := slices.DeleteFunc(requests, func(r types.JoinRequest) bool { return !strings.HasPrefix(r.Member.Key.String(), prefix) })
	switch {
	case len(found) == 0 && wrong == nil:
		return request, false, types.Refuse(types.CodeNotFound, "no request to join of %s waits at this node; to admit the key all the same, give the member a name", key)
	case len(found) == 0:
		return request, false, types.Refuse(types.CodeNotFound, "no request to join waits at this node whose key begins with %s: give the whole key and a name", prefix)
	case len(found) > 1:
		list := ""
		for i := range found {
			list += "\n  " + found[i].Member.Key.String() + " " + name(found[i].Member.Name)
		}
		return request, false, misuse("%s is the beginning of several keys that ask to join; give more of the one you mean:%s", prefix, list)
	}
	return found[0], wrong == nil, nil
}
