package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// visitCommand is visit HOW PATH TEXT command...: it runs a command that serves pages, and asks for
// the path at the URL that it prints, whose token it uses, until the answer contains the text,
// which it makes the script's stdout. Then it ends the command: by SIGINT (HOW is INT), or as the
// button of the page does (stop).
func visitCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: visit INT|stop PATH TEXT command...")
	}
	cmd := scriptCommand(ts, args[3:])
	stream, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	at, lines := "", bufio.NewReader(stream)
	for at == "" {
		line, err := lines.ReadString('\n')
		ts.Check(errors.Join(err, printTo(ts.Stderr(), line)))
		_, at, _ = strings.Cut(strings.TrimSpace(line), "Serving: ")
	}
	drained := make(chan error, 1)
	go func() {
		_, err := io.Copy(ts.Stderr(), lines)
		drained <- err
	}()
	page, err := visit(at, args[1], args[2])
	code := "130"
	if err == nil && args[0] == "stop" {
		code, err = "143", pressStop(at, page)
	} else {
		err = errors.Join(err, cmd.Process.Signal(os.Interrupt))
	}
	if err != nil {
		ts.Check(errors.Join(err, cmd.Process.Kill()))
	}
	ts.Check(<-drained)
	ended := cmd.Wait()
	ts.Check(err)
	checkCode(ts, ended, code)
	ts.Check(printTo(ts.Stdout(), page))
}

func printTo(w io.Writer, text string) error {
	_, err := io.WriteString(w, text)
	return err
}

// visit asks for a path until the answer contains part.
func visit(at, path, part string) (string, error) {
	to, err := url.Parse(at)
	if err != nil {
		return "", err
	}
	token := to.Query().Get("token")
	to = to.ResolveReference(&url.URL{Path: "/"})
	body := ""
	for range 6000 {
		r, err := http.NewRequest("GET", to.String()+strings.TrimPrefix(path, "/"), nil)
		if err != nil {
			return "", err
		}
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		if body, err = answerTo(r); err != nil || strings.Contains(body, part) {
			return body, err
		}
		time.Sleep(10 * time.Millisecond)
	}
	return "", fmt.Errorf("%s never contained %q: %.500s", at, part, body)
}

func answerTo(r *http.Request) (string, error) {
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

var tokenOfPage = regexp.MustCompile(`data-token="([^"]+)"`)

// pressStop does what the button of a run's page does.
func pressStop(at, page string) error {
	match := tokenOfPage.FindStringSubmatch(page)
	if match == nil {
		return errors.New("the page has no token")
	}
	r, err := http.NewRequest("POST", at+"stop", strings.NewReader("run=."))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "Bearer "+match[1])
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	body, err := answerTo(r)
	if err == nil && !strings.HasPrefix(body, "It saves a checkpoint") {
		err = errors.New(body)
	}
	return err
}
