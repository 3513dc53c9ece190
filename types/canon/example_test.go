package canon_test

import (
	"fmt"

	"lockstep/types/canon"
)

// place is a value with a canonical form.
type place struct {
	Name  string
	Index uint32
}

// Fields lists the fields once, for both directions.
func (p *place) Fields(c *canon.Coder) {
	c.Array(2)
	canon.Text(c, "name", &p.Name)
	canon.Number(c, "index", &p.Index)
}

func Example() {
	encoded := canon.Encode(&place{"pier", 7})
	fmt.Printf("%x\n", encoded)

	var decoded place
	fmt.Println(canon.Decode(encoded, &decoded), decoded)
	fmt.Println(canon.Decode(append(encoded, 0), &decoded)) // nothing but the one form is read
	// Output:
	// 82647069657207
	// <nil> {pier 7}
	// it has 1 bytes too many
}
