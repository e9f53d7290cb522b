// SPDX-License-Identifier: Apache-2.0

package install

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// Limits of an archive. Mattermost 11 has about 15,000 files and 1.5 GB.
const (
	maxEntries = 200_000
	maxBytes   = 8 << 30
	maxOne     = 2 << 30
	maxPath    = 1024
)

// survey is what an archive holds.
type survey struct {
	files int
	bytes int64
	// top is the directory that everything stands in.
	top string
}

// entry is one thing in an archive; its path is relative, without the top
// directory, and leads nowhere else.
type entry struct {
	path   string
	kind   byte // tar.TypeDir, TypeReg, TypeSymlink or TypeLink
	target string
	mode   fs.FileMode
	time   time.Time
	size   int64
}

// look reads a whole archive without unpacking it, so that a damaged or
// hostile one is found before anything is written.
func look(archive string) (*survey, error) {
	s := &survey{}
	program := false
	err := walk(context.Background(), archive, func(top string, e entry, r io.Reader) error {
		s.top = top
		if e.kind != tar.TypeDir {
			s.files++
		}
		s.bytes += e.size
		if e.path == "bin/mattermost" && e.kind == tar.TypeReg && e.mode&0o100 != 0 {
			program = true
		}
		_, err := io.Copy(io.Discard, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !program {
		return nil, fmt.Errorf("%s is no archive of a Mattermost server: it has no program bin/mattermost", archive)
	}
	return s, nil
}

// unpack writes the archive into p.next.
func (p *plan) unpack(ctx context.Context) error {
	made := map[string]bool{".": true}
	type stamp struct {
		path string
		e    entry
	}
	var dirs []stamp
	err := walk(ctx, p.o.Archive, func(_ string, e entry, r io.Reader) error {
		at := filepath.Join(p.next, filepath.FromSlash(e.path))
		if e.path == "." {
			return nil
		}
		if err := p.above(e.path, made); err != nil {
			return err
		}
		d := p.o.disk
		switch e.kind {
		case tar.TypeDir:
			if !made[e.path] {
				if err := d.mkdir(at, 0o700); err != nil {
					return err
				}
				made[e.path] = true
			}
			dirs = append(dirs, stamp{at, e})
			return nil
		case tar.TypeReg:
			if err := d.create(at, e.mode, r); err != nil {
				return err
			}
			if err := d.own(at, p.uid, p.gid); err != nil {
				return err
			}
			return d.stamp(at, e.mode, e.time)
		case tar.TypeSymlink:
			if err := d.symlink(e.target, at); err != nil {
				return err
			}
			return d.own(at, p.uid, p.gid)
		default:
			return d.link(filepath.Join(p.next, filepath.FromSlash(e.target)), at)
		}
	})
	if err != nil {
		return fmt.Errorf("can't unpack the archive: %w", err)
	}
	for i := len(dirs) - 1; i >= 0; i-- { // inner ones first: writing into them changed their times
		if err := p.o.disk.stamp(dirs[i].path, dirs[i].e.mode, dirs[i].e.time); err != nil {
			return fmt.Errorf("can't unpack the archive: %w", err)
		}
	}
	for dir := range made {
		if err := p.o.disk.own(filepath.Join(p.next, filepath.FromSlash(dir)), p.uid, p.gid); err != nil {
			return fmt.Errorf("can't unpack the archive: %w", err)
		}
	}
	return nil
}

// above makes the directories that an archive may leave out.
func (p *plan) above(name string, made map[string]bool) error {
	dir := path.Dir(name)
	if made[dir] {
		return nil
	}
	if err := p.above(dir, made); err != nil {
		return err
	}
	made[dir] = true
	return p.o.disk.mkdir(filepath.Join(p.next, filepath.FromSlash(dir)), 0o755)
}

// walk calls visit for everything in an archive, judged.
func walk(ctx context.Context, archive string, visit func(top string, e entry, r io.Reader) error) (err error) {
	f, err := os.Open(archive) //nolint:gosec // the operator names it
	if err != nil {
		return fmt.Errorf("can't read the archive: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("%s is no tar.gz: %w", archive, err)
	}
	t := tar.NewReader(z)
	j := judge{seen: map[string]byte{}}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("the archive is damaged or cut off: %w", err)
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		e, err := j.entry(h)
		if err != nil {
			return fmt.Errorf("the archive is refused: %w", err)
		}
		if err := visit(j.top, e, t); err != nil {
			return fmt.Errorf("%s: %w", h.Name, err)
		}
	}
	// The checksum stands at the very end.
	if n, err := io.Copy(io.Discard, io.LimitReader(z, maxOne)); err != nil || n == maxOne {
		return fmt.Errorf("the archive is damaged or cut off: %w", errors.Join(err, z.Close()))
	}
	return nil
}

// judge decides what of an archive is taken.
type judge struct {
	top   string
	seen  map[string]byte
	bytes int64
}

func (j *judge) entry(h *tar.Header) (entry, error) {
	if len(j.seen) >= maxEntries {
		return entry{}, fmt.Errorf("it has more than %d entries", maxEntries)
	}
	inside, err := j.inside(h.Name)
	if err != nil {
		return entry{}, err
	}
	e := entry{path: inside, kind: h.Typeflag, mode: fs.FileMode(h.Mode).Perm() & 0o755, time: h.ModTime}
	for above := path.Dir(inside); above != "."; above = path.Dir(above) {
		if kind, ok := j.seen[above]; ok && kind != tar.TypeDir {
			return entry{}, fmt.Errorf("%q stands below what is no directory", h.Name)
		}
		j.seen[above] = tar.TypeDir
	}
	if kind, ok := j.seen[inside]; ok && (kind != tar.TypeDir || h.Typeflag != tar.TypeDir) {
		return entry{}, fmt.Errorf("%q is in it twice", h.Name)
	}
	switch h.Typeflag {
	case tar.TypeDir:
		e.mode |= 0o700
	case tar.TypeReg:
		if h.Size < 0 || h.Size > maxOne {
			return entry{}, fmt.Errorf("%q has %d bytes, at most %d are taken", h.Name, h.Size, maxOne)
		}
		e.size = h.Size
		e.mode |= 0o600
		if j.bytes += h.Size; j.bytes > maxBytes {
			return entry{}, fmt.Errorf("it unpacks to more than %s", size(maxBytes))
		}
	case tar.TypeSymlink:
		to := path.Join(path.Dir(inside), h.Linkname) //nolint:gosec // it is judged right here
		if path.IsAbs(h.Linkname) || h.Linkname == "" || !filepath.IsLocal(to) || len(h.Linkname) > maxPath {
			return entry{}, fmt.Errorf("the link %q leads out of it, to %q", h.Name, h.Linkname)
		}
		e.target = h.Linkname
	case tar.TypeLink:
		to, err := j.inside(h.Linkname)
		if err != nil || j.seen[to] != tar.TypeReg {
			return entry{}, fmt.Errorf("the link %q leads to %q, which is no file before it", h.Name, h.Linkname)
		}
		e.target = to
	default:
		return entry{}, fmt.Errorf("%q is neither file, directory nor link", h.Name)
	}
	j.seen[inside] = h.Typeflag
	return e, nil
}

// inside returns a name without the top directory, which all share.
func (j *judge) inside(name string) (string, error) {
	clean := path.Clean(name)
	if name == "" || len(name) > maxPath || strings.ContainsAny(name, "\x00\\\n\r") || path.IsAbs(name) || !filepath.IsLocal(clean) {
		return "", fmt.Errorf("the name %q leads out of it or is no path", name)
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return "", fmt.Errorf("the name %q leads out of it or is no path", name)
		}
	}
	top, rest, deeper := strings.Cut(clean, "/")
	if j.top == "" && top != "." {
		j.top = top
	}
	if top != "." && top != j.top {
		return "", fmt.Errorf("it has more than one directory at its top: %q and %q", j.top, top)
	}
	if !deeper {
		return ".", nil
	}
	return rest, nil
}
