#!/bin/sh
# npm test [-- FILE…]: sets up, builds, checks (types, lint, rooms, format, dead code) and runs every test, or the named ones.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh test
PATH="$PWD/node_modules/.bin:$PATH"
[ $# -gt 0 ] && exec sh scripts/as-root.sh mocha "$@"
sh scripts/check.sh
rooms=build/tests-of-rooms.log
# Whatever folder they are in: a list of rooms forgets the newest.
# They take one core, and what has an API server waits most of its time: side by side.
sh scripts/as-root.sh mocha $(find . \( -path ./node_modules -o -path ./lab -o -path ./test \) -prune -o -name '*.test.ts' -print | sort) > $rooms 2>&1 &
beside=$!
failed=0
sh scripts/as-root.sh mocha --timeout 120000 'test/kubernetes/*.test.ts' || failed=1
wait $beside || failed=1
cat $rooms
[ $failed = 0 ] || exit 1
# Labs run one file after the other in one process, and with nothing beside: figures that mean something.
exec sh scripts/as-root.sh mocha --timeout 120000 'lab/**/*.test.ts' 'test/!(kubernetes)/**/*.test.ts'
