#!/bin/sh
# npm run demo [-- --topology tor|mesh|rr] [--keep]: sets up, builds, and runs the demonstration.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh demo
PATH="$PWD/node_modules/.bin:$PATH"
exec sh scripts/as-root.sh node lab/demo.ts "$@"
