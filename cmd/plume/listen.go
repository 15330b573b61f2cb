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

// server serves over HTTP.
type server struct {
	http.Server
	flag string     // that asked for it
	done chan error // receives the error of serving
}

// bind takes the address HOST:PORT of a flag. Without a host it is reachable only from this
// machine; alone reports whether that is so.
func bind(flag, address string) (at net.Listener, alone bool, err error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || port == "" {
		const text = "%s is %q; expected HOST:PORT, or :PORT for this machine alone"
		return nil, false, usage(fmt.Errorf(text, flag, address))
	}
	if host == "" {
		host = "127.0.0.1"
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, false, fmt.Errorf("%s: %w: another process listens there; choose another "+
			"port, or 0 for any free one", flag, err)
	}
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", flag, err)
	}
	tcp, ok := listener.Addr().(*net.TCPAddr)
	return listener, ok && tcp.IP.IsLoopback(), nil
}

// listen serves the numbers that metrics writes, and profiles, at an address, and prints it.
// Addresses that others can reach cause a warning.
func listen(address string, metrics http.Handler, tell func(string)) (*server, error) {
	listener, alone, err := bind("--listen", address)
	if err != nil {
		return nil, err
	}
	if !alone {
		tell(fmt.Sprintf("WARNING: anybody who can reach %s can read this process's memory "+
			"through its profiles, and slow it down.", listener.Addr()))
	}
	tell(fmt.Sprintf("Listening: http://%s%s, %s and %s",
		listener.Addr(), metricsPath, healthPath, profileRoot))
	return serveAt("--listen", listener, metricsHandler(metrics)), nil
}

const (
	metricsPath = "/metrics"
	healthPath  = "/healthz"
	profileRoot = "/debug/pprof/" // which the pages of net/http/pprof expect to be under
)

// metricsHandler answers with the numbers that metrics writes, and with profiles.
func metricsHandler(metrics http.Handler) http.Handler {
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
	return mux
}

// serveAt serves what handler answers until close.
func serveAt(flag string, at net.Listener, handler http.Handler) *server {
	s := &server{
		Server: http.Server{
			Handler: handler,
			// A ReadTimeout would end every longer profile, since reading continues meanwhile.
			ReadHeaderTimeout: 10 * time.Second,
			// The handlers of profiles add their seconds, and those of streams set their own.
			WriteTimeout: 30 * time.Second,
			IdleTimeout:  time.Minute,
			// errors of clients do not concern the run
			ErrorLog: log.New(io.Discard, "", 0),
		},
		flag: flag, done: make(chan error, 1),
	}
	go func() { s.done <- s.Serve(at) }()
	return s
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
		return fmt.Errorf("%s: %w", s.flag, err)
	}
	return nil
}
