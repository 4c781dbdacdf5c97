import { createHash } from "node:crypto";
import { openExporter } from "#coordinator/adapters/exporter.ts";
import { ACCESS_ROW_SCHEMAS, type AccessRowKind } from "#coordinator/core/access/rows.ts";
import type { Coordinator } from "#coordinator/core/coordinator.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import type { Result } from "#shared/kernel/result.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import type { MaskedInput, MemoryDevice } from "../devices/memory-device.ts";
import { ManualClock } from "../fakes/manual-clock.ts";
import { memoryBlobs, memorySpool } from "../fakes/memory-files.ts";
import { memoryStore } from "../fakes/memory-store.ts";
import { type Account, openAccounts, openThings, type ThingIds } from "./accounts.ts";
import { Federation } from "./federation.ts";
import { openShell, type Shell } from "./shell.ts";

/*
 * The real doors in front of the real core: one task, one run that is over, and one whose round waits for the input of
 * one device. Time stands still for the core and passes for the limits of the doors. Everybody who can ask over HTTP has an
 * account there, and nobody else may more than anyone.
 */

const DEVICES = 5;
const PHASE_MS = 3_600_000;
const PROJECT = "default";
const ACCESS_ROW_KINDS = Object.keys(ACCESS_ROW_SCHEMAS) as AccessRowKind[];

export interface WholeShell {
  readonly shell: Shell;
  readonly federation: Federation;
  /** Belongs to the round that is open and holds back its input. */
  readonly device: MemoryDevice;
  readonly input: MaskedInput;
  readonly overRunId: string;
  readonly openRunId: string;
  readonly overRoundId: string;
  readonly overSid: string;
  readonly modelHash: string;
  readonly projectId: string;
  readonly joining: "public" | "invitation";
  readonly accounts: readonly Account[];
  readonly things: ThingIds;
  /** Values that good requests of MLflow's clients have, by their names. */
  readonly tracked: Readonly<Record<string, string>>;
  /** Makes a request that account's, as `Account.headers`. */
  headersOf(account: string): ReturnType<Account["headers"]>;
  /** Hash of everything durable except sessions: database, models, uploads, people and tokens. */
  digest(): string;
  /** Lets the limits of the doors recover, and those of the core a little. */
  rest(): void;
  close(): Promise<void>;
}

export async function openWholeShell(joining: WholeShell["joining"] = "public"): Promise<WholeShell> {
  const primitives = await selectPrimitives(globalThis.crypto.subtle);
  const auditorSecret = new Uint8Array(32).fill(5);
  const keeping = { rounds: 1, auditorKey: await primitives.x25519PublicKey(auditorSecret) };
  const phases = ["recruiting", "training", "sharing", "collecting", "confirming", "unmasking", "grace"];
  const deadlines = Object.fromEntries(phases.map((phase) => [`${phase}Ms`, PHASE_MS]));
  const exporter = openExporter();
  const federation = await Federation.create({
    devices: DEVICES,
    keeping,
    ports: { exporter },
    task: { deadlines: deadlines as Federation["task"]["aggregation"]["deadlines"] },
  });
  federation.connectAll();
  const overRunId = await federation.launch(1);
  await federation.ended(overRunId);
  const over = present((await federation.rounds(overRunId))[0], "a round that is over");
  const device = present(federation.devices[0], "a device");
  let input: MaskedInput | null = null;
  device.keepsInput = (kept) => {
    input = kept;
  };
  const openRunId = await federation.launch(1, 8);
  await federation.until(() => input !== null, "its input");
  await federation.inFlight.settle();
  const clock = new ManualClock();
  const { coordinator, db, disk, task } = federation;
  if (joining === "invitation") await coordinator.tasks.changeTaskSettings(task.slug, { joining }, "ada");
  const shell = await openShell({
    clock,
    keeping,
    inner: {
      ...coordinator,
      store: memoryStore(db),
      blobs: memoryBlobs(disk),
      spool: memorySpool(disk, primitives),
    },
  });
  shell.asker = null;
  const of = { parts: shell.parts, clock, projectId: PROJECT, task: task.slug, auditorSecret };
  const accounts = await openAccounts(of);
  const things = await openThings(of);
  const tracked = await trackSomething(coordinator.tracking);
  return {
    things,
    tracked,
    projectId: PROJECT,
    joining,
    accounts,
    headersOf: (name) =>
      present(
        accounts.find((account) => account.name === name),
        name,
      ).headers(),
    shell,
    federation,
    device,
    input: present<MaskedInput>(input, "its input"),
    overRunId,
    openRunId,
    overRoundId: over.roundId,
    overSid: present(over.sid, "its session"),
    modelHash: present(over.modelHash, "its model"),
    digest: () =>
      digestOf({ db, disk, access: ACCESS_ROW_KINDS.map((kind) => shell.accessDesk.book.list(kind)) }),
    rest: () => {
      clock.advance(60_000);
      federation.clock.advance(100);
    },
    close: async () => {
      await shell.close();
      await exporter.close();
    },
  };
}

/** An experiment with a run and a file, a registered model with a version, and a logged model. */
async function trackSomething(tracking: Coordinator["tracking"]): Promise<WholeShell["tracked"]> {
  const value = <Value>(result: Result<Value, WireError>): Value => {
    assert(result.ok, "a good request");
    return result.value;
  };
  const tags = [{ key: "sample", value: "1" }];
  const experiment = { name: "tracked", artifactLocation: "", tags };
  const experimentId = value(await tracking.experiments.create(PROJECT, experiment));
  const asked = { experimentId, name: "first", userId: "ada", startTime: 1, tags };
  const { run } = value(await tracking.runs.create(PROJECT, asked));
  const deleted = value(await tracking.runs.create(PROJECT, asked)).run.runId;
  value(await tracking.runs.setDeleted(PROJECT, deleted, true));
  const path = `${experimentId}/${run.runId}/artifacts/a.txt`;
  value(await tracking.artifacts.put(PROJECT, path, [new TextEncoder().encode("a")] as never, 1));
  const named = { experimentId, name: "model", modelType: "", sourceRunId: run.runId, params: [], tags };
  const model = value(await tracking.loggedModels.create(PROJECT, named));
  const name = "registered";
  value(await tracking.models.create(PROJECT, { name, description: "", tags }));
  const version = {
    name,
    source: `models:/${model.modelId}`,
    runId: "",
    runLink: "",
    description: "",
    modelId: "",
  };
  value(await tracking.versions.create(PROJECT, { ...version, tags, userId: "ada" }));
  const mover = { actor: "ada", mayNameOwn: false };
  value(await tracking.models.setAlias(PROJECT, name, { alias: "sample", version: "1", ...mover }));
  return {
    experiment_id: experimentId,
    experiment_name: experiment.name,
    run_id: run.runId,
    run_uuid: run.runId,
    deleted,
    model_id: model.modelId,
    name,
    version: "1",
    alias: "sample",
    key: "sample",
    tag_key: "sample",
    metric_key: "sample",
    source: version.source,
    artifactPath: path,
    path: "",
  };
}

function digestOf(state: unknown): string {
  const hash = createHash("sha256");
  const plain = (_key: string, value: unknown) => {
    if (value instanceof Map) return [...value];
    if (value instanceof Uint8Array) return createHash("sha256").update(value).digest("hex");
    return value;
  };
  return hash.update(JSON.stringify(state, plain)).digest("hex");
}
