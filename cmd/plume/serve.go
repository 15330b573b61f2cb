package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plume-ml/plume/trainer/config"
	"github.com/plume-ml/plume/trainer/page"
	"github.com/plume-ml/plume/trainer/serve"
)

const serveLong = "" +
	`Serve live pages of all runs in DIR (default: runs) and the directories below it: a list to
filter, sort and search, with the tags and notes that "plume runs" keeps, and of each run, or of up
to 8 laid over each other, the page that "plume report" writes. What runs write while they train
appears without loading the page again. Keys are listed under "?".

An address without a host, such as :6180, is open to this machine alone. Others (0.0.0.0:6180) need
the token in the URL that is printed; a browser keeps it as a cookie. The connection is not
encrypted: from afar, ssh -L 6180:localhost:6180 HOST is safer. Where others use the same machine,
give a token: it is then needed here too.

The only thing that a page can do to a run is to have it save a checkpoint and end, as SIGTERM does;
"plume runs" changes tags and notes. Runs that have ended are measured, once somebody looks at them,
as "plume report" measures them.`

const serveExample = `  plume serve                            the runs in "runs", at 127.0.0.1:6180
  plume serve studies --listen :0        other runs, at any free port
  plume serve --listen 0.0.0.0:6180      for other machines, with a token
  plume train --serve :6180              the run that is training`

// envToken names the variable that gives the token.
const envToken = "PLUME_TOKEN"

type serveCommand struct {
	serve.Options
	address string
	quiet   bool
}

func newServe() *cobra.Command {
	s := &serveCommand{}
	cmd := &cobra.Command{
		Use:     "serve [DIR] [flags]",
		Short:   "Serve live pages of runs, to be looked at in a browser",
		Long:    serveLong,
		Example: serveExample,
		Args:    cobra.MaximumNArgs(1),
		RunE: command(func(_ *cobra.Command, args []string) error {
			s.Root = append(args, "runs")[0]
			return s.run()
		}),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&s.address, "listen", ":6180",
		"`address` to serve at; port 0 is any free one")
	flags.StringVar(&s.Token, "token", "", "what readers must know, 16 letters and digits or more "+
		"(default: "+envToken+", or a random one where one is needed); other users of the "+
		"machine can see it here, but not in "+envToken)
	measures := config.Names(serve.Measures)
	flags.StringVar((*string)(&s.Measure), "measure", string(page.Quick),
		"what is measured of runs that have ended: "+strings.Join(measures, ", "))
	flags.StringVar(&s.Data, "data", "",
		"`path` of the runs' data, where they have moved since the training")
	flags.BoolVar(&s.Raw, "raw", false,
		"use the weights as they are instead of their moving average")
	flags.IntVar(&s.Threads, "threads", 1,
		"worker threads for what is drawn from models (0: all cores); never changes the result")
	flags.BoolVarP(&s.quiet, "quiet", "q", false, "say nothing but the URL, warnings and errors")
	complete(cmd, "measure", measures)
	return cmd
}

func (s *serveCommand) run() error {
	if s.Token == "" {
		s.Token = os.Getenv(envToken)
	}
	if err := s.Validate(); err != nil {
		return usage(err)
	}
	if info, err := os.Stat(s.Root); err != nil {
		return usage(fmt.Errorf("%w; expected the directory of runs: plume train makes one, or "+
			"name another", err))
	} else if !info.IsDir() {
		return usage(fmt.Errorf("%s is a file; expected the directory of runs", s.Root))
	}
	ctx, interrupt := watchSignals(context.Background(), func(string) {})
	defer interrupt.stop()
	insist := func(line string) { fmt.Fprintln(os.Stderr, line) }
	s.Warn = func(text string) { insist("WARNING: " + text) }
	p, err := servePages("--listen", s.address, s.Options, insist)
	if err != nil {
		return err
	}
	if !s.quiet {
		insist("Ctrl-C ends it.")
	}
	select {
	case <-ctx.Done():
	case err = <-p.done:
		p.done <- err
	}
	if err := p.close(); err != nil {
		return err
	}
	return interrupt.ended(context.Canceled)
}

// pages is a server of the pages of runs.
type pages struct {
	*server
	of *serve.Server
}

// servePages serves the pages of runs at the address of a flag, and prints their URL. A token is
// needed at addresses that others can reach, and where one was given.
func servePages(flag, address string, o serve.Options, tell func(string)) (*pages, error) {
	if err := o.Validate(); err != nil {
		return nil, usage(err)
	}
	at, alone, err := bind(flag, address)
	if err != nil {
		return nil, err
	}
	o.Private = !alone || o.Token != ""
	if tcp, ok := at.Addr().(*net.TCPAddr); ok {
		o.Port = tcp.Port
	}
	of, err := serve.New(o)
	if err != nil {
		at.Close()
		return nil, err
	}
	if !alone {
		tell("WARNING: the connection is not encrypted: who can listen to it learns the token.")
	}
	tell("Serving: " + pageURL(at.Addr(), of))
	return &pages{serveAt(flag, at, of), of}, nil
}

// pageURL is where a browser finds the pages.
func pageURL(at net.Addr, of *serve.Server) string {
	host, port, err := net.SplitHostPort(at.String())
	if err != nil {
		host = at.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		if name, err := os.Hostname(); err == nil {
			host = name
		}
	}
	to := url.URL{Scheme: "http", Host: net.JoinHostPort(host, port), Path: "/"}
	if of.Private {
		to.RawQuery = url.Values{serve.TokenKey: {of.Token}}.Encode()
	}
	return to.String()
}

// close ends serving, after the last news.
func (p *pages) close() error {
	if p == nil {
		return nil
	}
	err := p.of.Close()
	return alsoFailed(err, p.server.close())
}
