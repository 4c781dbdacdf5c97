import { createHash } from "node:crypto";
import { unzipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { taskSlice } from "#client/index.ts";
import { zipStream } from "#coordinator/adapters/zip-stream.ts";
import type { Coordinator } from "#coordinator/core/coordinator.ts";
import { AssessorDesk } from "#coordinator/core/desks/assessor-file.ts";
import type { AssessorProof } from "#coordinator/core/desks/assessor-proof.ts";
import { LogDesk } from "#coordinator/core/desks/log-desk.ts";
import { auditBundle, parseBundle } from "#shared/audit/bundle.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { hexToBytes } from "#shared/kernel/bytes.ts";
import { err, type Result } from "#shared/kernel/result.ts";
import { consentText, consentWords } from "#shared/model/consent-words.ts";
import { primitives } from "#shared/node/system.ts";
import { roundDetailSchema } from "#shared/protocol/api.ts";
import { modelVersionSchema } from "#shared/protocol/registry.ts";
import { taskSchema } from "#shared/task/task.ts";
import { verifyLogProof } from "#shared/tlog/log-proof.ts";
import { MemoryPublicLog } from "#test/kit/fakes/memory-public-log.ts";
import { nodeDigest } from "#test/kit/worlds/audited-round.ts";
import { must, openPromotions, type PromotionWorld } from "#test/kit/worlds/promotions.ts";

/* One model version as a file for an assessor, opened and held against the database. */

interface Manifest {
  readonly of: unknown;
  readonly files: readonly { readonly path: string; readonly byteCount: number; readonly sha256: string }[];
}

async function opened(
  { coordinator }: { readonly coordinator: Pick<Coordinator, "assessor"> },
  slug: string,
  version: number,
) {
  const { name, files } = must(await coordinator.assessor.assessorFile(slug, version));
  const bytes = new Uint8Array(await new Response(zipStream(files)).arrayBuffer());
  return { name, bytes, files: unzipSync(bytes) };
}
const asResult = <Value>(
  done: Result<Value, { readonly type: string }>,
): Result<Value, { message: string }> => (done.ok ? done : err({ message: done.error.type }));
const json = (bytes: Uint8Array | undefined) => JSON.parse(new TextDecoder().decode(bytes));

/** A run of two rounds, and one of two that begins with its first model. Version 3 passed a shut gate. */
async function assessed(): Promise<PromotionWorld & { readonly runIds: readonly string[] }> {
  const world = await openPromotions(false);
  const { federation, slug } = world;
  world.accuracy = 0.3;
  const first = await federation.launch(2);
  await federation.ended(first);
  const { runId: second } = must(
    await federation.coordinator.runs.launch({ task: slug, rounds: 2, seed: 8, beginWith: 1 }, "ada"),
  );
  await federation.ended(second);
  const act = { type: "promote-despite-gates", task: slug, version: 3, expected: null } as const;
  const marks = async () => [null, null] as const;
  const decision = { proposalId: "d".repeat(32), reason: "The pilot ends today", proposedBy: "eve", marks };
  must(await federation.coordinator.registry.promoteDespiteGates({ act, ...decision, actor: "ada" }));
  must(await federation.coordinator.heldOut.removeHeldOut(slug, "ada"));
  await federation.inFlight.settle();
  return { ...world, runIds: [first, second] };
}

describe("[A85] the file for an assessor", () => {
  test("has what the database has, each part named by its hash, and the same bytes each time", async () => {
    const { federation, slug, runIds } = await assessed();
    const { name, bytes, files } = await opened(federation, slug, 3);
    expect(name).toBe(`${slug}-v3-assessment`);
    const manifest: Manifest = json(files["manifest.json"]);
    const model = modelVersionSchema.parse(json(files["model.json"]));
    expect(manifest.of).toEqual({ task: slug, version: 3, modelHash: model.modelHash });
    expect(manifest.files.map(({ path }) => path)).toEqual(
      Object.keys(files).filter((path) => path !== "manifest.json"),
    );
    for (const { path, byteCount, sha256 } of manifest.files) {
      const content = present(files[path], path);
      expect([path, content.length]).toEqual([path, byteCount]);
      expect([path, createHash("sha256").update(content).digest("hex")]).toEqual([path, sha256]);
    }
    // Against the rows of the database.
    const row = federation.db.versions.find(({ modelHash }) => modelHash === model.modelHash);
    expect(row).toMatchObject({ runId: runIds[1], round: 1, parentHash: model.parentModelHash });
    expect(taskSchema.parse(json(files["task.json"]).task)).toEqual(federation.task);
    const rounds = Object.keys(files).filter((path) => /rounds\/\d+\.json$/.test(path));
    // Version 3 is the first model of the second run, which began with the first model of the first.
    expect(rounds).toEqual(["runs/run2/rounds/00001.json", "runs/run1/rounds/00001.json"]);
    for (const [path, runId] of [
      ["runs/run2/rounds/00001.json", runIds[1]],
      ["runs/run1/rounds/00001.json", runIds[0]],
    ] as const) {
      const detail = roundDetailSchema.parse(json(files[path]));
      const made = federation.db.versions.find((one) => one.runId === runId && one.round === 1);
      expect(detail.modelHash).toBe(made?.modelHash);
      expect(json(files[path.replace(".json", ".log.json")]).length).toBeGreaterThan(5);
    }
    expect((await opened(federation, slug, 3)).bytes).toEqual(bytes);
  });

  test("has overrides with reason and what the gates said, log entries, and what was deleted", async () => {
    const { federation, slug } = await assessed();
    const { files } = await opened(federation, slug, 3);
    const gates = json(files["gates.json"]);
    expect(gates.overrides).toMatchObject([
      {
        type: "promoted-despite-gates",
        to: 3,
        reason: "The pilot ends today",
        proposedBy: "eve",
        actor: "ada",
      },
    ]);
    expect(gates.overrides[0].gates.map(({ kind }: { kind: string }) => kind).sort()).toEqual([
      "cohort",
      "measure",
    ]);
    const leaves = federation.db.leaves.map((leaf, index) => ({ sequence: index + 1, ...leaf }));
    const entries: { sequence: number; kind: string; body: unknown }[] = json(files["log/entries.json"]);
    for (const { sequence, kind, body } of entries)
      expect(leaves[sequence - 1]).toMatchObject({ kind, body });
    const kinds = entries.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "round.opened")).toHaveLength(2);
    expect(kinds).toContain("model.promotedDespiteGates");
    const { ofTheTask } = json(files["log/deletions.json"]);
    expect(ofTheTask).toMatchObject([{ body: { what: "held-out-rows", slug } }]);
    // Nothing of a device.
    for (const device of federation.devices)
      for (const content of Object.values(files))
        expect(new TextDecoder("latin1").decode(content)).not.toContain(device.identity);
    // A version that nobody decided about has none, and one that is not there has no file.
    expect(json((await opened(federation, slug, 4)).files["gates.json"]).overrides).toEqual([]);
    for (const [task, version] of [
      [slug, 99],
      ["__proto__", 1],
      ["nobody", 1],
    ] as const)
      expect(await federation.coordinator.assessor.assessorFile(task, version)).toMatchObject({
        error: { code: "NOT_FOUND" },
      });
  });

  test("proves its entries by the public log, and a changed entry is refused", async () => {
    const { federation, slug } = await assessed();
    const publicLog = new MemoryPublicLog(primitives, federation.db);
    await publicLog.covers(0);
    const assessor = new AssessorDesk({ ...federation.ports, publicLog }, federation.coordinator);
    const { files } = await opened({ coordinator: { assessor } }, slug, 3);
    const proof: AssessorProof = json(files["log/proof.json"]);
    const entries: { sequence: number; kind: string }[] = json(files["log/entries.json"]);
    expect(proof.leaves.map(({ index }) => index + 1)).toEqual(entries.map(({ sequence }) => sequence));
    const leavesOf = (views: AssessorProof["leaves"]) =>
      views.map(({ index, leaf, path }) => ({ index, leaf: hexToBytes(leaf), path: path.map(hexToBytes) }));
    const verified = (leaves: AssessorProof["leaves"]) =>
      verifyLogProof(
        primitives,
        {
          checkpoint: proof.checkpoint,
          consistency: [],
          leaves: leavesOf(leaves),
          rotations: leavesOf(proof.rotations),
        },
        { origin: proof.origin, key: hexToBytes(proof.publicKey), seen: null },
      );
    const good = must(asResult(await verified(proof.leaves)));
    expect(good.leaves.map(({ kind }) => kind)).toEqual(entries.map(({ kind }) => kind));
    const [first] = proof.leaves;
    const changed = {
      ...present(first, "an entry"),
      leaf: present(first, "an entry").leaf.replace("7b", "7c"),
    };
    expect((await verified([changed])).ok).toBe(false);
  });

  test("[A113] has the audit of each round, which anyone makes again offline, and a changed bundle is refused", async () => {
    const { federation, slug } = await assessed();
    const publicLog = new MemoryPublicLog(primitives, federation.db);
    await publicLog.covers(0);
    const auditLog = new LogDesk(federation.ports, publicLog, federation.ports.store);
    const assessor = new AssessorDesk(
      { ...federation.ports, publicLog },
      { ...federation.coordinator, auditLog },
    );
    const { files, bytes } = await opened({ coordinator: { assessor } }, slug, 3);
    const bundles = Object.keys(files).filter((path) => path.endsWith(".bundle"));
    expect(bundles).toEqual(["runs/run2/rounds/00001.bundle", "runs/run1/rounds/00001.bundle"]);
    const verdictsOf = async (value: unknown) => {
      const bundle = parseBundle(value);
      assert(bundle.ok, "the file is a bundle");
      const audited = await auditBundle(primitives, nodeDigest, bundle.value, publicLog.key.publicKey);
      assert(audited.ok, "the file is whole");
      return audited.value.statements;
    };
    for (const path of bundles) {
      const value = json(files[path]);
      const statements = await verdictsOf(value);
      expect(json(files[path.replace(".bundle", ".audit.json")])).toEqual(statements);
      const said = Object.fromEntries(statements.map(({ id, verdict }) => [id, verdict]));
      expect(said).toMatchObject({
        launched: "checked",
        opened: "checked",
        inputs: "checked",
        version: "checked",
      });
      expect(Object.values(said)).not.toContain("contradicted");
      for (const record of value.rounds) record.modelHash = "ab".repeat(32);
      expect((await verdictsOf(value)).find(({ id }) => id === "version")?.verdict).toBe("contradicted");
    }
    expect((await opened({ coordinator: { assessor } }, slug, 3)).bytes).toEqual(bytes);
  });

  test("[A113] has the sentences that the page shows, as the page itself makes them, and the page's hash", async () => {
    const { federation, slug } = await assessed();
    const { files } = await opened(federation, slug, 3);
    const slice = taskSlice(federation.task, "0".repeat(64), "");
    // Nobody keeps a log here.
    expect(json(files["consent.json"]).shown).toBe(consentText(consentWords(slice, false)));
    expect(json(files["consent.json"]).shown).toContain(`takes part in ${slug}, version 1.`);
    expect(json(files["code.json"]).code).toEqual(federation.ports.code);
  });
});
