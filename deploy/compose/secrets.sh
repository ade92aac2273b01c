#!/bin/sh
# Make the secrets of compose.yaml, at random, in deploy/secrets/. What is there already stays.
# As root: readable by the containers' users alone. As anybody else, who cannot give files away: READABLE BY ALL on this machine.
set -eu
cd "$(dirname "$0")/.."
umask 077
mkdir -p -m 0711 secrets       # files are opened by name; nobody else can list them
chmod 0711 secrets
random() { head -c 24 /dev/urandom | base64 | tr '+/' '-_'; }

for name in redis_password grafana_password; do
  [ -e "secrets/$name" ] || random | tr -d '\n' > "secrets/$name"
done
# The first caller of the gRPC port: a key for whoever calls, and its hash for the gateway (as `image-gateway key new` makes them).
if [ ! -e secrets/tenants.toml ]; then
  id=$(od -An -tx1 -N8 /dev/urandom | tr -d ' \n')
  secret=$(head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n')
  printf 'igk_%s_%s' "$id" "$secret" > secrets/api_key
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
# Compose mounts them with the owner and mode that they have here.
if [ "$(id -u)" = 0 ]; then
  chown 0:10001 secrets/tenants.toml secrets/rest_accounts.toml   # the gateway's group
  chown 999:10001 secrets/redis_password                          # Redis by its user, the gateway by its group
  chown 472:0 secrets/grafana_password                            # Grafana
  chmod 0640 secrets/tenants.toml secrets/rest_accounts.toml secrets/redis_password secrets/grafana_password
else
  chmod 0644 secrets/tenants.toml secrets/rest_accounts.toml secrets/redis_password secrets/grafana_password
  echo "secrets.sh: not run as root, so the files (but api_key) are readable by every user of this machine" >&2
fi
ls -l secrets
