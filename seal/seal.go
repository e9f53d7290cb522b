// SPDX-License-Identifier: Apache-2.0

// Package seal makes texts that come back through other people's hands and can
// not be altered: a claim in JSON and an HMAC-SHA256 over it and its purpose.
// A seal made for one purpose never opens for another.
package seal

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// ErrForged is returned for everything that this key did not make for this purpose.
var ErrForged = errors.New("this was not made by this Belfry or was changed on its way")

// maxSealed bounds what is even looked at.
const maxSealed = 4096

// Sealer seals and opens. It is safe for concurrent use.
type Sealer struct{ key []byte }

// New returns a Sealer with a key of at least 32 bytes.
func New(key []byte) (*Sealer, error) {
	if len(key) < 32 {
		return nil, fmt.Errorf("a sealing key has at least 32 bytes, this one has %d", len(key))
	}
	return &Sealer{key: key}, nil
}

// Seal returns claim as letters, digits, "-", "_" and one ".".
func (s *Sealer) Seal(purpose string, claim any) (string, error) {
	b, err := json.Marshal(claim)
	if err != nil {
		return "", fmt.Errorf("can't seal a claim: %w", err)
	}
	text := base64.RawURLEncoding.EncodeToString(b)
	return text + "." + s.mac(purpose, text), nil
}

// Open checks sealed and decodes the claim into into. It returns ErrForged
// and leaves into alone when the check fails.
func (s *Sealer) Open(purpose, sealed string, into any) error {
	text, mac, ok := strings.Cut(sealed, ".")
	if !ok || len(sealed) > maxSealed || !hmac.Equal([]byte(mac), []byte(s.mac(purpose, text))) {
		return ErrForged
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return ErrForged
	}
	if err := json.Unmarshal(b, into); err != nil {
		return ErrForged
	}
	return nil
}

func (s *Sealer) mac(purpose, text string) string {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte(purpose))
	h.Write([]byte{0})
	h.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

var base32Lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Random returns 26 random characters a–z 2–7: 128 bits.
func Random() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return base32Lower.EncodeToString(b[:])
}
