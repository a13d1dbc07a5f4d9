#!/bin/sh
# Make the secrets of compose.yaml, once: files that only their owner and the containers read. What is there stays.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
chmod 700 secrets
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
[ -s secrets/postgres_password ] || {
    password=$(random)
    printf '%s' "$password" > secrets/postgres_password
    printf 'postgresql://backstop:%s@postgres/backstop' "$password" > secrets/database_url
}
[ -s secrets/nats_token ] || {
    token=$(random)
    printf 'authorization { token: "%s" }\n' "$token" > secrets/nats_token
    printf 'nats://%s@nats:4222' "$token" > secrets/log_url
}
# Containers have users of their own: the folder is what keeps others out.
chmod 644 secrets/*
