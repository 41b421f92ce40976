#!/bin/sh
# npm test [-- FILE…]: sets up, builds, checks (types, lint, rooms, format, dead code) and runs every test, or the named ones.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh test
PATH="$PWD/node_modules/.bin:$PATH"
[ $# -gt 0 ] && exec sh scripts/as-root.sh mocha "$@"
sh scripts/check.sh

# Side by side, each in a process of its own: the rooms' tests take one core, those with an API server wait half of their
# time, and those of one agent, of the commands in docs/ and of sockets wait nearly all of it.
lane() {
  log=build/tests-of-$1.log
  shift
  sh scripts/as-root.sh mocha "$@" >"$log" 2>&1
}
# Whatever folder they are in: a list of rooms forgets the newest.
# shellcheck disable=SC2046
lane rooms $(find . \( -path ./node_modules -o -path ./lab -o -path ./test \) -prune -o -name '*.test.ts' -print | sort) &
rooms=$!
# shellcheck disable=SC2046
lane waiting --timeout 120000 $(find test/agent test/docs test/transport -name '*.test.ts' ! -name doctor.test.ts | sort) &
waiting=$!
failed=0
sh scripts/as-root.sh mocha --timeout 120000 'test/kubernetes/*.test.ts' || failed=1
wait $waiting || failed=1
cat build/tests-of-waiting.log
wait $rooms || failed=1
cat build/tests-of-rooms.log
[ $failed = 0 ] || exit 1

# One file after the other in one process, and with nothing beside: figures and times that mean something. (The doctor
# fills a table that all namespaces of a machine share.)
exec sh scripts/as-root.sh mocha --timeout 120000 \
  'lab/**/*.test.ts' test/agent/doctor.test.ts 'test/!(agent|docs|kubernetes|transport)/**/*.test.ts'
