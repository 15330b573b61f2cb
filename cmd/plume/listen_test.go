package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// scrapeCommand is scrape TEXT command...: it runs a command with --listen :0, asks it for its
// numbers until they contain the text, interrupts it, and makes the numbers the script's stdout.
func scrapeCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: scrape TEXT command...")
	}
	cmd := scriptCommand(ts, append(args[1:], "--listen", ":0"))
	stream, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	url := ""
	reader := bufio.NewReader(stream)
	for url == "" {
		line, err := reader.ReadString('\n')
		ts.Check(err)
		if _, after, found := strings.Cut(line, "Listening: "); found {
			url, _, _ = strings.Cut(after, ", ")
		}
	}
	drained := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, reader)
		drained <- err
	}()
	text, err := numbers(url, args[0])
	signalErr := cmd.Process.Signal(os.Interrupt)
	ts.Check(<-drained)
	ended := cmd.Wait()
	ts.Check(err)
	ts.Check(signalErr)
	checkCode(ts, ended, "130")
	_, err = io.WriteString(ts.Stdout(), text)
	ts.Check(err)
}

// numbers asks for the text at url until it contains part.
func numbers(url, part string) (string, error) {
	for range 6000 {
		response, err := http.Get(url)
		if err != nil {
			return "", err
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || strings.Contains(string(body), part) {
			return string(body), err
		}
		time.Sleep(10 * time.Millisecond)
	}
	return "", fmt.Errorf("%s never contained %q", url, part)
}
