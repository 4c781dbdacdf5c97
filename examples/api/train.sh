#!/bin/sh
# Makes a task, launches a run of it, watches the run and fetches its model.
#
#   CHORUS_URL=https://chorus.example CHORUS_TOKEN=cht_... sh train.sh task.json
#
# Needs curl and jq. The token is an API token with the scopes that make tasks and launch runs.
set -eu
base="${CHORUS_URL:-http://localhost:3000}/api/v1"

# Prints the answer. Ends with what the coordinator says is wrong, which names what to do next.
ask() {
  method=$1 path=$2
  shift 2
  answer=$(curl --silent --show-error --fail-with-body --request "$method" "$base$path" \
    --header "authorization: Bearer $CHORUS_TOKEN" --header "content-type: application/json" "$@") || {
    printf '%s' "$answer" | jq --raw-output '.error | "\(.code): \(.message)"' >&2
    exit 1
  }
  printf '%s' "$answer"
}

# 1. The task. A version never changes; the same one again is a CONFLICT.
slug=$(jq --raw-output .slug "$1")
ask POST /tasks --data-binary "@$1" > made.json
echo "Made $slug."

# 2. The run. It waits until enough devices have joined.
launched=$(ask POST /runs --data "{\"task\": \"$slug\", \"rounds\": 1}")
run=$(printf '%s' "$launched" | jq --raw-output .runId)
echo "Launched run $run."

# 3. Its rounds, until it has ended.
state=queued
until [ "$state" = completed ] || [ "$state" = failed ]; do
  sleep 1
  view=$(ask GET "/runs/$run")
  state=$(printf '%s' "$view" | jq --raw-output .state)
done
echo "The run has $state."

# 4. The model, named by its own hash.
hash=$(printf '%s' "$view" | jq --raw-output '.modelHash // empty')
if [ -z "$hash" ]; then echo "There is no model." >&2; exit 1; fi
ask GET "/models/$hash" --output "$slug.safetensors"
echo "$hash  $slug.safetensors" | sha256sum --check -
