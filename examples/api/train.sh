#!/bin/sh
# Makes a task, launches a run of it, watches the run and fetches its model.
#
#   CHORUS_URL=https://chorus.example CHORUS_API_TOKEN=cht_... sh train.sh task.json
#
# Needs curl and jq. The token needs the scopes that make tasks and launch runs.
set -eu
base="${CHORUS_URL:-http://localhost:3000}/api/v1"

# Prints the answer. Ends with what the coordinator says is wrong, which names what to do next.
ask() {
  method=$1 path=$2
  shift 2
  curl --silent --show-error --fail-with-body --request "$method" "$base$path" \
    --header "authorization: Bearer $CHORUS_API_TOKEN" --header "content-type: application/json" "$@"
}

# 1. The task. A version never changes; the same one again is a CONFLICT.
slug=$(jq --raw-output .slug "$1")
ask POST /tasks --data-binary "@$1" > made.json || { jq --raw-output '.error | "\(.code): \(.message)"' made.json; exit 1; }
versions=$(ask GET "/tasks/$slug/versions" | jq --raw-output '[.items[].task.version] | join(", ")')
echo "Made $slug. Its versions: $versions."

# 2. The run. It waits until enough devices have joined.
run=$(ask POST /runs --data "{\"task\": \"$slug\", \"rounds\": 1}" | jq --raw-output .runId)
echo "Launched run $run."

# 3. Its rounds, until it has ended.
state=queued
until [ "$state" = completed ] || [ "$state" = failed ] || [ "$state" = stopped ]; do
  sleep 1
  state=$(ask GET "/runs/$run" | jq --raw-output .state)
done
echo "The run has $state."

# 4. The model, named by its own hash.
hash=$(ask GET "/runs/$run" | jq --raw-output .modelHash)
ask GET "/models/$hash" --output "$slug.safetensors"
echo "$hash  $slug.safetensors" | sha256sum --check -
