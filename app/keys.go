// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"filippo.io/age"

	"belfry/config"
	"belfry/seal"
)

const (
	keyFile   = "belfry.key"
	maxSecret = 64 << 10
	// sealInfo binds the derived key to its use (HKDF info, RFC 5869).
	sealInfo = "belfry seals buttons, forms and links, version 1"
)

// loadIdentity reads the key file of the data directory and makes it on first
// start. It is an age identity (age-encryption.org/v1, X25519): the one secret
// from which all others are made, so it must be kept with backups and apart
// from them.
func loadIdentity(dir string) (*age.X25519Identity, error) {
	path := filepath.Join(dir, keyFile)
	b, err := readSmall(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeIdentity(path)
	}
	if err != nil {
		return nil, fmt.Errorf("can't read the key file: %w", err)
	}
	identities, err := age.ParseIdentities(bytes.NewReader(b))
	if err != nil || len(identities) != 1 {
		return nil, fmt.Errorf("the key file %s is damaged: restore it from a backup, or move it away to start with a new key (buttons on old cards then do nothing until their cards change)", path)
	}
	x, ok := identities[0].(*age.X25519Identity)
	if !ok {
		return nil, fmt.Errorf("the key file %s holds another kind of key than X25519: restore it from a backup", path)
	}
	return x, nil
}

func makeIdentity(path string) (*age.X25519Identity, error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, fmt.Errorf("can't make a key: %w", err)
	}
	text := "# The key of this Belfry. Keep it secret, and keep a copy of it.\n" + id.String() + "\n"
	if err := writeSecret(path, text); err != nil {
		return nil, err
	}
	return id, nil
}

// newSealer derives the sealing key from the identity.
func newSealer(id *age.X25519Identity) (*seal.Sealer, error) {
	key, err := hkdf.Key(sha256.New, []byte(id.String()), nil, sealInfo, 32)
	if err != nil {
		return nil, fmt.Errorf("can't derive the sealing key: %w", err)
	}
	return seal.New(key)
}

// sourceToken returns a source's token from the data directory and makes it
// when it is asked for the first time, so that a source works without anybody
// having to think of a token.
func sourceToken(dir, source string) (config.Secret, string, error) {
	return keptToken(filepath.Join(dir, source+".token"))
}

// metricsFile keeps the token of those who read metrics. No source's token can
// have its name.
const metricsFile = "metrics-token"

// keptToken returns the token in a file, and makes it when there is none.
func keptToken(path string) (config.Secret, string, error) {
	b, err := readSmall(path)
	switch {
	case err == nil && len(bytes.TrimSpace(b)) >= config.MinToken:
		return config.Secret(bytes.TrimSpace(b)), path, nil
	case err == nil:
		return "", path, fmt.Errorf("the token file %s is too short to be safe: remove it, and a new one is made", path)
	case !errors.Is(err, fs.ErrNotExist):
		return "", path, fmt.Errorf("can't read a token: %w", err)
	}
	token := seal.Random()
	return config.Secret(token), path, writeSecret(path, token+"\n")
}

// writeSecret makes a file that only its owner can read. It is written whole
// or not at all: half a key would be worse than none.
func writeSecret(path, text string) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("can't make a file in the data directory: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone already when all went well
	_, err = tmp.WriteString(text)
	if err == nil {
		err = tmp.Sync()
	}
	if closing := tmp.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("can't write %s: %w", path, err)
	}
	return nil
}

func readSmall(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxSecret {
		return nil, fmt.Errorf("%s has %d bytes: that is no key", path, info.Size())
	}
	return os.ReadFile(path) //nolint:gosec // a path in our own data directory
}
