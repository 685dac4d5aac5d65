#!/bin/sh
# Holds the documents to their own validators, and the server to the documents: see README.md beside this.
# `run.sh PROGRAM`, by default the development build of the product.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
program=$(realpath "${1:-$here/../../target/debug/duplex}")
work=$(mktemp -d)

# Rates stand in the way of a tool that asks a thousand times a second.
"$program" --listen 127.0.0.1:0 --data "$work/data" --identity-publishes-per-sec 100000 \
    --address-accounts-per-min 100000 --payload-bytes-max 65536 >"$work/said" 2>"$work/log" &
server=$!
trap 'kill $server; wait $server 2>"$work/end" || true; rm -r "$work"' EXIT
tries=0
until url=$(sed -n 's/^listening on //p' "$work/said") && [ -n "$url" ]; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || { cat "$work/log"; exit 1; }
    sleep 0.1
done

curl -sf "$url/api/openapi.json" -o "$work/openapi.json"
curl -sf "$url/api/asyncapi.json" -o "$work/asyncapi.json"
openapi-spec-validator "$work/openapi.json"
ASYNCAPI_METRICS=false asyncapi validate "$work/asyncapi.json"

# As a person who stays signed in; then as nobody, where that makes a difference.
cookie=$(curl -sf -D - -o "$work/me" -H 'Content-Type: application/json' -d '{"name":"Ada"}' "$url/api/me" |
    sed -n 's/^set-cookie: \([^;]*\);.*/\1/p')
check() {
    (cd "$work" && st --config-file "$here/schemathesis.toml" run "$url/api/openapi.json" --checks all \
        --max-examples "${EXAMPLES:-200}" --request-timeout 10 "$@")
}
check --header "Cookie: $cookie" --exclude-operation-id delete_me
check --include-path /api/me
