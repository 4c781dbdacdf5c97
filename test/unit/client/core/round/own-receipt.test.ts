import { describe, expect, test } from "vitest";
import { MapCells } from "#client/adapters/map-cells.ts";
import type { Link } from "#client/core/ports.ts";
import { createLogMemory, ownReceipt } from "#client/core/round/own-receipt.ts";
import type { ContributionSummary } from "#client/core/view.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { err, ok } from "#shared/kernel/result.ts";
import { primitives } from "#shared/node/system.ts";
import { wireError } from "#shared/protocol/errors.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import { roundIdOf } from "#shared/secagg/attempt.ts";
import { agreedConfigOf, NO_LOG_KEY } from "#shared/task/agreed-config.ts";
import { logProofView } from "#shared/tlog/log-proof-view.ts";
import { SIGNATURE_TYPES, verifierKey } from "#shared/tlog/note.ts";
import { verifyInputReceipt } from "#shared/transcript/input-receipt.ts";
import { ManualClock } from "#test/kit/fakes/manual-clock.ts";
import { MemoryLog } from "#test/kit/tlog.ts";
import { sealInputs } from "#test/kit/worlds/sealed-inputs.ts";
import { smallTask } from "#test/kit/worlds/small-task.ts";

/* A device whose list is in a sum, and a coordinator whose log is what the test wants. */

const SID = "5d".repeat(32);
const RUN = "01".repeat(16);

async function receiptWorld() {
  const roundId = await roundIdOf(primitives, RUN, 4);
  const log = new MemoryLog(primitives);
  const session = { roundId, sid: SID };
  const { entry, own } = await sealInputs(primitives, log, session, { count: 3, ownIndex: 1 });
  const { root, survivorCount, proof } = own;
  const outcome = { kind: "committed", survivorCount, proof };
  const contribution = { runId: RUN, round: 4, sid: SID, root, outcome } as unknown as ContributionSummary;
  const authority = {
    projectId: "default",
    codeVersion: "test",
    issuerKey: "ab".repeat(32),
    logKey: bytesToHex(log.publicKey),
    logOrigin: log.origin,
  };
  const asked: string[] = [];
  const shown = { log };
  const fetchPart: Link["fetchPart"] = async (path) => {
    asked.push(path);
    const from = Number(new URL(path, "https://c.example").searchParams.get("from"));
    return ok(
      JSON.parse(JSON.stringify(logProofView(await shown.log.proof(from === 0 ? null : from, [entry])))),
    );
  };
  const contradictions: string[] = [];
  const context = {
    ports: {
      link: { fetchPart } as Link,
      logs: createLogMemory(new MapCells()),
      primitives,
      wall: new ManualClock(),
    },
    expectedConfig: await agreedConfigOf(primitives, smallTask(3), authority),
    onContradiction: (file: string) => void contradictions.push(file),
  };
  return { log, shown, context, contribution, contradictions, asked, roundId, logKey: authority.logKey };
}

async function seenOf(log: MemoryLog) {
  const { size, root } = await log.head();
  const [rootHex, key] = [bytesToHex(root) as HashHex, bytesToHex(log.publicKey) as HashHex];
  return { size, root: rootHex, key, checkpoint: await log.checkpoint() };
}

const grow = (log: MemoryLog, code: string) =>
  log.add("round.aborted", { roundId: "cd".repeat(16), code, opened: false });

describe("a device's receipt", () => {
  test("[A72] is fetched for its own round and session, holds offline, and moves nothing that the device remembers", async () => {
    const { log, context, contribution, asked, roundId, logKey } = await receiptWorld();
    const made = await ownReceipt(context, contribution);
    if (!made.ok) throw new Error(made.error.message);
    expect(asked).toEqual([`/api/v1/rounds/${roundId}/sealed-inputs?sid=${SID}&from=0`]);
    const key = await verifierKey(primitives, log.origin, SIGNATURE_TYPES.ed25519, log.publicKey);
    const held = await verifyInputReceipt(primitives, made.value.text, key);
    expect(held).toEqual({ ok: true, value: made.value.receipt });
    expect(made.value.receipt).toMatchObject({
      roundId,
      sid: SID,
      survivors: 3,
      inputRoot: contribution.root,
    });
    expect(await context.ports.logs.seen(logKey)).toBeNull();
    const seen = await seenOf(log);
    await context.ports.logs.see(logKey, null, seen);
    await grow(log, "TIMEOUT");
    expect((await ownReceipt(context, contribution)).ok).toBe(true);
    expect(asked[1]).toMatch(/from=1$/);
    expect(await context.ports.logs.seen(logKey)).toEqual(seen);
  });

  test("[A72] is refused by a log that does not go on from the one that was seen, and the evidence is kept", async () => {
    const { log, shown, context, contribution, contradictions, logKey } = await receiptWorld();
    const forked = log.fork();
    await grow(log, "TIMEOUT");
    await context.ports.logs.see(logKey, null, await seenOf(log));
    await grow(forked, "STOPPED");
    shown.log = forked;
    expect(await ownReceipt(context, contribution)).toMatchObject({ error: { code: "LOG_CONTRADICTED" } });
    expect(contradictions).toHaveLength(1);
    expect(await context.ports.logs.evidence(logKey)).toBe(contradictions[0]);
    expect(await context.ports.logs.seen(logKey)).toMatchObject({ size: 2 });
  });

  test("[A72] is refused if the entry is under another root than the device was told", async () => {
    const { context, contribution } = await receiptWorld();
    const other = { ...contribution, root: "07".repeat(32) };
    expect(await ownReceipt(context, other)).toMatchObject({ error: { code: "NOT_LOGGED" } });
  });

  test.each([
    null,
    {},
    { leaves: [] },
    "constructor",
    { checkpoint: "", consistency: ["*"], leaves: [], rotations: [] },
  ])("[A72] is refused with an answer that is none: %j", async (answer) => {
    const { context, contribution } = await receiptWorld();
    const link = { fetchPart: async () => ok(answer) } as unknown as Link;
    const ports = { ...context.ports, link };
    expect(await ownReceipt({ ...context, ports }, contribution)).toMatchObject({
      error: { code: "BAD_MESSAGE" },
    });
  });

  test("[A72] is not asked for without a log, or for a round that the list is not in; what the coordinator says is said", async () => {
    const { context, contribution, asked } = await receiptWorld();
    const { logOrigin: _, ...without } = context.expectedConfig;
    const unlogged = {
      ...context,
      expectedConfig: { ...without, logKey: NO_LOG_KEY as typeof without.logKey },
    };
    expect(await ownReceipt(unlogged, contribution)).toMatchObject({ error: { code: "STATE" } });
    const dropped = { ...contribution, outcome: null };
    expect(await ownReceipt(context, dropped)).toMatchObject({ error: { code: "STATE" } });
    expect(asked).toEqual([]);
    const refused = { type: "refused", error: wireError("NOT_FOUND") } as const;
    const answering = (error: typeof refused | { readonly type: "offline" }) => ({
      ...context,
      ports: { ...context.ports, link: { fetchPart: async () => err(error) } as unknown as Link },
    });
    expect(await ownReceipt(answering(refused), contribution)).toMatchObject({
      error: { code: "NOT_FOUND" },
    });
    expect(await ownReceipt(answering({ type: "offline" }), contribution)).toMatchObject({
      error: { code: "UNAVAILABLE" },
    });
  });
});
