package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/pprof"
	"syscall"
	"time"
)

// server serves the numbers and the profiles of this process.
type server struct {
	http.Server
	done chan error // receives the error of serving
}

// listen serves the numbers that metrics writes, and profiles, at HOST:PORT, and prints the
// address. Without a host it is reachable only from this machine. Addresses that others can reach
// must be given explicitly and cause a warning.
func listen(address string, metrics http.Handler, tell func(string)) (*server, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || port == "" {
		const text = "--listen is %q; expected HOST:PORT, or :PORT for this machine alone"
		return nil, usage(fmt.Errorf(text, address))
	}
	if host == "" {
		host = "127.0.0.1"
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("--listen: %w: another process listens there; choose another port, "+
			"or 0 for any free one", err)
	}
	if err != nil {
		return nil, fmt.Errorf("--listen: %w", err)
	}
	if at, ok := listener.Addr().(*net.TCPAddr); !ok || !at.IP.IsLoopback() {
		tell(fmt.Sprintf("WARNING: anybody who can reach %s can read this process's memory "+
			"through its profiles, and slow it down.", listener.Addr()))
	}
	tell(fmt.Sprintf("Listening: http://%s%s, %s and %s",
		listener.Addr(), metricsPath, healthPath, profileRoot))
	s := newServer(metrics)
	go func() { s.done <- s.Serve(listener) }()
	return s, nil
}

const (
	metricsPath = "/metrics"
	healthPath  = "/healthz"
	profileRoot = "/debug/pprof/" // which the pages of net/http/pprof expect to be under
)

func newServer(metrics http.Handler) *server {
	mux := http.NewServeMux() // serves nothing that registers itself with the default one
	mux.Handle("GET "+metricsPath, metrics)
	mux.HandleFunc("GET "+healthPath, say("ok\n"))
	mux.HandleFunc("GET /{$}", say(metricsPath+"\n"+healthPath+"\n"+profileRoot+"\n"))
	mux.HandleFunc("GET "+profileRoot, pprof.Index)
	mux.HandleFunc("GET "+profileRoot+"cmdline", pprof.Cmdline)
	mux.HandleFunc("GET "+profileRoot+"profile", pprof.Profile)
	mux.HandleFunc("GET "+profileRoot+"trace", pprof.Trace)
	mux.HandleFunc("GET "+profileRoot+"symbol", pprof.Symbol)
	mux.HandleFunc("POST "+profileRoot+"symbol", pprof.Symbol) // with the addresses to look up
	return &server{
		Server: http.Server{
			Handler: mux,
			// A ReadTimeout would end every longer profile, since reading continues meanwhile.
			ReadHeaderTimeout: 10 * time.Second,
			WriteTimeout:      30 * time.Second, // the handlers add the seconds of a profile
			IdleTimeout:       time.Minute,
			// errors of clients do not concern the run
			ErrorLog: log.New(io.Discard, "", 0),
		},
		done: make(chan error, 1),
	}
}

// say answers with a text.
func say(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, text) // a client that has gone misses nothing
	}
}

// close ends serving at once, even for clients in the middle of a profile.
func (s *server) close() error {
	err := s.Server.Close()
	if ended := <-s.done; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	return nil
}
