"""Makes a task, launches a run of it, watches the run and fetches its model.

    CHORUS_URL=https://chorus.example CHORUS_TOKEN=cht_... python3 train.py task.json

Needs Python 3.9 or newer and no packages. The token is an API token with the scopes that make tasks and launch runs.
"""
import hashlib
import json
import os
import pathlib
import sys
import time
import urllib.error
import urllib.request

BASE = os.environ.get("CHORUS_URL", "http://localhost:3000") + "/api/v1"
TOKEN = os.environ.get("CHORUS_TOKEN", "")


def ask(method, path, body=None):
    """Returns the answer's bytes. Ends with what the coordinator says is wrong, which names what to do next."""
    request = urllib.request.Request(
        BASE + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"authorization": f"Bearer {TOKEN}", "content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.read()
    except urllib.error.HTTPError as refused:
        error = json.load(refused)["error"]
        sys.exit(f"{error['code']}: {error['message']}")


# 1. The task. A version never changes; the same one again is a CONFLICT.
task = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
ask("POST", "/tasks", task)
versions = json.loads(ask("GET", f"/tasks/{task['slug']}/versions"))["items"]
print(f"Made {task['slug']}. Its versions: {', '.join(str(one['task']['version']) for one in versions)}.")

# 2. The run. It waits until enough devices have joined.
run = json.loads(ask("POST", "/runs", {"task": task["slug"], "rounds": 1}))
print(f"Launched run {run['number']}.")

# 3. Its rounds, until it has ended.
shown = ""
while run["state"] not in ("completed", "failed"):
    time.sleep(1)
    run = json.loads(ask("GET", f"/runs/{run['runId']}"))
    line = f"{run['state']}, {run['roundsCommitted']} of {run['roundsPlanned']} rounds"
    if line != shown:
        print(line, flush=True)
    shown = line
if run["modelHash"] is None:
    sys.exit(f"The run ended as {run['state']}, without a model.")

# 4. The model, named by its own hash.
model = ask("GET", f"/models/{run['modelHash']}")
if hashlib.sha256(model).hexdigest() != run["modelHash"]:
    sys.exit("The model is damaged.")
pathlib.Path(f"{task['slug']}.safetensors").write_bytes(model)
print(f"Wrote {task['slug']}.safetensors, {len(model)} bytes.")
