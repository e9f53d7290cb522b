// SPDX-License-Identifier: Apache-2.0

package chat

import (
	"context"
	"sync"
	"time"
)

// Forgetful is a Memory and a Vault in the process alone, for connections that
// are opened for one look (belfry doctor) and in tests. It never lets go of
// anything, and is safe for concurrent use.
type Forgetful struct {
	mu       sync.Mutex
	used     map[string]bool
	settings map[string]string
}

var (
	_ Memory = (*Forgetful)(nil)
	_ Vault  = (*Forgetful)(nil)
)

// NewForgetful returns one that knows nothing.
func NewForgetful() *Forgetful {
	return &Forgetful{used: map[string]bool{}, settings: map[string]string{}}
}

// UseOnce implements Memory.
func (f *Forgetful) UseOnce(_ context.Context, token string, _ time.Time) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	first := !f.used[token]
	f.used[token] = true
	return first, nil
}

// Setting implements Memory.
func (f *Forgetful) Setting(_ context.Context, name string) (string, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	value, ok := f.settings[name]
	return value, ok, nil
}

// SetSetting implements Memory.
func (f *Forgetful) SetSetting(_ context.Context, name, value string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.settings[name] = value
	return nil
}

// Keep implements Vault.
func (f *Forgetful) Keep(ctx context.Context, name, secret string) error {
	return f.SetSetting(ctx, "kept "+name, secret)
}

// Kept implements Vault.
func (f *Forgetful) Kept(ctx context.Context, name string) (string, bool, error) {
	return f.Setting(ctx, "kept "+name)
}
