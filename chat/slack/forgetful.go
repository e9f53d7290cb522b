// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"context"
	"sync"
	"time"

	"belfry/chat"
)

// forgetful is the Memory of a connection that was opened without one.
type forgetful struct {
	mu       sync.Mutex
	used     map[string]bool
	settings map[string]string
}

var (
	_ chat.Memory = (*forgetful)(nil)
	_ chat.Vault  = (*forgetful)(nil)
)

func newForgetful() *forgetful {
	return &forgetful{used: map[string]bool{}, settings: map[string]string{}}
}

// UseOnce implements chat.Memory.
func (f *forgetful) UseOnce(_ context.Context, token string, _ time.Time) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	first := !f.used[token]
	f.used[token] = true
	return first, nil
}

// Setting implements chat.Memory.
func (f *forgetful) Setting(_ context.Context, name string) (string, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	value, ok := f.settings[name]
	return value, ok, nil
}

// SetSetting implements chat.Memory.
func (f *forgetful) SetSetting(_ context.Context, name, value string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.settings[name] = value
	return nil
}

// Keep implements chat.Vault.
func (f *forgetful) Keep(ctx context.Context, name, secret string) error {
	return f.SetSetting(ctx, name, secret)
}

// Kept implements chat.Vault.
func (f *forgetful) Kept(ctx context.Context, name string) (string, bool, error) {
	return f.Setting(ctx, name)
}
