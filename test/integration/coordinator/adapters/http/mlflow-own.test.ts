import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { AccessDesk } from "#coordinator/core/access/desk.ts";
import { present } from "#shared/kernel/assert.ts";
import { err, type Result } from "#shared/kernel/result.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import { MLFLOW_PACKAGES, pythonWith, runPython } from "#test/kit/exports/python.ts";
import { openWholeShell, type WholeShell } from "#test/kit/worlds/whole-shell.ts";

/* Runs and models of Chorus itself in the hands of the official client. */

const python = await pythonWith(MLFLOW_PACKAGES);

const SCRIPT = `
import hashlib, json, os, warnings
warnings.filterwarnings("ignore")
os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "1"
import mlflow
from mlflow import MlflowClient
slug = os.environ["SLUG"]
client = MlflowClient()
def code_of(call):
    try:
        call()
    except mlflow.exceptions.MlflowException as error:
        return error.error_code
    return "no error"
runs = mlflow.search_runs(experiment_names=[slug], order_by=["start_time ASC"])
over = runs[runs["status"] == "FINISHED"]
nested = over[over["tags.mlflow.parentRunId"].notna()]
client.set_registered_model_alias(slug, "challenger", 1)
promoted = code_of(lambda: client.set_registered_model_alias(slug, "champion", 1))
alias = "champion" if promoted == "no error" else "challenger"
model = mlflow.pyfunc.load_model(f"models:/{slug}@{alias}")
local = mlflow.artifacts.download_artifacts(f"models:/{slug}/1")
run_files = sorted(one.path for one in client.list_artifacts(over.iloc[0]["run_id"]))
record = mlflow.artifacts.load_dict(f"runs:/{over.iloc[0]['run_id']}/rounds/00001.json")
whole = mlflow.artifacts.download_artifacts(run_id=over.iloc[0]["run_id"], artifact_path="rounds")
print(json.dumps({
    "runs": len(over) - len(nested),
    "nested": len(nested),
    "promoted": promoted,
    "predicted": len(model.predict(model.input_example)),
    "onnx": hashlib.sha256(open(os.path.join(local, "model.onnx"), "rb").read()).hexdigest(),
    "files": run_files,
    "record": [record["roundId"], len(os.listdir(whole))],
    "own version": code_of(lambda: client.create_model_version(slug, "s3://a/b")),
    "own metric": code_of(lambda: client.log_metric(over.iloc[0]["run_id"], "m", 1)),
    "found": [one.name for one in client.search_registered_models(f"name = '{slug}'")],
    "versions": [str(one.version) for one in client.search_model_versions(f"name = '{slug}'")],
}))
`;

describe.skipIf(python === null)("MLflow's client", () => {
  test("[L6] [L7] [L8] makes nothing of Chorus's, finds its runs with their rounds, and loads its models", async () => {
    const world = await openWholeShell();
    const folder = mkdtempSync(join(tmpdir(), "chorus-mlflow-"));
    try {
      const { shell, federation } = world;
      const { slug } = federation.task;
      const environment = {
        ...{ MLFLOW_TRACKING_URI: shell.url, MLFLOW_TRACKING_TOKEN: await tokenFor(world), SLUG: slug },
      };
      const printed = await runPython(python ?? "", SCRIPT, folder, environment);
      const facts = JSON.parse(printed.trim().split("\n").at(-1) ?? "") as Readonly<Record<string, unknown>>;
      const zip = must(await federation.coordinator.exports.ofVersion(slug, 1, "mlflow"));
      const onnx = present(unzipSync(zip.bytes)["model.onnx"], "an ONNX file");
      expect(facts).toEqual({
        ...{
          runs: 1,
          nested: 1,
          promoted: expect.stringMatching(/^(?:no error|INVALID_STATE)$/),
          predicted: 1,
        },
        onnx: createHash("sha256").update(onnx).digest("hex"),
        files: ["model", "rounds", "weights"],
        record: [world.overRoundId, 1],
        "own version": "INVALID_STATE",
        "own metric": "PERMISSION_DENIED",
        found: [slug],
        versions: ["1"],
      });
    } finally {
      await world.close();
      rmSync(folder, { recursive: true, force: true });
    }
  }, 300_000);
});

test("[L7] [G6] the champion does not move below a shut gate, and has moved after two people decided so", async () => {
  const world = await openWholeShell();
  try {
    const { federation } = world;
    const { slug } = federation.task;
    const { registry, tasks } = federation.coordinator;
    const gates = [{ kind: "cohort" as const, devicesMin: 100 }];
    must(await tasks.changeTaskSettings(slug, { promotion: { gates, promoteByItself: false } }, "ada"));
    const ask = await asking(world);
    const setChampion = () => ask("POST", { name: slug, alias: "champion", version: "1" });
    const champion = () => ask("GET", { name: slug, alias: "champion" });
    const durable = () => [federation.db.log.length, federation.db.leaves.length];

    const before = durable();
    const refused = await setChampion();
    expect(refused).toMatchObject([409, { error_code: "INVALID_STATE" }]);
    expect(refused[1]["message"]).toMatch(
      /^Version 1 is not put in use.*The smallest round of its run had 5 devices/,
    );
    expect(await champion()).toMatchObject([400, { error_code: "INVALID_PARAMETER_VALUE" }]);
    expect(durable()).toEqual(before);

    const desk = new AccessDesk(federation.ports);
    await desk.start(async () => err(wireError("UNAVAILABLE")), registry);
    must(await desk.setUp({ personId: "a".repeat(32), name: "ada", signsInWith: "password" }, "default"));
    const { token } = must(await desk.invite({ role: "admin" }, "", "ada"));
    must(await desk.useInvitation(token, { personId: "b".repeat(32), name: "bob", signsInWith: "passkey" }));
    const act = { type: "promote-despite-gates", task: slug, version: 1, expected: null } as const;
    const { proposalId } = must(await desk.propose(act, "A pilot with five devices.", "ada"));
    expect(await setChampion()).toMatchObject([409, { error_code: "INVALID_STATE" }]);
    must(await desk.agree(proposalId, "bob"));
    const moved = { version: "1", aliases: ["champion"] };
    expect(await champion()).toMatchObject([200, { model_version: moved }]);
    // What is so already may be said again.
    expect(await setChampion()).toEqual([200, {}]);
  } finally {
    await world.close();
  }
});

/** An admin's API token, as MLFLOW_TRACKING_TOKEN. */
async function tokenFor({ shell: { accessDesk } }: WholeShell): Promise<string> {
  const [admin] = accessDesk.book.admins();
  const asked = { label: "mlflow", scopes: ["read", "runs", "tasks"] as const, days: 1 };
  return must(await accessDesk.makeApiToken(present(admin, "an admin"), asked)).token;
}

/** Asks MLflow's endpoint of aliases. */
async function asking(world: WholeShell) {
  const address = `${world.shell.url}/api/2.0/mlflow/registered-models/alias`;
  const headers = { authorization: `Bearer ${await tokenFor(world)}`, "content-type": "application/json" };
  return async (method: "GET" | "POST", fields: Readonly<Record<string, string>>) => {
    const response =
      method === "GET"
        ? await fetch(`${address}?${new URLSearchParams(fields)}`, { headers })
        : await fetch(address, { method: "POST", headers, body: JSON.stringify(fields) });
    return [response.status, (await response.json()) as Readonly<Record<string, unknown>>] as const;
  };
}

function must<Value>(done: Result<Value, WireError>): Value {
  if (!done.ok) throw new Error(done.error.message);
  return done.value;
}
