// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Spooled is what waits in a spool, for those who look into it.
type Spooled struct {
	// Dir is where it is.
	Dir string
	// Waiting counts the notifications that the server has not taken yet, the
	// oldest from Since on; Rejected those that it will never take.
	Waiting, Rejected int
	Since             time.Time
}

// Waiting looks into the spool that belfry notify uses with this environment
// and this file of settings (DefaultConfig if empty). It changes nothing.
// A spool that is not there is empty. fs.ErrPermission: only its owner, the
// monitoring core's user, may look into it.
func Waiting(getenv func(string) string, file string) (Spooled, error) {
	if file == "" {
		file = DefaultConfig
	}
	s := Spooled{Dir: defaultSpool}
	if values, _ := readConfig(file, false); values["spool"] != "" {
		s.Dir = values["spool"]
	}
	if dir := getenv("BELFRY_SPOOL"); dir != "" {
		s.Dir = dir
	}
	waiting, err := (&spool{dir: s.Dir}).entries()
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	s.Waiting = len(waiting)
	if len(waiting) > 0 {
		stamp, _, _ := strings.Cut(string(waiting[0]), "-")
		if ns, err := strconv.ParseInt(stamp, 10, 64); err == nil {
			s.Since = time.Unix(0, ns).UTC()
		}
	}
	rejected, err := os.ReadDir(filepath.Join(s.Dir, rejectedDir))
	if err == nil {
		for _, f := range rejected {
			if strings.HasSuffix(f.Name(), suffix) {
				s.Rejected++
			}
		}
	}
	return s, nil
}
