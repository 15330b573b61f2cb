package serve

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

const token = "0123456789abcdef-token"

// Where a token is needed, nothing is shown without it.
func TestToken(t *testing.T) {
	root := t.TempDir()
	copyRun(t, root, "a")
	_, at := served(t, Options{Root: root, Token: token, Private: true, Port: 80})
	cookie := "plume-80=" + token
	for _, path := range []string{
		"/", "/events", "/run?run=a", "/run/events?run=a", "/picture?run=a&name=step-000102.png",
		"/none",
	} {
		for _, with := range [][]string{
			nil, {"Cookie", "plume-80=" + token + "x"}, {"Cookie", "plume-81=" + token},
			{"Cookie", "plume-80="}, {"Authorization", "Bearer x"}, {"Authorization", token},
		} {
			a := ask(t, "GET", at+path, with...)
			if a.status != http.StatusUnauthorized || strings.Contains(a.body, "digits") {
				t.Errorf("%s with %q: status %d", path, with, a.status)
			}
		}
	}
	for _, with := range [][]string{{"Cookie", cookie}, {"Authorization", "Bearer " + token}} {
		if a := ask(t, "GET", at, append(with, "Host", "any.example")...); a.status != 200 {
			t.Errorf("with %q: status %d, %s", with, a.status, a.body)
		}
	}
	a := ask(t, "GET", at+"/run?run=a&token="+token)
	set := a.header.Get("Set-Cookie")
	if !strings.HasPrefix(set, cookie+"; Path=/; HttpOnly; SameSite=Strict") ||
		!strings.Contains(a.body, `content="0; url=./run?run=a"`) || a.status != 200 {
		t.Errorf("status %d, cookie %q, %s", a.status, set, a.body)
	}
	if a := ask(t, "GET", at+"/?token=wrong"); a.status != http.StatusUnauthorized ||
		a.header.Get("Set-Cookie") != "" || !strings.Contains(a.body, "not the token of this") {
		t.Errorf("a wrong token: status %d, %s", a.status, a.body)
	}
}

// On this machine no token is needed, but another site must not pass for the server by a name that
// leads here.
func TestHosts(t *testing.T) {
	_, at := served(t, Options{Root: t.TempDir()})
	for host, want := range map[string]int{
		"127.0.0.1:80": 200, "127.0.0.1": 200, "127.8.9.1:1": 200, "[::1]:6180": 200, "[::1]": 200,
		"localhost": 200, "LocalHost:6180": 200, "localhost.:80": 200,
		"evil.example": 403, "evil.example:6180": 403, "127.0.0.1.evil.example": 403,
		"localhost.evil.example": 403, "10.0.0.1": 403, "0.0.0.0:6180": 403, "x@127.0.0.1:80": 403,
	} {
		if a := ask(t, "GET", at, "Host", host); a.status != want {
			t.Errorf("%s: status %d, expected %d", host, a.status, want)
		}
	}
}

var (
	scriptTag = regexp.MustCompile(`(?s)<script>(.*?)</script>`)
	styleTag  = regexp.MustCompile(`(?s)<style>(.*?)</style>`)
	handler   = regexp.MustCompile(`<[a-z][^>]* (on[a-z]+|style)=`)
)

// Every page forbids what is not in it, and has no scripts and styles but those that it allows by
// their hashes.
func TestPolicy(t *testing.T) {
	root := t.TempDir()
	copyRun(t, root, "a")
	_, at := served(t, Options{Root: root})
	for path, status := range map[string]int{"/": 200, "/run?run=a": 200, "/run?run=b": 404} {
		a := ask(t, "GET", at+path)
		if a.status != status {
			t.Errorf("%s: status %d", path, a.status)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"X-Frame-Options": "DENY", "Cross-Origin-Resource-Policy": "same-origin",
			"Cache-Control": "no-store", "Content-Type": "text/html; charset=utf-8",
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		policy := a.header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "base-uri 'none'", "script-src"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: no %s in %s", path, part, policy)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
			t.Errorf("%s: %s", path, policy)
		}
		found := append(scriptTag.FindAllStringSubmatch(a.body, -1),
			styleTag.FindAllStringSubmatch(a.body, -1)...)
		if len(found) == 0 {
			t.Errorf("%s: no scripts and styles", path)
		}
		for _, match := range found {
			sum := sha256.Sum256([]byte(match[1]))
			hash := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
			if !strings.Contains(policy, hash) {
				t.Errorf("%s: %.60q is not allowed", path, match[1])
			}
		}
		bare := styleTag.ReplaceAllString(scriptTag.ReplaceAllString(a.body, ""), "")
		if bad := handler.FindString(bare); bad != "" {
			t.Errorf("%s: %s", path, bad)
		}
	}
}

func TestValidate(t *testing.T) {
	for want, o := range map[string]Options{
		`measure is "quik"; expected one of`: {Measure: "quik"},
		`measure is "all"; expected one of`:  {Measure: "all"}, // it would write into runs
		"the token has 5 characters":         {Token: "12345"},
		"expected letters, digits":           {Token: "0123456789abcdef;"},
		"threads is -1":                      {Threads: -1},
		"no such file":                       {Root: "none"},
	} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, expected %q", err, want)
		}
	}
}
