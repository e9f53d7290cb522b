// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"belfry/store"
	"belfry/store/opentest"
	"belfry/store/pgtest"
	"belfry/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(pgtest.Main(m)) }

func TestSQLite(t *testing.T) {
	// A path may hold what means something in an address.
	storetest.Run(t, func(t *testing.T) string {
		path := filepath.Join(t.TempDir(), "belfry?#%20 ä.db")
		opentest.Put(t, path)
		return path
	})
}

func TestPostgres(t *testing.T) {
	storetest.Run(t, func(t *testing.T) string {
		return pgtest.Prepared(t, "belfry_schema", func(url string) error {
			s, err := store.Open(t.Context(), url, store.Options{})
			if err != nil {
				return err
			}
			return s.Close()
		})
	})
}
