#!/bin/sh
# Runs a command as root: as it is when already root, else as root of an own user namespace with private /run,
# which is enough for network namespaces, links, routes and BGP inside them.
# usage: sh scripts/as-root.sh COMMAND [ARG…]
set -eu
# Where ip and sysctl are: not in an ordinary user's PATH, nor in that of a plain `su`.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
export PATH
[ "$(id -u)" = 0 ] && exec "$@"
if ! unshare --user --map-root-user --net --mount true 2>/dev/null; then
  echo "podroute: not root, and this kernel does not let an ordinary user make a namespace." >&2
  echo "  either run with sudo, or allow it:  sudo sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000" >&2
  exit 1
fi
# shellcheck disable=SC2016
exec unshare --user --map-root-user --net --mount --pid --fork --kill-child --mount-proc sh -c '
  mount -t tmpfs tmpfs /run && mount -t sysfs sysfs /sys 2>/dev/null || true
  ip link set lo up
  exec "$@"' sh "$@"
