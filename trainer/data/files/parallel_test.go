package files

import (
	"context"
	"errors"
	"testing"
)

// slow is a tree whose listing blocks, as on a disk that does not answer.
type slow struct{ listing, answer chan struct{} }

func (s slow) entries(string) ([]entry, error) {
	close(s.listing)
	<-s.answer
	return nil, nil
}

func (slow) follow(string) (string, entry, error) { return "/", entry{}, nil }

// List returns at the end of the context although the listing blocks.
func TestSlowListing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := slow{make(chan struct{}), make(chan struct{})}
	go func() {
		<-s.listing
		cancel()
	}()
	_, err := list(ctx, s, func(string, string) {})
	close(s.answer)
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
