package ledger

import (
	"lockstep/types"
	"lockstep/types/canon"
)

// The registry says which meter is whose. It is the one thing in the ledger that rests on somebody's word: an operator's,
// named in the parameters. Trades without a meter don't need it.

// admit makes a key a member. No two members have names that look the same: others know a key by its name.
func (x *execution) admit(a *types.Admit) error {
	if err := x.needOperator(a.Operator); err != nil {
		return err
	}
	if err := a.Member.Check(); err != nil {
		return err
	}
	if _, known := get[types.Member](x.State, memberKey(a.Member.Key)); known {
		return types.Refuse(types.CodeMember, "%s is a member already", a.Member.Key)
	}
	at := nameKey(a.Member.Name)
	if other, taken := get[namesake](x.State, at); taken {
		return types.Refuse(types.CodeMemberName, "the name %q looks like that of member %s", a.Member.Name, other.Key)
	}
	member := a.Member
	x.put(memberKey(member.Key), &member)
	x.put(at, &namesake{member.Key})
	x.emit(types.EventRegistered, types.Event{Tx: x.tx.ID()}, member.Key)
	return nil
}

// namesake is the member that has a name.
type namesake struct{ Key types.PublicKey }

// Fields is the stored form, see [canon.Value].
func (n *namesake) Fields(c *canon.Coder) {
	c.Array(1)
	c.Bytes("key", n.Key[:])
}
