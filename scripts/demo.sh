#!/bin/sh
# npm run demo [-- --topology tor|dual-tor|unnumbered|mesh|rr] [--keep]: sets up, builds, and runs the demonstration.
set -eu
cd "$(dirname "$0")/.."
case " $* " in *dual-tor* | *unnumbered*) sh scripts/setup.sh demo frr ;; *) sh scripts/setup.sh demo ;; esac
PATH="$PWD/node_modules/.bin:$PATH"
exec sh scripts/as-root.sh node lab/demo.ts "$@"
