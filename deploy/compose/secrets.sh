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
