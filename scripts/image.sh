#!/bin/sh
# npm run image [-- FILE]: sets up, builds, and writes the image as an OCI archive. No container engine is needed.
set -eu
cd "$(dirname "$0")/.."
sh scripts/setup.sh build
PATH="$PWD/node_modules/.bin:$PATH"
exec node scripts/build-image.ts "$@"
