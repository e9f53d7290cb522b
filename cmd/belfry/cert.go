// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"belfry/app"
	"belfry/clock"
	"belfry/tlscert"

	"github.com/spf13/cobra"
)

func newCertCommand() *cobra.Command {
	var f serveFlags
	var out string
	cmd := &cobra.Command{
		Use:   "cert",
		Short: "Show the server's certificate, and how others come to trust it",
		Long: `Show the server's certificate: where it is, its SHA-256 fingerprint, when it
ends; and for a self-signed one how Mattermost and browsers come to trust it.
It reads the same configuration as serve and changes nothing.

Exit codes: 0 done, 1 failed, 3 wrong usage.`,
		Example: `  belfry cert --config /etc/belfry/belfry.yaml
  belfry cert --out belfry.crt
  belfry cert renew`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := f.certificate()
			if err != nil {
				return err
			}
			if out != "" {
				return exportCert(cmd.OutOrStdout(), o, out)
			}
			return showCert(cmd.OutOrStdout(), o, clock.System{}.Now())
		},
	}
	flags := cmd.PersistentFlags()
	flags.StringVar(&f.config, "config", "", "configuration `file` (YAML), as for serve")
	flags.StringVar(&f.data, "data", "", "data `directory`, as for serve")
	cmd.Flags().StringVar(&out, "out", "", "write what others need to trust into a `file` (PEM, never a key); - prints it")
	cmd.AddCommand(newCertRenewCommand(&f))
	return cmd
}

func newCertRenewCommand(f *serveFlags) *cobra.Command {
	var newAuthority bool
	cmd := &cobra.Command{
		Use:   "renew",
		Short: "Make a new self-signed certificate now",
		Long: `Make a new self-signed certificate now; serve does so by itself a month before
the end. Those who trust the old one trust the new one. A server that runs
takes it over within seconds.

With --new-authority the keys are new as well, as they must be after a theft:
then everybody has to be told to trust the new one.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := f.certificate()
			if err != nil {
				return err
			}
			switch {
			case o.TLS.ACME != nil:
				return fmt.Errorf("the authority renews this certificate by itself; to force it, remove its file (belfry cert shows where) and restart belfry serve")
			case !o.TLS.SelfSigned:
				return fmt.Errorf("this certificate is yours: put a new one into %s and its key into %s, a server that runs takes them over", o.TLS.CertFile, o.TLS.KeyFile)
			}
			if err := os.MkdirAll(o.Data, 0o700); err != nil {
				return fmt.Errorf("can't make the data directory: %w", err)
			}
			if err := tlscert.Renew(o, newAuthority); err != nil {
				return err
			}
			return showCert(cmd.OutOrStdout(), o, clock.System{}.Now())
		},
	}
	cmd.Flags().BoolVar(&newAuthority, "new-authority", false, "new keys, too; ends all trust in the old one")
	return cmd
}

// certificate reads the configuration as serve does.
func (f serveFlags) certificate() (tlscert.Options, error) {
	file, err := f.file()
	if err != nil {
		return tlscert.Options{}, err
	}
	if file.Server.TLS == nil {
		return tlscert.Options{}, errors.New("the configuration has no server.tls, so there is no certificate; write tls: {self_signed: true} below server: for one that Belfry makes")
	}
	return app.CertificateOptions(file.Server), nil
}

func showCert(w io.Writer, o tlscert.Options, now time.Time) error {
	found, err := tlscert.Look(o)
	if err != nil {
		return err
	}
	for i, f := range found {
		if i > 0 {
			_, _ = fmt.Fprintln(w)
		}
		if f.Leaf == nil {
			if f.Kind == tlscert.KindACME {
				_, _ = fmt.Fprintf(w, "%s: no certificate yet; belfry serve asks the authority for it and says in its log why there is none\n", f.Name)
				continue
			}
			return errors.New("there is no certificate yet; belfry serve makes it when it starts, belfry cert renew right now")
		}
		_, _ = fmt.Fprintf(w, "certificate  %s (%s)\nnames        %s\nends         %s\n", absolute(f.Path), f.Kind, strings.Join(tlscert.Names(f.Leaf), " "), ends(f.Leaf.NotAfter, now))
		if f.Authority == nil {
			_, _ = fmt.Fprintf(w, "sha-256      %s\n", tlscert.Fingerprint(f.Leaf))
			continue
		}
		_, _ = fmt.Fprintf(w, "\nto trust     %s\nsha-256      %s\nends         %s\n%s", absolute(f.Trust), tlscert.Fingerprint(f.Authority), ends(f.Authority.NotAfter, now), howToTrust)
	}
	return nil
}

const howToTrust = `
Mattermost trusts it once the file stands among the certificates of its
machine; copy it there, compare the fingerprint, then:
  Debian, Ubuntu  cp ca.pem /usr/local/share/ca-certificates/belfry.crt && update-ca-certificates
  Red Hat, SUSE   cp ca.pem /etc/pki/ca-trust/source/anchors/belfry.pem && update-ca-trust
                  (SUSE: /etc/pki/trust/anchors, update-ca-certificates)
  container       mount a directory with the file in it, and set SSL_CERT_DIR to
                  that directory and the system's: /etc/ssl/certs:/belfry
and restart Mattermost. It stays trusted through all renewals. The setting
EnableInsecureOutgoingConnections is not needed: it would trust everybody.
belfry notify on other hosts: --ca-file. Browsers: import it as an authority.
`

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

func ends(at, now time.Time) string {
	days := int(at.Sub(now).Hours() / 24)
	if at.Before(now) {
		return at.Format(time.DateOnly) + " (past)"
	}
	return fmt.Sprintf("%s (in %s)", at.Format(time.DateOnly), count(days, "day"))
}

// exportCert writes what others need; w gets it for "-", else what was done.
func exportCert(w io.Writer, o tlscert.Options, out string) error {
	found, err := tlscert.Look(o)
	if err != nil {
		return err
	}
	var all []byte
	for _, f := range found {
		all = append(all, f.PEM...)
	}
	if len(all) == 0 {
		return errors.New("there is no certificate yet; belfry serve gets it when it starts")
	}
	if out == "-" {
		_, err := w.Write(all)
		return err
	}
	if err := os.WriteFile(out, all, 0o644); err != nil { //nolint:gosec // certificates are public, and others are to read it
		return fmt.Errorf("can't write the certificate: %w", err)
	}
	_, err = fmt.Fprintf(w, "wrote %s\n", out)
	return err
}
