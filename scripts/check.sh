#!/bin/sh
# Everything that can be said without running the product: types, lint, rooms, format, dead code.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/node_modules/.bin:$PATH"
tsc -p .
oxlint --quiet
node scripts/check-rooms.ts
node scripts/check-docs.ts
biome format --log-level=warn .
knip --no-progress
