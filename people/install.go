// SPDX-License-Identifier: Apache-2.0

package people

import (
	"context"
	"net/url"
)

// Install is the purpose of a flow in which an administrator lets the
// platform's app in.
const Install = "install"

const sayNoInstall = Refusal("The app of this connection is not installed from here: its configuration has no oauth with install: true.")

// Installs says whether a connection's app is installed from Belfry's pages.
func (p *People) Installs(connection string) bool {
	c, ok := p.connection(connection)
	return ok && c.Installer != nil
}

func (p *People) installRedirect(connection string) string {
	return p.base + "/oauth/" + url.PathEscape(connection) + "/app"
}

// BeginInstall sends an administrator's browser to the platform, see Begin.
func (p *People) BeginInstall(ctx context.Context, connection string) (to, cookie string, err error) {
	c, ok := p.connection(connection)
	if !ok || c.Installer == nil {
		return "", "", sayNoInstall
	}
	f, cookie, err := p.sealFlow(flow{Connection: connection, Purpose: Install})
	if err != nil {
		return "", "", err
	}
	to, err = c.Installer.InstallURL(ctx, p.installRedirect(connection), f.State, f.Verifier)
	if err != nil {
		return "", "", asRefusal(err)
	}
	return to, cookie, nil
}

// FinishInstall reads the platform's answer, see Finish. The text says what is
// installed now.
func (p *People) FinishInstall(ctx context.Context, connection, cookie, answered, code string) (text string, err error) {
	f, s, err := p.openFlow(connection, cookie, answered)
	if err != nil {
		return "", err
	}
	c, ok := p.connection(connection)
	if !ok || c.Installer == nil || f.Purpose != Install {
		return "", sayNoInstall
	}
	if err := p.useState(ctx, s); err != nil {
		return "", err
	}
	text, err = c.Installer.Install(ctx, p.installRedirect(connection), code, f.Verifier)
	if err != nil {
		return "", asRefusal(err)
	}
	return text, nil
}
