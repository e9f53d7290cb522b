// SPDX-License-Identifier: Apache-2.0

package tlscert

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// Kind is the way to a certificate.
type Kind string

// The ways.
const (
	KindFiles      Kind = "files"
	KindSelfSigned Kind = "self-signed"
	KindACME       Kind = "ACME"
)

// Found is a certificate as it stands on disk.
type Found struct {
	Kind Kind
	// Name is whom it was asked for (ACME only).
	Name string
	// Path is the certificate's file; for ACME it holds the key as well.
	Path string
	// Trust is the self-signed authority's file, which others are to trust;
	// empty for other kinds.
	Trust string
	// Authority is the certificate in it.
	Authority *x509.Certificate
	// Leaf is nil when there is none yet.
	Leaf *x509.Certificate
	// PEM is what others need: the certificate with those that lead to its root,
	// or the self-signed authority; never a key.
	PEM []byte
}

// Look reads the certificates of a configuration and changes nothing.
func Look(o Options) ([]Found, error) {
	switch {
	case o.TLS.ACME != nil:
		var out []Found
		for _, d := range o.TLS.ACME.Domains {
			f, err := find(Found{Kind: KindACME, Name: d, Path: filepath.Join(o.Data, acmeFolder, d)})
			if err != nil {
				return nil, err
			}
			out = append(out, f)
		}
		return out, nil
	case o.TLS.SelfSigned:
		f, err := find(Found{Kind: KindSelfSigned, Path: inFolder(o.Data, certName)})
		if err != nil || f.Leaf == nil {
			return []Found{f}, err
		}
		f.Trust = inFolder(o.Data, authorityName)
		f.Authority, err = readCertificate(f.Trust)
		if err != nil {
			return nil, fmt.Errorf("can't read the certificate: %w", err)
		}
		f.PEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.Authority.Raw})
		return []Found{f}, nil
	}
	f, err := find(Found{Kind: KindFiles, Path: o.TLS.CertFile})
	return []Found{f}, err
}

func find(f Found) (Found, error) {
	b, err := readFile(f.Path)
	if errors.Is(err, fs.ErrNotExist) && f.Kind != KindFiles {
		return f, nil
	}
	if err != nil {
		return f, fmt.Errorf("can't read the certificate: %w", err)
	}
	var out bytes.Buffer
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return f, fmt.Errorf("the certificate in %s is damaged: %w", f.Path, err)
		}
		if f.Leaf == nil {
			f.Leaf = c
		}
		out.Write(pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes}))
	}
	if f.Leaf == nil {
		return f, fmt.Errorf("%s holds no certificate", f.Path)
	}
	f.PEM = out.Bytes()
	return f, nil
}
