package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"

	"lockstep/client"
	"lockstep/internal/node"
	"lockstep/internal/plaintext"
)

// connect makes a client of the node that the flags name, or of the one in the home folder.
func (a *app) connect() (*client.Client, error) { return a.connectTo(a.nodeDir()) }

// connectTo makes a client of the node in a folder, unless the flags name another. A missing token file is no error:
// reading needs none.
func (a *app) connectTo(dir string) (*client.Client, error) {
	address, err := a.nodeAddress(dir)
	if err != nil {
		return nil, err
	}
	file := a.TokenFile
	if file == "" {
		file = filepath.Join(dir, "api.token")
	}
	var options []client.Option
	token, err := plaintext.ReadFile(file, maxTokenFile)
	switch {
	case err == nil:
		options = append(options, client.WithToken(strings.TrimSpace(string(token))))
	case a.TokenFile != "" || !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("read the node's API token: %w", err)
	}
	return client.New(address, options...)
}

// maxTokenFile bounds a file that should hold an API token.
const maxTokenFile = 4 << 10

// nodeAddress is where the node is asked: as the flag or the environment says, else where the node in a folder listens.
func (a *app) nodeAddress(dir string) (string, error) {
	if a.NodeURL != "" {
		return completeURL(a.NodeURL)
	}
	listens, err := node.Listens(dir)
	if err != nil || listens == "" {
		return "http://" + node.DefaultAPI, nil
	}
	return "http://" + reachable(listens), nil
}

// completeURL puts the scheme before an address that lacks it: on this machine it can only be http.
func completeURL(text string) (string, error) {
	if strings.Contains(text, "://") {
		return text, nil
	}
	host, _, err := net.SplitHostPort(strings.TrimRight(text, "/"))
	if err != nil {
		host = text
	}
	if loopback(host) {
		return "http://" + text, nil
	}
	return "", misuse("--node %q has no scheme: write https://%s, or http://%s if nobody can listen in between", text, text, text)
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

// reachable is an address at which this machine reaches what listens there: a node that listens everywhere, also here.
func reachable(listens string) string {
	host, port, err := net.SplitHostPort(listens)
	if err != nil {
		return listens
	}
	switch ip, err := netip.ParseAddr(host); {
	case host == "" || err == nil && ip.IsUnspecified() && ip.Is4():
		host = "127.0.0.1"
	case err == nil && ip.IsUnspecified():
		host = "::1"
	}
	return net.JoinHostPort(host, port)
}

// checkListen refuses an address at which nothing can listen.
func checkListen(flag, address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return misuse("%s %q is not an address: write host:port, such as %s", flag, address, node.DefaultAPI)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return misuse("%s %q: the port is not a number from 0 to 65535, such as in %s", flag, address, node.DefaultAPI)
	}
	return nil
}
