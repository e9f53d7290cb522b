// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package install

import (
	"errors"

	"golang.org/x/sys/unix"
)

func exchange(string, string) error { return errors.ErrUnsupported }

func syncAll(string) error { return unix.Sync() }

func freeSpace(path string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}

// copyCapability has nothing to do where there are no file capabilities.
func copyCapability(string, string) error { return nil }
