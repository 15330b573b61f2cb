package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/pprof"
	"time"
)

// profileServer serves the profiles of this process.
type profileServer struct {
	http.Server
	done chan error // what serving ended with
}

// listen serves profiles at HOST:PORT, and tells where. Without a host that is this machine alone;
// any other address that others can reach has to be asked for, and is warned of.
func listen(address string, tell func(string)) (*profileServer, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || port == "" {
		return nil, usage(fmt.Errorf("--listen is %q; expected HOST:PORT, or :PORT for this machine alone", address))
	}
	if host == "" {
		host = "127.0.0.1"
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("--listen: %w", err)
	}
	if at, ok := listener.Addr().(*net.TCPAddr); !ok || !at.IP.IsLoopback() {
		tell(fmt.Sprintf("WARNING: anybody who can reach %s can read this process's memory through its profiles, and slow it down.", listener.Addr()))
	}
	tell(fmt.Sprintf("Profiles: http://%s%s", listener.Addr(), profileRoot))
	s := newProfileServer()
	go func() { s.done <- s.Serve(listener) }()
	return s, nil
}

// profileRoot is the path that the pages of net/http/pprof expect to be under.
const profileRoot = "/debug/pprof/"

func newProfileServer() *profileServer {
	mux := http.NewServeMux() // of its own: whatever else registers itself for all is not served
	mux.HandleFunc("GET "+profileRoot, pprof.Index)
	mux.HandleFunc("GET "+profileRoot+"cmdline", pprof.Cmdline)
	mux.HandleFunc("GET "+profileRoot+"profile", pprof.Profile)
	mux.HandleFunc("GET "+profileRoot+"trace", pprof.Trace)
	mux.HandleFunc("GET "+profileRoot+"symbol", pprof.Symbol)
	mux.HandleFunc("POST "+profileRoot+"symbol", pprof.Symbol) // with the addresses to look up
	mux.Handle("GET /{$}", http.RedirectHandler(profileRoot, http.StatusFound))
	return &profileServer{
		Server: http.Server{
			Handler: mux,
			// ReadTimeout would cut off every profile that takes longer: reading goes on meanwhile.
			ReadHeaderTimeout: 10 * time.Second,
			WriteTimeout:      30 * time.Second, // the handlers add the seconds that a profile takes
			IdleTimeout:       time.Minute,
			ErrorLog:          log.New(io.Discard, "", 0), // a client's mistake is not the run's
		},
		done: make(chan error, 1),
	}
}

// close ends serving at once, also to clients in the middle of a profile.
func (s *profileServer) close() error {
	err := s.Server.Close()
	if ended := <-s.done; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	return nil
}
