// SPDX-License-Identifier: Apache-2.0

package app

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"belfry/chat"

	"filippo.io/age"
)

// vault keeps secrets in the store's settings, encrypted to the key file
// (age-encryption.org/v1): who has a copy of the database alone has none.
type vault struct {
	identity *age.X25519Identity
	memory   chat.Memory
}

var _ chat.Vault = vault{}

func vaultName(name string) string { return "vault " + name }

// Keep implements chat.Vault.
func (v vault) Keep(ctx context.Context, name, secret string) error {
	var b bytes.Buffer
	w, err := age.Encrypt(&b, v.identity.Recipient())
	if err == nil {
		_, err = io.WriteString(w, secret)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return fmt.Errorf("can't encrypt a secret: %w", err)
	}
	return v.memory.SetSetting(ctx, vaultName(name), base64.StdEncoding.EncodeToString(b.Bytes()))
}

// Kept implements chat.Vault.
func (v vault) Kept(ctx context.Context, name string) (string, bool, error) {
	text, ok, err := v.memory.Setting(ctx, vaultName(name))
	if err != nil || !ok {
		return "", false, err
	}
	r, err := age.Decrypt(base64.NewDecoder(base64.StdEncoding, strings.NewReader(text)), v.identity)
	if err != nil {
		return "", false, errors.New("a secret that is kept can't be decrypted: is belfry.key the one of this database?")
	}
	secret, err := io.ReadAll(io.LimitReader(r, maxSecret))
	if err != nil {
		return "", false, fmt.Errorf("can't decrypt a secret: %w", err)
	}
	return string(secret), true, nil
}
