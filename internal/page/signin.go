package page

import (
	"errors"
	"net/http"
	"time"

	"lockstep/wallet"
)

// signInForm is the content of the page that asks for the passphrase.
type signInForm struct {
	Back  string
	Over  bool // there was a session, which is over
	Link  bool // there is no wallet to sign in with: only the printed link begins a session
	Town  bool // the page is that of a town, which has no wallet
	Error string
	Wait  time.Duration
}

// askToSignIn shows the form above the page that was asked for, which follows.
func (c *screen) askToSignIn(cause error) {
	form := signInForm{Back: back(c.Path), Link: c.member == nil || !c.member.exists(), Town: c.member == nil}
	if c.session == nil {
		_, err := c.r.Cookie(cookieName(c.r))
		form.Over = err == nil
	}
	if wait := c.sessions.wait(); wait > 0 {
		form.Wait = wait.Round(time.Second)
	}
	if cause != nil {
		form.Error = c.explain(cause)
	}
	c.code, c.Bare, c.Live = http.StatusUnauthorized, true, ""
	c.Title = string(c.T("signin.title"))
	c.self = [32]byte{}
	if err := c.render("signin", &form); err != nil {
		c.log.Error("the sign-in page failed", "error", err)
	}
}

// enter begins a session by the link that the program has printed. The answer is a page that goes on by itself: after a redirect the
// browser would send no strict cookie.
func (c *screen) enter() error {
	cookie, ok := c.sessions.redeem(c.r.URL.Query().Get("token"))
	if !ok {
		c.Path = "/"
		c.askToSignIn(&wallet.Error{Reason: wallet.ReasonConsent, Detail: string(c.T("signin.used"))})
		return nil
	}
	setCookie(c.w, c.r, cookie)
	c.Bare, c.Title = true, "Lockstep"
	return c.render("enter", nil)
}

// signIn begins a session by the wallet's passphrase.
func (c *screen) signIn() error {
	if err := c.r.ParseForm(); err != nil {
		return err
	}
	c.Path = back(c.r.PostFormValue("back"))
	if c.sessions.wait() > 0 || !c.member.exists() {
		c.askToSignIn(nil)
		return nil
	}
	if err := c.member.unlock(c.r.PostFormValue("passphrase")); err != nil {
		if wallet.ReasonOf(err) == wallet.ReasonPassphrase {
			c.sessions.wrong()
		}
		if errors.Is(err, errBusy) {
			err = &wallet.Error{Reason: wallet.ReasonPassphrase, Detail: c.Plain("signin.busy")}
		}
		c.askToSignIn(err)
		return nil
	}
	setCookie(c.w, c.r, c.sessions.begin())
	return c.redirect(c.Path)
}

// signOut ends the session of this browser.
func (c *screen) signOut() error {
	c.sessions.end(c.r)
	setCookie(c.w, c.r, "")
	return c.redirect("/")
}
