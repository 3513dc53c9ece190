package source

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	maxAnswer   = 4 << 20
	pollTimeout = 10 * time.Second
)

// runHTTP asks for JSON at intervals.
func (s *Source) runHTTP(ctx context.Context, take func(Reading)) error {
	token, err := secret(s.config.TokenFile)
	if err != nil {
		return err
	}
	values := s.all()
	client := &http.Client{Timeout: pollTimeout}
	return s.poll(ctx, func() error {
		answer, err := fetch(ctx, client, s.config.URL, token)
		if err == nil {
			s.message(values, answer, false, take)
		}
		return err
	})
}

func fetch(ctx context.Context, client *http.Client, url, token string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", url, response.Status)
	}
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err == nil && len(answer) > maxAnswer {
		err = fmt.Errorf("%s answers with more than %d bytes", url, maxAnswer)
	}
	return answer, err
}

// all returns the values of the source.
func (s *Source) all() []*Value {
	values := make([]*Value, len(s.config.Values))
	for i := range s.config.Values {
		values[i] = &s.config.Values[i]
	}
	return values
}

// poll calls ask now and at intervals, until the context ends. Its errors are logged.
func (s *Source) poll(ctx context.Context, ask func() error) error {
	ticker := time.NewTicker(s.config.Every)
	defer ticker.Stop()
	for {
		if err := ask(); err != nil && ctx.Err() == nil {
			s.warn(s.config.Type, "%v", err)
		} else {
			s.fine(s.config.Type)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}
