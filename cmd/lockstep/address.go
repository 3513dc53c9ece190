package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"lockstep/client"
	"lockstep/internal/node"
	"lockstep/internal/plaintext"
)

// connect returns a client of the node that the flags name, else of the node in the home folder.
func (a *app) connect() (*client.Client, error) { return a.connectTo(a.nodeDir()) }

// connectTo returns a client of the node in a folder, unless the flags name another node. A missing token file is no error:
// reading needs no token.
func (a *app) connectTo(dir string) (*client.Client, error) {
	address, err := a.nodeAddress(dir)
	if err != nil {
		return nil, err
	}
	token, err := a.token(dir)
	if err != nil {
		return nil, err
	}
	return client.New(address, client.WithToken(token), client.WithPatience(a.Patience))
}

// token reads the API token that a flag names, else that of the node in a folder; empty when the folder has none. A node on another machine, which a flag
// names, never gets the token of the node on this one.
func (a *app) token(dir string) (string, error) {
	file := a.TokenFile
	if file == "" {
		if a.NodeURL != "" && !onThisMachine(a.NodeURL) {
			return "", nil
		}
		file = filepath.Join(dir, "api.token")
	}
	token, err := plaintext.ReadFile(file, maxTokenFile)
	if err != nil && (a.TokenFile != "" || !errors.Is(err, fs.ErrNotExist)) {
		return "", fmt.Errorf("read the node's API token: %w", err)
	}
	return strings.TrimSpace(string(token)), nil
}

// maxTokenFile bounds a file that should hold an API token.
const maxTokenFile = 4 << 10

// nodeAddress returns the URL of the node: from the flag or the environment, else the address on which the node in a folder
// listens.
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

// completeURL adds the scheme http to a loopback address that lacks a scheme. Any other address must have one.
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
	return "", misuse("--node %q has no scheme: write https://%s, or http://%s on a network that you trust", text, text, text)
}

// onThisMachine reports whether a URL, or an address without a scheme, is of this machine alone.
func onThisMachine(address string) bool {
	complete, err := completeURL(address)
	if err != nil {
		return false
	}
	at, err := url.Parse(complete)
	return err == nil && loopback(at.Hostname())
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

// reachable returns an address at which this machine reaches a listener: the loopback address for a listener on all interfaces.
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

// checkListen refuses a malformed listen address.
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
