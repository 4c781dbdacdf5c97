#!/bin/sh
# Makes a task, launches a run of it, watches the run and fetches its model.
#
#   CHORUS_URL=https://chorus.example CHORUS_TOKEN=cht_... sh train.sh task.json
#
# Needs curl and jq. The token is an API token with the scopes that make tasks and launch runs.
set -eu
base="${CHORUS_URL:-http://localhost:3000}/api/v1"

# Prints the answer, or what is wrong. Its answer goes to a file, because a pipe would hide that it failed.
ask() {
  method=$1 path=$2
  shift 2
  curl --silent --show-error --fail-with-body --request "$method" "$base$path" \
    --header "authorization: Bearer $CHORUS_TOKEN" --header "content-type: application/json" "$@"
}

# Ends with what the coordinator says is wrong, which names what to do next.
refused() {
  jq --raw-output '.error | "\(.code): \(.message)"' "$1" >&2
  exit 1
}

# 1. The task. A version never changes; the same one again is a CONFLICT.
slug=$(jq --raw-output .slug "$1")
ask POST /tasks --data-binary "@$1" > made.json || refused made.json
ask GET "/tasks/$slug/versions" > versions.json || refused versions.json
echo "Made $slug. Its versions: $(jq --raw-output '[.items[].task.version] | join(", ")' versions.json)."

# 2. The run. It waits until enough devices have joined.
ask POST /runs --data "{\"task\": \"$slug\", \"rounds\": 1}" > run.json || refused run.json
run=$(jq --raw-output .runId run.json)
echo "Launched run $run."

# 3. Its rounds, until it has ended.
state=queued
until [ "$state" = completed ] || [ "$state" = failed ]; do
  sleep 1
  ask GET "/runs/$run" > run.json || refused run.json
  state=$(jq --raw-output .state run.json)
done
echo "The run ended as $state."

# 4. The model, named by its own hash.
hash=$(jq --raw-output .modelHash run.json)
[ "$hash" != null ] || { echo "It has no model." >&2; exit 1; }
ask GET "/models/$hash" > "$slug.safetensors" || refused "$slug.safetensors"
echo "$hash  $slug.safetensors" | sha256sum --check -
