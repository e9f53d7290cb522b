// SPDX-License-Identifier: Apache-2.0

package tlscert

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"

	"belfry/clock"
)

// maxFile bounds a certificate or key file in bytes.
const maxFile = 1 << 20

// files is a certificate in two files. Whoever renews it (certbot, an
// administrator, a configuration tool) writes one after the other, so that
// for a moment they may not fit: then the pair in use stays.
type files struct {
	certFile, keyFile string
	clock             clock.Clock
	log               *slog.Logger
	current           atomic.Pointer[tls.Certificate]
	reminder          reminder
	remind            string

	mu sync.Mutex
	// cert and key are what was read last, good or bad.
	cert, key []byte
	// said is the last trouble that was told.
	said string
}

func openFiles(o Options) (*files, error) {
	f := newFiles(o.TLS.CertFile, o.TLS.KeyFile, o)
	if err := f.reload(); err != nil {
		return nil, err
	}
	if info, err := os.Stat(f.keyFile); err == nil && info.Mode().Perm()&0o007 != 0 {
		o.Log.Warn("everybody on this machine can read the certificate's key: chmod o-rwx it", "key_file", f.keyFile)
	}
	return f, nil
}

func newFiles(certFile, keyFile string, o Options) *files {
	return &files{certFile: certFile, keyFile: keyFile, clock: o.Clock, log: o.Log,
		remind: "put a new one into " + certFile + ", it is read without a restart"}
}

func (f *files) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return f.current.Load(), nil
}

func (f *files) look(context.Context) {
	err := f.reload()
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case err == nil:
		f.said = ""
	case err.Error() != f.said: // once, not every ten seconds
		f.said = err.Error()
		f.log.Error("the certificate in use stays", "err", err)
	}
	f.reminder.tell(f.log, f.clock.Now(), f.current.Load().Leaf, f.remind)
}

// reload takes the files over when they changed and fit.
func (f *files) reload() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	cert, err := readFile(f.certFile)
	if err != nil {
		return fmt.Errorf("can't read the certificate: %w", err)
	}
	key, err := readFile(f.keyFile)
	if err != nil {
		return fmt.Errorf("can't read the certificate's key: %w", err)
	}
	if f.current.Load() != nil && bytes.Equal(cert, f.cert) && bytes.Equal(key, f.key) {
		return nil
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		// The library's words never show what is in a key.
		return fmt.Errorf("the certificate in %s and the key in %s can't be used: %w", f.certFile, f.keyFile, err)
	}
	if f.current.Swap(&pair) != nil {
		f.log.Info("a new certificate is in use", "names", Names(pair.Leaf), "ends", pair.Leaf.NotAfter)
	}
	f.cert, f.key = cert, key
	return nil
}

func (*files) close() error { return nil }

func readFile(path string) (_ []byte, err error) {
	f, err := os.Open(path) //nolint:gosec // the operator names it
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		return nil, fmt.Errorf("%s has more than %d bytes: that is no certificate or key", path, maxFile)
	}
	return b, err
}
