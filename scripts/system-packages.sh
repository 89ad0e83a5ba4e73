#!/bin/sh
# Install the system packages that the checks need and that are missing: Chromium for the browser tests, clamd for the
# scanner's tests, Node.js for the receiver in JavaScript, npm for the checks of the browser scripts, qpdf and fonts for the
# tests of PDFs, PostgreSQL for the tests of the journal there.
# If this script may not install packages, it prints that; the checks that need a missing package then name it.
# nginx, Caddy and promtool (of Prometheus) check the configurations that we publish. They are unpacked into .tools/
# instead of installed, because Debian starts them as services.
set -u
cd "$(dirname "$0")/.." || exit 1
missing=""
PATH="$PATH:/usr/sbin"
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v clamd >/dev/null 2>&1 || missing="$missing clamav-daemon"
command -v node >/dev/null 2>&1 || missing="$missing nodejs"
command -v npm >/dev/null 2>&1 || missing="$missing npm"
command -v qpdf >/dev/null 2>&1 || missing="$missing qpdf"
# Debian keeps PostgreSQL's programs out of the PATH.
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1 || missing="$missing postgresql"
command -v systemd-analyze >/dev/null 2>&1 || missing="$missing systemd"
# The numbers of system calls, for the test of the unit's filter.
[ "$(uname -m)" != x86_64 ] || [ -e /usr/include/x86_64-linux-gnu/asm/unistd_64.h ] || missing="$missing linux-libc-dev"
fonts=/usr/share/fonts/truetype
[ -e $fonts/droid/DroidSansFallbackFull.ttf ] || missing="$missing fonts-droid-fallback"
[ -e $fonts/dejavu/DejaVuSans.ttf ] || missing="$missing fonts-dejavu-core"
[ -e $fonts/lohit-devanagari/Lohit-Devanagari.ttf ] || missing="$missing fonts-lohit-deva"
[ -e $fonts/tlwg/Loma.ttf ] || missing="$missing fonts-tlwg-loma-ttf"
unpack() {
    (cd .tools && apt-get download -qq "$1" 2>/dev/null && dpkg -x "$1"_*.deb . && rm "$1"_*.deb)
}
# A program and the package that holds it.
for tool in nginx:nginx caddy:caddy promtool:prometheus; do
    program="${tool%:*}" package="${tool#*:}"
    command -v "$program" >/dev/null 2>&1 && continue
    [ -x ".tools/usr/sbin/$program" ] || [ -x ".tools/usr/bin/$program" ] && continue
    command -v apt-get >/dev/null 2>&1 || continue
    mkdir -p .tools
    unpack "$package" || { [ "$(id -u)" -eq 0 ] && apt-get update -qq && unpack "$package"; } ||
        echo "Could not unpack $package; the test of its configuration names it." >&2
done
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1; then
    echo "This is not Debian: install$missing yourself; the checks that need a missing package name it." >&2
    exit 0
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if sudo -n true 2>/dev/null; then as_root="sudo -n"; else
        echo "Cannot install$missing (neither root nor passwordless sudo); the checks that need a missing package name it." >&2
        exit 0
    fi
fi
echo "Installing$missing …"
$as_root apt-get update -qq && $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
    echo "Could not install$missing; the checks that need a missing package name it." >&2
exit 0
