// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// The cost of a password, as OWASP's Password Storage Cheat Sheet has it for
// argon2id: 19 MiB, two rounds, one lane. A hash names its own cost, within
// bounds, so that these can change.
const (
	hashMemory = 19 << 10 // KiB
	hashTime   = 2
	hashLanes  = 1
	hashBytes  = 32
	saltBytes  = 16

	maxHashMemory = 256 << 10
	maxHashTime   = 16
	maxHashLanes  = 8
)

// Lengths of a password in characters.
const (
	minPassword = 10
	maxPassword = 200
)

// hashesAtOnce bounds the memory that signing in can take, hashWait how long
// somebody waits for their turn.
const (
	hashesAtOnce = 2
	hashWait     = 5 * time.Second
)

var errBusy = errors.New("too many people are signing in at this moment; please try again")

// passwords hashes and checks, a few at a time.
type passwords struct {
	gate chan struct{}
	// nobody is the hash that is checked for names that do not exist, so that
	// the time of an answer does not tell whether they do.
	nobody func() string
}

func newPasswords() *passwords {
	p := &passwords{gate: make(chan struct{}, hashesAtOnce)}
	p.nobody = sync.OnceValue(func() string { return hashWith(rand.Text(), newSalt()) })
	return p
}

func (p *passwords) enter(ctx context.Context) (leave func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, hashWait)
	defer cancel()
	select {
	case p.gate <- struct{}{}:
		return func() { <-p.gate }, nil
	case <-ctx.Done():
		return nil, errBusy
	}
}

// hash returns what is stored for a password, in the PHC string format.
func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	leave, err := p.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	return hashWith(password, newSalt()), nil
}

// check says whether password belongs to hash. An empty hash never matches,
// and takes as long to say so as any other.
func (p *passwords) check(ctx context.Context, hash, password string) (bool, error) {
	leave, err := p.enter(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	if hash == "" {
		matches(p.nobody(), password)
		return false, nil
	}
	return matches(hash, password), nil
}

func newSalt() []byte {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails: crypto/rand ends the program instead
	return salt
}

func hashWith(password string, salt []byte) string {
	sum := argon2.IDKey([]byte(password), salt, hashTime, hashMemory, hashLanes, hashBytes)
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, hashMemory, hashTime, hashLanes,
		enc.EncodeToString(salt), enc.EncodeToString(sum))
}

// matches reads the PHC string and compares in constant time. A hash it can't
// read matches nothing.
func matches(hash, password string) bool {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return false
	}
	var memory, rounds uint32
	var lanes uint8
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &rounds, &lanes); err != nil {
		return false
	}
	if memory < 8 || memory > maxHashMemory || rounds < 1 || rounds > maxHashTime || lanes < 1 || lanes > maxHashLanes {
		return false
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return false
	}
	want, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(want) != hashBytes || len(password) > maxPassword*utf8.UTFMax {
		return false
	}
	got := argon2.IDKey([]byte(password), salt, rounds, memory, lanes, hashBytes)
	return subtle.ConstantTimeCompare(got, want) == 1
}

// wrongPassword says what is wrong with a new password; empty: nothing.
func wrongPassword(password string) string {
	switch n := utf8.RuneCountInString(password); {
	case !utf8.ValidString(password):
		return "The password holds bytes that are not text."
	case n < minPassword:
		return fmt.Sprintf("The password needs at least %d characters; this one has %d. Several words are easy to remember.", minPassword, n)
	case n > maxPassword:
		return fmt.Sprintf("The password may have at most %d characters.", maxPassword)
	}
	return ""
}

// wrongName says what is wrong with a new person's name; empty: nothing. The
// name goes into monitoring systems as the author of acknowledgements, so it
// is kept to what all of them take.
func wrongName(name string) string {
	ok := name != "" && len(name) <= 64
	for i := 0; ok && i < len(name); i++ {
		c := name[i]
		ok = c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || i > 0 && (c == '.' || c == '-' || c == '_')
	}
	if !ok {
		return "A name has 1 to 64 lower-case letters and digits, with \".\", \"-\" and \"_\" in between, such as \"alice\" or \"j.doe\"."
	}
	return ""
}
