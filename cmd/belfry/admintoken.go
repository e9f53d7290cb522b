// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"belfry/config"

	"golang.org/x/sys/unix"
)

// adminTokenVariable is the environment variable that may hold the token.
const adminTokenVariable = "BELFRY_ADMIN_TOKEN" //nolint:gosec // the name of a variable, not what it holds

// maxAdminToken bounds what is read of a token, in bytes.
const maxAdminToken = 4 << 10

// adminToken reads an administrator's token from a file, standard input ("-"),
// the environment, or the terminal. It is never an option: arguments can be
// seen by everybody on the host.
func adminToken(file string, stdin io.Reader, stderr io.Writer) (config.Secret, error) {
	if file == "-" {
		return readToken(stdin)
	}
	if file != "" {
		return config.ReadSecret("", file)
	}
	if text := os.Getenv(adminTokenVariable); text != "" {
		return config.Secret(text), nil
	}
	in, ok := stdin.(*os.File)
	if !ok {
		return "", errNoToken()
	}
	fd := int(in.Fd())
	shown, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return "", errNoToken()
	}
	hidden := *shown
	hidden.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &hidden); err != nil {
		return "", fmt.Errorf("can't hide what is typed: %w", err)
	}
	_, _ = fmt.Fprint(stderr, "access token of a Mattermost administrator (not shown): ")
	token, err := readToken(in)
	_, _ = fmt.Fprintln(stderr)
	return token, errors.Join(err, unix.IoctlSetTermios(fd, unix.TCSETS, shown))
}

func errNoToken() error {
	return usageError{errors.New("there is no administrator's token: say --admin-token-file FILE, set " + adminTokenVariable + ", or run this in a terminal to be asked")}
}

func readToken(r io.Reader) (config.Secret, error) {
	line, err := bufio.NewReader(io.LimitReader(r, maxAdminToken)).ReadString('\n')
	if text := strings.TrimSpace(line); text != "" {
		return config.Secret(text), nil
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("can't read the administrator's token: %w", err)
	}
	return "", errNoToken()
}
