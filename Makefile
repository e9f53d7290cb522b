# SPDX-License-Identifier: Apache-2.0

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
LINT    := go tool -modfile=tools/golangci-lint/go.mod golangci-lint

# The race detector watches everything but two packages that only compute: SQLite,
# which is C made into Go and keeps its data where the detector does not look, and
# the hash of passwords. Watched they take most of the tests' time.
UNWATCHED := -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=golang.org/x/crypto/argon2=-race=false
# Nor does it wait a second at the end of each program for goroutines to race:
# goleak says that none is left.

.PHONY: build test needs lint bench run

build:
	CGO_ENABLED=0 go build -trimpath -buildvcs=auto -ldflags '-s -w -X main.version=$(VERSION)' -o bin/belfry ./cmd/belfry

# Everything: what CI runs. It installs what the tests need (Debian, as root)
# or names the packages.
test: needs lint
	GORACE=atexit_sleep_ms=0 go test -race $(UNWATCHED) -timeout 8m ./...

needs:
	./scripts/test-needs

lint:
	@test -z "$$(gofmt -l .)" || { gofmt -l . ; echo 'not formatted: gofmt -w the files above'; exit 1; }
	go vet ./...
	$(LINT) run ./...

# Prints a table of figures; see bench.
bench: build
	go run ./bench -belfry bin/belfry

run:
	go run ./cmd/belfry demo
