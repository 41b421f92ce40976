#!/bin/sh
# npm run bench [-- bgp]: measures podroute beside its peers; without arguments a quick round (2 minutes).
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh test
PATH="$PWD/node_modules/.bin:$PATH"
exec sh scripts/as-root.sh node test/bench/main.ts "$@"
