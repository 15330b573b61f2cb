package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"github.com/plume-ml/plume/trainer/page"
)

// cookieValue is what a cookie and a URL hold without escapes.
var cookieValue = regexp.MustCompile(`^[A-Za-z0-9._~-]*$`)

// TokenKey is the key of the token in a URL that gives it.
const TokenKey = "token"

// guard lets requests through that may see the pages, and sets what browsers must keep to.
func (s *Server) guard(next http.Handler) http.Handler {
	var origin http.CrossOriginProtection // refuses POST from other sites
	next = origin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		switch {
		case !s.Private && !loopbackName(r.Host):
			text := fmt.Sprintf("%q is not a name of this machine for itself: open "+
				"http://127.0.0.1 or http://localhost, with the port", r.Host)
			http.Error(w, text, http.StatusForbidden)
		case r.URL.Query().Has(TokenKey):
			s.enter(w, r)
		case s.Private && !s.known(r):
			s.ask(w, http.StatusUnauthorized, "")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// loopbackName reports whether a Host header names this machine by a loopback address: other names
// may be those of a site that lets its name point here (DNS rebinding).
func loopbackName(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	if strings.EqualFold(strings.TrimSuffix(name, "."), "localhost") {
		return true
	}
	at, err := netip.ParseAddr(name)
	return err == nil && at.IsLoopback()
}

// same compares a token with the server's, in a time that does not tell how much of it is right.
func (s *Server) same(token string) bool {
	mine, theirs := sha256.Sum256([]byte(s.Token)), sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(mine[:], theirs[:]) == 1
}

func (s *Server) cookieName() string { return fmt.Sprintf("plume-%d", s.Port) }

// bearer reports whether a request has the token in its header.
func (s *Server) bearer(r *http.Request) bool {
	token, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return found && s.same(token)
}

// known reports whether a request has the token, as a cookie or in its header.
func (s *Server) known(r *http.Request) bool {
	if s.bearer(r) {
		return true
	}
	cookie, err := r.Cookie(s.cookieName())
	return err == nil && s.same(cookie.Value)
}

// enter takes a token out of the URL, where it would stay in the history, into a cookie. The page
// itself goes on to the URL without it: after a redirection from another site, browsers would not
// send the cookie.
func (s *Server) enter(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if !s.same(query.Get(TokenKey)) {
		s.ask(w, http.StatusUnauthorized, "This is not the token of this server.")
		return
	}
	query.Del(TokenKey)
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(), Value: s.Token, Path: "/", HttpOnly: true,
		SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil,
	})
	to := url.URL{Path: "./" + r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]}
	to.RawQuery = query.Encode()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = enterTemplate.Execute(w, to.String()) // a client that has gone misses nothing
}

var enterTemplate = template.Must(template.New("").Parse(`<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={{.}}">
<title>plume</title><p><a href="{{.}}">Go on</a></p></html>
`))

// ask answers with a page that asks for the token.
func (s *Server) ask(w http.ResponseWriter, code int, wrong string) {
	message := page.Message{
		Title: "A token is needed", Token: true, Wrong: wrong,
		Text: "plume printed the URL of this page, with the token, when it began to serve it. " +
			"It is also what --token or PLUME_TOKEN said, if they were given.",
	}
	s.message(w, code, message)
}

// message answers with a page of a few words.
func (s *Server) message(w http.ResponseWriter, code int, m page.Message) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", page.MessagePolicy())
	w.WriteHeader(code)
	_ = page.RenderMessage(w, m) // a client that has gone misses nothing
}
