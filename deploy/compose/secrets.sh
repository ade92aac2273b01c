#!/bin/sh
# Make the secrets of compose.yaml, at random, in deploy/secrets/. What is there already stays.
set -eu
cd "$(dirname "$0")/.."
umask 022                      # the containers' users, which are not this one, have to read them …
mkdir -p -m 0711 secrets       # … by name, in a folder that nobody else can list
chmod 0711 secrets
random() { head -c 24 /dev/urandom | base64 | tr '+/' '-_'; }

for name in redis_password grafana_password; do
  [ -e "secrets/$name" ] || random | tr -d '\n' > "secrets/$name"
done
# The first caller of the gRPC port: a key for whoever calls, and its hash for the gateway (as `image-gateway key new` makes them).
if [ ! -e secrets/tenants.toml ]; then
  id=$(od -An -tx1 -N8 /dev/urandom | tr -d ' \n')
  secret=$(head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n')
  (umask 077 && printf 'igk_%s_%s' "$id" "$secret" > secrets/api_key)
  cat > secrets/tenants.toml <<EOF
[[tenants]]
name = "first"

[[tenants.keys]]
id = "$id"
hash = "sha256:$(printf %s "$secret" | sha256sum | cut -d ' ' -f 1)"
comment = "made by secrets.sh"
EOF
fi
if [ ! -e secrets/rest_accounts.toml ]; then
  cat > secrets/rest_accounts.toml <<EOF
[[domains]]
name = "account"

[[domains.projects]]
name = "cn-east-3"

[[domains.users]]
name = "someone"
password = "$(random)"
EOF
fi
ls -l secrets
