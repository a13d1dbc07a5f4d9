#!/bin/sh
# Settings that are secret come as files, named like the variables: no process list and no `docker inspect` shows them.
set -eu
for file in "${SECRETS:-/run/secrets}"/BACKSTOP_*; do
    [ -f "$file" ] || continue
    name=$(basename "$file")
    value=$(cat "$file")
    export "$name=$value"
done
exec backstop "$@"
