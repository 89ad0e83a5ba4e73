#!/bin/sh
# Installs the system packages that checks use and that are missing: Chromium for the browser tests, clamd for those of
# the scanner, Node.js for the receiver in JavaScript, and with npm for the checks of the browser scripts.
# Where it may not install, it says so; the checks that need the package then name it themselves.
set -u
missing=""
PATH="$PATH:/usr/sbin"
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v clamd >/dev/null 2>&1 || missing="$missing clamav-daemon"
command -v node >/dev/null 2>&1 || missing="$missing nodejs"
command -v npm >/dev/null 2>&1 || missing="$missing npm"
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1; then
    echo "Not Debian: please install$missing by hand; the checks that need it say so." >&2
    exit 0
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if sudo -n true 2>/dev/null; then as_root="sudo -n"; else
        echo "May not install$missing (neither root nor password-less sudo); the checks that need it say so." >&2
        exit 0
    fi
fi
echo "Installing$missing …"
$as_root apt-get update -qq && $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
    echo "Could not install$missing; the checks that need it say so." >&2
exit 0
