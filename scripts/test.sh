#!/bin/sh
# npm test [-- FILE…]: sets up, builds, checks (types, lint, rooms, format, dead code) and runs every test, or the named ones.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh test
PATH="$PWD/node_modules/.bin:$PATH"
[ $# -gt 0 ] && exec sh scripts/as-root.sh mocha "$@"
sh scripts/check.sh
# Whatever folder it is in: a list of rooms forgets the newest.
sh scripts/as-root.sh mocha $(find . \( -path ./node_modules -o -path ./lab -o -path ./test \) -prune -o -name '*.test.ts' -print | sort)
# What needs a lab runs one file after the other in one process: two cores, and figures that mean something.
exec sh scripts/as-root.sh mocha --timeout 120000 '{lab,test}/**/*.test.ts'
