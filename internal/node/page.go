package node

import (
	"net/http"

	"lockstep/client"
	"lockstep/internal/httpapi"
	"lockstep/internal/page"
)

// servePage puts the community's page beside the API. The page asks the API as any other program does, but within the process.
func (n *Node) servePage(api http.Handler, hosts []string) error {
	names := make([]string, len(hosts))
	for i, host := range hosts {
		name, err := httpapi.ParseHost(host)
		if err != nil {
			return err
		}
		names[i] = name
	}
	asks, err := client.New("http://localhost", client.WithHTTPClient(page.InProcess(api)))
	if err != nil {
		return err
	}
	n.page, err = page.New(page.Config{
		Node: asks, Logger: n.logger, KnownHost: func(r *http.Request) bool { return httpapi.KnownHost(r, names) },
	})
	n.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if page.Paths(r.URL.Path) {
			n.page.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
	return err
}
