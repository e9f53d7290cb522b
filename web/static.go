// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"time"
)

//go:embed static
var staticFiles embed.FS

// asset is one embedded file. Its URL carries the content's hash, so that
// browsers may keep it for ever.
type asset struct {
	body    []byte
	version string
}

func loadStatic() (map[string]asset, error) {
	entries, err := staticFiles.ReadDir("static")
	if err != nil {
		return nil, err
	}
	files := map[string]asset{}
	for _, e := range entries {
		body, err := staticFiles.ReadFile(path.Join("static", e.Name()))
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(body)
		files[e.Name()] = asset{body: body, version: hex.EncodeToString(sum[:6])}
	}
	return files, nil
}

func (w *Web) staticURL(name string) string {
	return "/static/" + name + "?v=" + w.static[name].version
}

func (w *Web) serveStatic(rw http.ResponseWriter, r *http.Request) {
	w.sendStatic(rw, r, r.PathValue("file"))
}

func (w *Web) favicon(rw http.ResponseWriter, r *http.Request) { w.sendStatic(rw, r, "favicon.svg") }

func (w *Web) sendStatic(rw http.ResponseWriter, r *http.Request, name string) {
	file, ok := w.static[name]
	if !ok {
		w.fail(rw, r, http.StatusNotFound, "There is no such file.")
		return
	}
	rw.Header().Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == file.version {
		rw.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	rw.Header().Set("ETag", `"`+file.version+`"`)
	http.ServeContent(rw, r, name, time.Time{}, bytes.NewReader(file.body))
}
