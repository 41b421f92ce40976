#!/bin/sh
# npm test [-- FILE…]: sets up, builds, checks (types, lint, rooms, format, dead code) and runs every test, or the named ones.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh test
PATH="$PWD/node_modules/.bin:$PATH"
[ $# -gt 0 ] && exec sh scripts/as-root.sh mocha "$@"
sh scripts/check.sh

# Of the first run on a machine, and not by two at once.
node --no-warnings -e 'import("./lab/kubernetes/programs.ts").then(({ kubernetesPrograms }) => kubernetesPrograms())'

# Side by side, each in a process of its own: the rooms' tests take one core, those with an API server wait half of their
# time, and those of one agent, of CNI, of other daemons, of the commands in docs/ and of sockets wait nearly all of it.
logs=$(mktemp -d)
lanes=""
lane() {
  name=$1
  shift
  sh scripts/as-root.sh mocha "$@" >"$logs/$name" 2>&1 &
  lanes="$lanes $name:$!"
}
# Whatever folder they are in: a list of rooms forgets the newest.
# shellcheck disable=SC2046
lane rooms $(find . \( -path ./node_modules -o -path ./lab -o -path ./test \) -prune -o -name '*.test.ts' -print | sort)
# shellcheck disable=SC2046
lane waiting --timeout 120000 \
  $(find test/agent test/conformance test/docs test/interop test/transport -name '*.test.ts' ! -name doctor.test.ts | sort)
lane store-away --timeout 120000 test/kubernetes/agents.test.ts test/kubernetes/store.test.ts
failed=0
sh scripts/as-root.sh mocha --timeout 120000 'test/kubernetes/!(agents|store).test.ts' || failed=1
for one in $lanes; do
  wait "${one#*:}" || failed=1
  cat "$logs/${one%:*}"
done
rm -r "$logs"
[ $failed = 0 ] || exit 1

# One file after the other in one process, and with nothing beside: figures and times that mean something. (The doctor
# fills a table that all namespaces of a machine share.)
exec sh scripts/as-root.sh mocha --timeout 120000 \
  'lab/**/*.test.ts' test/agent/doctor.test.ts 'test/!(agent|conformance|docs|interop|kubernetes|transport)/**/*.test.ts'
