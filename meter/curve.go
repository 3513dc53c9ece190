package meter

import "math/big"

// A Curve is one of the elliptic curves of OCMF (standard, table 22). The zero value is no curve: a bare point does not
// say which it is on.
type Curve uint8

// The curves, by the names of SEC 2 and RFC 5639.
const (
	Secp192k1 Curve = iota + 1
	Secp192r1
	Secp256k1
	Secp256r1
	Secp384r1
	BrainpoolP256r1
	BrainpoolP384r1
)

// curveParams are the constants of y² = x³ + ax + b over the field of p, with base point (x, y) of prime order n, in
// hex, and the curve's OID. All seven have cofactor 1, so each point but infinity has order n.
type curveParams struct {
	name, oid, p, a, b, x, y, n string
}

// params gives the constants. They are strings, written down once and turned into numbers for each use, since a big.Int
// that is shared could be changed; the microseconds are nothing beside the verification.
func (c Curve) params() curveParams {
	switch c {
	case Secp192k1: // SEC 2 version 1, 2.5.1
		return curveParams{
			name: "secp192k1", oid: "\x2b\x81\x04\x00\x1f",
			p: "fffffffffffffffffffffffffffffffffffffffeffffee37",
			a: "0",
			b: "3",
			x: "db4ff10ec057e9ae26b07d0280b7f4341da5d1b1eae06c7d",
			y: "9b2f2f6d9c5628a7844163d015be86344082aa88d95e2f9d",
			n: "fffffffffffffffffffffffe26f2fc170f69466a74defd8d",
		}
	case Secp192r1: // SEC 2 version 1, 2.5.2
		return curveParams{
			name: "secp192r1", oid: "\x2a\x86\x48\xce\x3d\x03\x01\x01",
			p: "fffffffffffffffffffffffffffffffeffffffffffffffff",
			a: "fffffffffffffffffffffffffffffffefffffffffffffffc",
			b: "64210519e59c80e70fa7e9ab72243049feb8deecc146b9b1",
			x: "188da80eb03090f67cbf20eb43a18800f4ff0afd82ff1012",
			y: "07192b95ffc8da78631011ed6b24cdd573f977a11e794811",
			n: "ffffffffffffffffffffffff99def836146bc9b1b4d22831",
		}
	case Secp256k1: // SEC 2, 2.4.1
		return curveParams{
			name: "secp256k1", oid: "\x2b\x81\x04\x00\x0a",
			p: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
			a: "0",
			b: "7",
			x: "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
			y: "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8",
			n: "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
		}
	case Secp256r1: // SEC 2, 2.4.2
		return curveParams{
			name: "secp256r1", oid: "\x2a\x86\x48\xce\x3d\x03\x01\x07",
			p: "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
			a: "ffffffff00000001000000000000000000000000fffffffffffffffffffffffc",
			b: "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
			x: "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
			y: "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
			n: "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
		}
	case Secp384r1: // SEC 2, 2.5.1
		return curveParams{
			name: "secp384r1", oid: "\x2b\x81\x04\x00\x22",
			p: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
			a: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000fffffffc",
			b: "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
			x: "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
			y: "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
			n: "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
		}
	case BrainpoolP256r1: // RFC 5639 3.4
		return curveParams{
			name: "brainpoolP256r1", oid: "\x2b\x24\x03\x03\x02\x08\x01\x01\x07",
			p: "a9fb57dba1eea9bc3e660a909d838d726e3bf623d52620282013481d1f6e5377",
			a: "7d5a0975fc2c3057eef67530417affe7fb8055c126dc5c6ce94a4b44f330b5d9",
			b: "26dc5c6ce94a4b44f330b5d9bbd77cbf958416295cf7e1ce6bccdc18ff8c07b6",
			x: "8bd2aeb9cb7e57cb2c4b482ffc81b7afb9de27e1e3bd23c23a4453bd9ace3262",
			y: "547ef835c3dac4fd97f8461a14611dc9c27745132ded8e545c1d54c72f046997",
			n: "a9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7",
		}
	case BrainpoolP384r1: // RFC 5639 3.6
		return curveParams{
			name: "brainpoolP384r1", oid: "\x2b\x24\x03\x03\x02\x08\x01\x01\x0b",
			p: "8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b412b1da197fb71123acd3a729901d1a71874700133107ec53",
			a: "7bc382c63d8c150c3c72080ace05afa0c2bea28e4fb22787139165efba91f90f8aa5814a503ad4eb04a8c7dd22ce2826",
			b: "04a8c7dd22ce28268b39b55416f0447c2fb77de107dcd2a62e880ea53eeb62d57cb4390295dbc9943ab78696fa504c11",
			x: "1d1c64f068cf45ffa2a63a81b7c13f6b8847a3e77ef14fe3db7fcafe0cbd10e8e826e03436d646aaef87b2e247d4af1e",
			y: "8abe1d7520f9c2a45cb1eb8e95cfd55262b70b29feec5864e19c054ff99129280e4646217791811142820341263c5315",
			n: "8cb91e82a3386d280f5d6f7e50e641df152f7109ed5456b31f166e6cac0425a7cf3ab6af6b7fc3103b883202e9046565",
		}
	}
	return curveParams{name: "unknown"}
}

// curves lists them all.
func curves() []Curve {
	return []Curve{Secp192k1, Secp192r1, Secp256k1, Secp256r1, Secp384r1, BrainpoolP256r1, BrainpoolP384r1}
}

// String is the curve's name in SEC 2 or RFC 5639.
func (c Curve) String() string { return c.params().name }

// size is the length in bytes of a coordinate, which for these curves is also that of r and of s.
func (c Curve) size() int { return len(c.params().p) / 2 }

// A group does arithmetic on one curve. Points are in Jacobian coordinates, x = X/Z², y = Y/Z³ with Z = 0 for infinity
// (SEC 1 allows any; these need no inversion before the end). It works on public data only, so it need not run in
// constant time. It isn't safe for concurrent use: products go through its scratch space, to save allocations.
type group struct {
	p, a, b, n *big.Int
	base       point
	size       int // bytes of a coordinate

	product, quotient big.Int
	t                 [8]big.Int
}

type point struct{ x, y, z big.Int }

func newGroup(c Curve) *group {
	params := c.params()
	number := func(hex string) *big.Int {
		n, ok := new(big.Int).SetString(hex, 16)
		if !ok {
			panic("meter: no such curve")
		}
		return n
	}
	g := &group{p: number(params.p), a: number(params.a), b: number(params.b), n: number(params.n), size: c.size()}
	g.base.set(number(params.x), number(params.y))
	return g
}

// set makes p the affine point (x, y).
func (p *point) set(x, y *big.Int) {
	p.x.Set(x)
	p.y.Set(y)
	p.z.SetInt64(1)
}

func (p *point) copy(q *point) {
	p.x.Set(&q.x)
	p.y.Set(&q.y)
	p.z.Set(&q.z)
}

func (p *point) infinite() bool { return p.z.Sign() == 0 }

// mul sets z to xy mod p. Any of the three may be the same.
func (g *group) mul(z, x, y *big.Int) {
	g.product.Mul(x, y)
	g.quotient.QuoRem(&g.product, g.p, z)
}

func (g *group) add(z, x, y *big.Int) {
	if z.Add(x, y); z.Cmp(g.p) >= 0 {
		z.Sub(z, g.p)
	}
}

func (g *group) sub(z, x, y *big.Int) {
	if z.Sub(x, y); z.Sign() < 0 {
		z.Add(z, g.p)
	}
}

// double sets p to 2p. Infinity, and a point with y = 0 (these curves have none), come out with Z = 0.
func (g *group) double(p *point) {
	yy, s, m, t := &g.t[0], &g.t[1], &g.t[2], &g.t[3]
	g.mul(yy, &p.y, &p.y)
	g.mul(s, &p.x, yy)
	g.add(s, s, s)
	g.add(s, s, s) // S = 4XY²
	g.mul(m, &p.x, &p.x)
	g.add(t, m, m)
	g.add(m, m, t)
	if g.a.Sign() != 0 {
		g.mul(t, &p.z, &p.z)
		g.mul(t, t, t)
		g.mul(t, t, g.a)
		g.add(m, m, t) // M = 3X² + aZ⁴
	}
	g.mul(&p.z, &p.y, &p.z)
	g.add(&p.z, &p.z, &p.z) // Z' = 2YZ
	g.mul(&p.x, m, m)
	g.sub(&p.x, &p.x, s)
	g.sub(&p.x, &p.x, s) // X' = M² - 2S
	g.sub(s, s, &p.x)
	g.mul(&p.y, m, s)
	g.mul(yy, yy, yy)
	g.add(yy, yy, yy)
	g.add(yy, yy, yy)
	g.add(yy, yy, yy)
	g.sub(&p.y, &p.y, yy) // Y' = M(S - X') - 8Y⁴
}

// addPoint sets p to p + q, for any two points.
func (g *group) addPoint(p, q *point) {
	if q.infinite() {
		return
	}
	if p.infinite() {
		p.copy(q)
		return
	}
	zz1, zz2, u, h, s, r := &g.t[0], &g.t[1], &g.t[2], &g.t[3], &g.t[4], &g.t[5]
	g.mul(zz1, &p.z, &p.z)
	g.mul(zz2, &q.z, &q.z)
	g.mul(u, &p.x, zz2)
	g.mul(h, &q.x, zz1)
	g.sub(h, h, u) // H = X2·Z1² - X1·Z2²
	g.mul(s, zz2, &q.z)
	g.mul(s, s, &p.y)
	g.mul(r, zz1, &p.z)
	g.mul(r, r, &q.y)
	g.sub(r, r, s) // R = Y2·Z1³ - Y1·Z2³
	if h.Sign() == 0 {
		if r.Sign() == 0 {
			g.double(p)
		} else {
			p.z.SetInt64(0) // q is -p
		}
		return
	}
	hh, hhh := &g.t[6], &g.t[7]
	g.mul(hh, h, h)
	g.mul(hhh, hh, h)
	g.mul(u, u, hh) // U = X1·Z2²·H²
	g.mul(&p.z, &p.z, &q.z)
	g.mul(&p.z, &p.z, h)
	g.mul(&p.x, r, r)
	g.sub(&p.x, &p.x, hhh)
	g.sub(&p.x, &p.x, u)
	g.sub(&p.x, &p.x, u) // X3 = R² - H³ - 2U
	g.sub(u, u, &p.x)
	g.mul(u, u, r)
	g.mul(s, s, hhh)
	g.sub(&p.y, u, s) // Y3 = R(U - X3) - Y1·Z2³·H³
}

// mulSum returns u·base + v·q for u and v below 2^(8·size). It goes through both scalars at once, two bits of each at a
// time (Straus; "Shamir's trick"), so that the doublings are paid for only once.
func (g *group) mulSum(u, v *big.Int, q *point) *point {
	var table [16]point // of i·base + j·q at 4i + j
	for i := range 4 {
		for j := range 4 {
			switch entry := &table[4*i+j]; {
			case j > 0:
				entry.copy(&table[4*i+j-1])
				g.addPoint(entry, q)
			case i > 0:
				entry.copy(&table[4*(i-1)])
				g.addPoint(entry, &g.base)
			}
		}
	}
	sum := new(point)
	for bit := 8*g.size - 2; bit >= 0; bit -= 2 {
		g.double(sum)
		g.double(sum)
		i := u.Bit(bit+1)<<1 | u.Bit(bit)
		j := v.Bit(bit+1)<<1 | v.Bit(bit)
		g.addPoint(sum, &table[4*i+j])
	}
	return sum
}

// affine returns the coordinates of a point that is not infinity.
func (g *group) affine(p *point) (x, y *big.Int) {
	inverse, x, y := new(big.Int).ModInverse(&p.z, g.p), new(big.Int), new(big.Int)
	g.mul(x, inverse, inverse)
	g.mul(y, x, inverse)
	g.mul(x, x, &p.x)
	g.mul(y, y, &p.y)
	return x, y
}

// ySquared is x³ + ax + b.
func (g *group) ySquared(x *big.Int) *big.Int {
	yy := new(big.Int)
	g.mul(yy, x, x)
	g.add(yy, yy, g.a)
	g.mul(yy, yy, x)
	g.add(yy, yy, g.b)
	return yy
}

// onCurve tells whether (x, y) is a point of the curve with coordinates in their one form, below p.
func (g *group) onCurve(x, y *big.Int) bool {
	if x.Cmp(g.p) >= 0 || y.Cmp(g.p) >= 0 {
		return false
	}
	yy := new(big.Int)
	g.mul(yy, y, y)
	return yy.Cmp(g.ySquared(x)) == 0
}

// decompress finds the y of x that is odd or even, as asked (SEC 1 2.3.4).
func (g *group) decompress(x *big.Int, odd uint) (y *big.Int, ok bool) {
	if x.Cmp(g.p) >= 0 {
		return nil, false
	}
	y = new(big.Int).ModSqrt(g.ySquared(x), g.p)
	if y == nil {
		return nil, false
	}
	if y.Bit(0) != odd {
		g.sub(y, new(big.Int), y)
	}
	return y, true
}
