// SPDX-License-Identifier: Apache-2.0

package tlscert

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// lock makes the folder and keeps other processes (belfry cert renew beside
// belfry serve) from writing into it at the same time.
func lock(data string) (unlock func(), err error) {
	dir := inFolder(data, "")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("can't make a directory for the certificate: %w", err)
	}
	if err := belongTo(data, dir); err != nil {
		return nil, fmt.Errorf("can't hand %s to whom the data directory belongs: %w", dir, err)
	}
	f, err := os.Open(dir) //nolint:gosec // in our own data directory
	if err != nil {
		return nil, fmt.Errorf("can't open the directory of the certificate: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("can't lock %s: %w", dir, err), f.Close())
	}
	return func() { _ = f.Close() }, nil
}

// readCertificate returns the first certificate of a PEM file.
func readCertificate(path string) (*x509.Certificate, error) {
	b, err := readFile(path)
	if err != nil {
		return nil, err
	}
	for {
		var block *pem.Block
		block, b = pem.Decode(b)
		switch {
		case block == nil:
			return nil, fmt.Errorf("%s holds no certificate", path)
		case block.Type == "CERTIFICATE":
			return x509.ParseCertificate(block.Bytes)
		}
	}
}

// write makes a file whole or not at all. What root makes belongs to whom the
// data directory belongs to: the server must be able to read it.
func write(data, path string, b []byte, mode fs.FileMode) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("can't make a file for the certificate: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone already when all went well
	_, err = tmp.Write(b)
	if err == nil {
		err = tmp.Chmod(mode)
	}
	if err == nil {
		err = tmp.Sync()
	}
	if closing := tmp.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = belongTo(data, tmp.Name())
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("can't write %s: %w", path, err)
	}
	return nil
}

func belongTo(data, path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(data)
	if err != nil {
		return err
	}
	if who, ok := info.Sys().(*syscall.Stat_t); ok {
		return os.Lchown(path, int(who.Uid), int(who.Gid))
	}
	return nil
}
