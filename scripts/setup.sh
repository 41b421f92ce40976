#!/bin/sh
# Brings a clean clone to the point where it can build and run: npm packages, Debian packages, native pieces, bundle.
# usage: sh scripts/setup.sh [demo|test|build] [frr]   (which Debian packages are wanted)
# Does nothing that has been done already, so it costs little to call it always.
set -eu
cd "$(dirname "$0")/.."
purpose=${1:-demo}

if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo "setup: npm install (the versions of package-lock.json)"
  # Not `npm ci`: it wants an entry for every platform's build of every tool, and a registry mirror may lack some.
  npm install --no-save --no-audit --no-fund --loglevel=error
  # A later install prunes what the package node fetched by itself, the headers that the addon needs: fetch it again.
  ls -d node_modules/node/node_modules/node-linux-*/include >/dev/null 2>&1 || npm rebuild --loglevel=error node
  touch node_modules/.package-lock.json
fi
PATH="$PWD/node_modules/.bin:$PATH"
export PATH
node -e 'if (parseInt(process.versions.node) < 24) {
  console.error(`setup: Node ${process.version} is too old: podroute needs 24 or newer. The package node@24 brings it, ` +
    `unless npm skipped install scripts: run  npm rebuild node`); process.exit(1) }'

# program:package pairs; a program that is missing names its package
wanted="ip:iproute2 nsenter:util-linux ping:iputils-ping sysctl:procps bird:bird2 cc:gcc musl-gcc:musl-tools"
# Nothing runs here.
[ "$purpose" = build ] && wanted="cc:gcc musl-gcc:musl-tools"
[ "${2:-}" = frr ] && wanted="$wanted vtysh:frr"
if [ "$purpose" = test ]; then
  wanted="$wanted vtysh:frr gobgpd:gobgpd bgpd:openbgpd exabgp:exabgp nft:nftables etcd:etcd-server openssl:openssl curl:curl"
  wanted="$wanted zsh:zsh fish:fish systemd-analyze:systemd"
fi
missing=""
for pair in $wanted; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || [ -x "/usr/sbin/${pair%%:*}" ] || missing="$missing ${pair#*:}"
done
[ -f /usr/include/stdlib.h ] || missing="$missing libc6-dev"
if [ -n "$missing" ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "setup: apt-get install$missing"
    apt-get update -qq
    # RUNLEVEL=1: the routing daemons are wanted as programs, not as services of this machine
    # shellcheck disable=SC2086
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
  else
    echo "setup: missing Debian packages. Install them with:" >&2
    echo "  sudo apt-get update && sudo apt-get install -y$missing" >&2
    exit 1
  fi
fi

# Of Debian's package prometheus (100 MB, and a service) one program is wanted, for the tests of alerts and metrics.
if [ "$purpose" = test ] && [ ! -x build/promtool ] && ! command -v promtool >/dev/null 2>&1; then
  echo "setup: promtool, out of the Debian package prometheus"
  rm -rf build/download
  mkdir -p build/download
  fetch() { (cd build/download && apt-get download -qq prometheus 2>/dev/null); }
  if fetch || { [ "$(id -u)" = 0 ] && apt-get update -qq && fetch; }; then
    dpkg-deb --fsys-tarfile build/download/prometheus_*.deb | tar -x -O ./usr/bin/promtool >build/download/promtool
    chmod +x build/download/promtool
    mv build/download/promtool build/promtool
    rm -rf build/download
  else
    echo "setup: promtool is missing, and the package prometheus cannot be downloaded. Put a promtool into PATH, or:" >&2
    echo "  sudo apt-get update && sudo apt-get install -y prometheus" >&2
    exit 1
  fi
fi

node scripts/build.ts
