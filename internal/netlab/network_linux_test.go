package netlab

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Link is the state of the way from one host to another. The zero value carries every packet at once.
type Link struct {
	Cut    bool
	Loss   int           // packets of a thousand that get lost
	Delay  time.Duration // of each packet
	Jitter time.Duration // at most so much later
}

// network is the hosts and the links from each to each other.
type network struct {
	hosts []*host
	paths [][]*path // from, to
}

// host is a network namespace with one address.
type host struct {
	address   netip.Addr
	namespace *os.File
	tun       *os.File // the packets that leave it and enter it

	mu   sync.Mutex
	rate int       // bytes a second that leave it in all; zero: as fast as they come
	free time.Time // when the last packet has left, at that rate
}

// path carries packets one way.
type path struct {
	from    *host
	to      *host
	carried atomic.Uint64 // bytes
	waiting chan parcel

	mu     sync.Mutex
	link   Link
	random *rand.Rand
	queued int
}

// parcel is a packet with the time at which it arrives.
type parcel struct {
	due    time.Time
	packet []byte
}

const (
	longestQueue = 4096            // packets on the way, as in a router
	longestLag   = 2 * time.Second // at a host's rate
)

// newNetwork makes hosts 10.77.0.1 and so on. Close it at the end.
func newNetwork(hosts int, seed uint64) (_ *network, err error) {
	n := &network{}
	defer func() {
		if err != nil {
			n.close()
		}
	}()
	for i := range hosts {
		h, err := newHost(netip.AddrFrom4([4]byte{10, 77, 0, byte(i + 1)}))
		if err != nil {
			return nil, fmt.Errorf("make a network namespace: %w", err)
		}
		n.hosts = append(n.hosts, h)
	}
	for from := range hosts {
		row := make([]*path, hosts)
		for to := range hosts {
			row[to] = &path{from: n.hosts[from], to: n.hosts[to], random: rand.New(rand.NewPCG(seed, uint64(from*hosts+to))), waiting: make(chan parcel, longestQueue)}
			go row[to].deliver()
		}
		n.paths = append(n.paths, row)
	}
	for from := range n.hosts {
		go n.forward(from)
	}
	return n, nil
}

// newHost makes a namespace in a thread that ends with it: the namespace lives on by its file.
func newHost(address netip.Addr) (h *host, err error) {
	h = &host{address: address}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread is of no use afterwards
		if err = unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return
		}
		if h.namespace, err = os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid())); err != nil {
			return
		}
		if err = setUp("lo", netip.Addr{}); err != nil {
			return
		}
		if h.tun, err = openTun("tun0"); err == nil {
			err = setUp("tun0", address)
		}
	}()
	<-done
	return h, err
}

// openTun makes a device whose packets this process reads and writes.
func openTun(name string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/net/tun: %w", err)
	}
	request, err := unix.NewIfreq(name)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		if err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err == nil {
			err = unix.SetNonblock(fd, true)
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make a tun device: %w", err), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), "/dev/net/tun"), nil
}

// setUp switches a device of the thread's namespace on, with an address of 10.77.0.0/24 if there is one.
func setUp(name string, address netip.Addr) error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(socket) }()
	request, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	if address.IsValid() {
		for _, set := range []struct {
			call  uint
			value []byte
		}{{unix.SIOCSIFADDR, address.AsSlice()}, {unix.SIOCSIFNETMASK, []byte{255, 255, 255, 0}}} {
			if err := errors.Join(request.SetInet4Addr(set.value), unix.IoctlIfreq(socket, set.call, request)); err != nil {
				return fmt.Errorf("give %s an address: %w", name, err)
			}
		}
	}
	if err := unix.IoctlIfreq(socket, unix.SIOCGIFFLAGS, request); err != nil {
		return err
	}
	request.SetUint16(request.Uint16() | unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request)
}

// do runs a function in a thread of the namespace: sockets that it opens and processes that it starts belong there.
func (h *host) do(f func() error) (err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good, as in newHost
		if err = unix.Setns(int(h.namespace.Fd()), unix.CLONE_NEWNET); err == nil {
			err = f()
		}
	}()
	<-done
	return err
}

// dial connects within the namespace.
func (h *host) dial(ctx context.Context, kind, address string) (conn net.Conn, err error) {
	err = h.do(func() (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, kind, address)
		return err
	})
	return conn, err
}

// forward reads the packets that leave a host and sends each on its path.
func (n *network) forward(from int) {
	buffer := make([]byte, 1<<16)
	for {
		size, err := n.hosts[from].tun.Read(buffer)
		if err != nil { // closed
			return
		}
		const version4, header = 4, 20
		if size < header || buffer[0]>>4 != version4 {
			continue // IPv6 looks for its neighbours
		}
		to := int(buffer[19]) - 1 // the last byte of the destination
		if to >= 0 && to < len(n.hosts) && to != from {
			n.paths[from][to].carry(buffer[:size])
		}
	}
}

// carry delivers a packet, at once or later, or loses it.
func (w *path) carry(packet []byte) {
	w.mu.Lock()
	link, now := w.link, time.Now()
	if link.Cut || link.Loss > 0 && w.random.IntN(1000) < link.Loss || w.queued == longestQueue {
		w.mu.Unlock()
		return
	}
	due := now.Add(link.Delay)
	if link.Jitter > 0 {
		due = due.Add(time.Duration(w.random.Int64N(int64(link.Jitter))))
	}
	lag, ok := w.from.leave(len(packet), now)
	if !ok {
		w.mu.Unlock()
		return
	}
	due = due.Add(lag)
	w.carried.Add(uint64(len(packet)))
	if due.Equal(now) && w.queued == 0 {
		w.mu.Unlock()
		_, _ = w.to.tun.Write(packet) // a host that is gone hears nothing
		return
	}
	w.queued++
	w.mu.Unlock()
	w.waiting <- parcel{due, append([]byte(nil), packet...)}
}

// leave tells how long a packet waits to leave the host at its rate. A full queue loses packets, which slows the sender down.
func (h *host) leave(size int, now time.Time) (lag time.Duration, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.rate == 0 {
		return 0, true
	}
	if h.free.Before(now) {
		h.free = now
	}
	if lag = h.free.Sub(now); lag > longestLag {
		return 0, false
	}
	h.free = h.free.Add(time.Duration(size) * time.Second / time.Duration(h.rate))
	return h.free.Sub(now), true
}

func (h *host) limit(rate int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rate, h.free = rate, time.Time{}
}

// deliver delivers the packets of a path in their order, each at its time or after.
func (w *path) deliver() {
	for p := range w.waiting {
		time.Sleep(time.Until(p.due))
		_, _ = w.to.tun.Write(p.packet) // as in carry
		w.mu.Lock()
		w.queued--
		w.mu.Unlock()
	}
}

func (w *path) set(link Link) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.link = link
}

// all sets every link.
func (n *network) all(link Link) {
	for from := range n.paths {
		for to := range n.paths[from] {
			n.paths[from][to].set(link)
		}
	}
}

// sent is the bytes that a host has put on its paths.
func (n *network) sent(from int) (bytes uint64) {
	for _, w := range n.paths[from] {
		bytes += w.carried.Load()
	}
	return bytes
}

func (n *network) close() {
	for _, h := range n.hosts {
		_ = h.tun.Close() // ends its reader
		_ = h.namespace.Close()
	}
}
