import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { taskSchema } from "#shared/task/task.ts";
import type { KilledDeviceOrder, LedgerLine } from "../../../kit/children/killed-device.ts";
import { until } from "../../../kit/worlds/coordinator-process.ts";
import { contradictions, HEARD, isGuarded, SENDS, WRITES } from "../../../kit/worlds/lives.ts";
import {
  openProcessFederation,
  type ProcessFederation,
  pictureTask,
} from "../../../kit/worlds/process-federation.ts";

/*
 * Edges that are killed between any two messages and at each write, and come back on the same state folder with only
 * what was synced, as after a power cut. PROTOCOL.md section 6, R0 to R4.
 */

const STABLE = 12;
const VICTIMS = 10;
/**
 * So long that nothing should wait for a deadline: a device that does not come back would delay its round noticeably.
 */
const PHASE_MS = 60_000;
const POINTS = [
  ...WRITES.flatMap((kind) => ["append", "torn", "unsynced", "synced"].map((how) => `${how} ${kind}`)),
  ...SENDS.flatMap((type) => [`send ${type}`, `sent ${type}`]),
  ...HEARD.map((type) => `hear ${type}`),
];
const SCRIPT = fileURLToPath(new URL("../../../kit/children/killed-device.ts", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "chorus-edge-kill-"));
const task = taskFor(STABLE + VICTIMS);
const children = new Set<ChildProcess>();
let federation: ProcessFederation;

/** Many edges may leave at once, so the others must be enough by themselves: t is 12 of 22. */
function taskFor(count: number) {
  const plain = pictureTask(count, 2);
  const { aggregation } = plain;
  const deadlines = Object.fromEntries(Object.keys(aggregation.deadlines).map((phase) => [phase, PHASE_MS]));
  return taskSchema.parse({
    ...plain,
    aggregation: { ...aggregation, securityModel: "honest-but-curious", deadlines },
  });
}

beforeAll(async () => {
  federation = await openProcessFederation(task, [STABLE]);
  federation.devices[0]?.send({ type: "start", held: false });
});
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await federation?.close();
  rmSync(scratch, { recursive: true, force: true });
});

/** One device through all its lives. */
class Victim {
  readonly folder: string;
  readonly ledgerPath: string;
  readonly points: string[];
  readonly outcomes: { readonly runId: string; readonly outcome: string }[] = [];
  readonly #seed: number;
  readonly #fault: KilledDeviceOrder["fault"];
  #child: ChildProcess | null = null;

  constructor(
    name: string,
    seed: number,
    points: readonly string[],
    fault: KilledDeviceOrder["fault"] = null,
  ) {
    this.folder = join(scratch, name);
    this.ledgerPath = `${this.folder}.jsonl`;
    this.points = [...points];
    this.#seed = seed;
    this.#fault = fault;
    writeFileSync(this.ledgerPath, "");
  }

  /** @param spentRunId  The run in which the last life died; the device may be told about it again. */
  async live(killAt: string | null, spentRunId: string | null): Promise<void> {
    const { url, joinToken } = federation;
    const order: KilledDeviceOrder = {
      url,
      slug: task.slug,
      joinToken,
      seed: this.#seed,
      stateFolder: this.folder,
      ledgerPath: this.ledgerPath,
      killAt,
      spentRunId,
      fault: this.#fault,
    };
    const child = fork(SCRIPT, [JSON.stringify(order)], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    children.add(child);
    child.once("exit", () => children.delete(child));
    child.on("message", (message) => {
      if (typeof message === "object") this.outcomes.push(message as (typeof this.outcomes)[number]);
    });
    this.#child = child;
    const ended = once(child, "exit").then(([code]) => {
      throw new Error(`${this.folder} ended with ${String(code)} before it had started`);
    });
    ended.catch(() => {});
    await Promise.race([once(child, "message"), ended]);
  }

  /** Resolves when it has killed itself. */
  async killed(): Promise<void> {
    const child = this.#child as ChildProcess;
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    expect(child.signalCode).toBe("SIGKILL");
  }

  /** Like `killed`, and cuts off what was not synced. */
  async dead(): Promise<void> {
    await this.killed();
    const last = this.ledger().at(-1);
    if (last?.at !== "died") throw new Error(`${this.folder} died without saying where`);
    const journal = join(this.folder, "memory.jsonl");
    if (existsSync(journal)) truncateSync(journal, last.syncedByteCount);
  }

  async end(): Promise<void> {
    const child = this.#child as ChildProcess;
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  ledger(): LedgerLine[] {
    return readFileSync(this.ledgerPath, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as LedgerLine);
  }

  /** The first bytes of the journal as cells. */
  cellsAt(byteCount: number): Map<string, string> {
    const text = readFileSync(join(this.folder, "memory.jsonl")).subarray(0, byteCount).toString("utf8");
    const lines = text
      .slice(0, text.lastIndexOf("\n") + 1)
      .split("\n")
      .filter(Boolean);
    const changes = lines.flatMap((line) => JSON.parse(line) as { key: string; after: string }[]);
    return new Map(changes.map(({ key, after }) => [key, after]));
  }
}

/**
 * Messages that were sent before their write was durable. The ledger's models come from the invitations before them.
 */
function unguarded(victim: Victim): string[] {
  const found: string[] = [];
  let invite: Extract<LedgerLine, { at: "invite" }> | null = null;
  for (const line of victim.ledger()) {
    if (line.at === "invite") invite = line;
    if (line.at !== "send" || invite === null) continue;
    const cells = victim.cellsAt(line.syncedByteCount);
    const guarded = isGuarded(line, invite, task.slug, (key) => cells.get(key));
    if (guarded === false) found.push(`${line.type} of ${line.of}`);
  }
  return found;
}

async function launch(seed: number): Promise<string> {
  const { runId } = await federation.api.launch({ task: task.slug, rounds: 1, seed });
  return runId;
}
const ended = (runId: string) =>
  until(
    `the end of run ${runId}`,
    240_000,
    async () => (await federation.api.run(runId)).state === "completed",
  );

describe("an edge that is killed", () => {
  test("[S10] at each write and between any two messages never contradicts itself, and takes part again", async () => {
    const victims = Array.from(
      { length: VICTIMS },
      (_, index) =>
        new Victim(
          `victim-${index}`,
          100 + index,
          POINTS.filter((_, at) => at % VICTIMS === index),
        ),
    );
    let spent: string | null = null;
    const turns = Math.max(...victims.map(({ points }) => points.length));
    for (let turn = 0; turn < turns; turn++) {
      const before = spent;
      await Promise.all(victims.map((victim) => victim.live(victim.points[turn] ?? null, before)));
      const runId = await launch(turn + 1);
      spent = runId;
      await Promise.all(
        victims.map(async (victim) => {
          if (victim.points[turn] === undefined) return;
          await victim.dead();
          // Return at once, while the round goes on: the device must not answer what it is told about that round.
          await victim.live(null, runId);
        }),
      );
      await ended(runId);
      const [round] = await federation.api.rounds(runId);
      expect(round).toMatchObject({ phase: "committed", attempt: 1 });
      await Promise.all(victims.map((victim) => victim.end()));
    }
    const died = victims.flatMap((victim) =>
      victim.ledger().flatMap((line) => (line.at === "died" ? [line.point] : [])),
    );
    expect(died.sort()).toEqual([...POINTS].sort());
    for (const victim of victims) {
      expect(unguarded(victim)).toEqual([]);
      expect(contradictions(victim.ledger())).toEqual([]);
    }

    // Nobody has lost more than one round.
    await Promise.all(victims.map((victim) => victim.live(null, null)));
    const last = await launch(99);
    await ended(last);
    const [round] = await federation.api.rounds(last);
    expect(round?.survivors).toBe(STABLE + VICTIMS);
    for (const victim of victims) {
      await until("its outcome", 60_000, async () => victim.outcomes.some(({ runId }) => runId === last));
      expect(victim.outcomes.at(-1)).toEqual({ runId: last, outcome: "committed" });
      expect(unguarded(victim)).toEqual([]);
    }
    await Promise.all(victims.map((victim) => victim.end()));
  });

  test("[S10] is detected only if its memory writes later or never syncs (positive control)", async () => {
    const faulty = (["writes-later", "no-sync"] as const).flatMap((fault) =>
      SENDS.filter((type) => type !== "share").map(
        (type, index) => new Victim(`${fault}-${index}`, 200 + index, [`send ${type}`], fault),
      ),
    );
    const sound = [0, 1].map((index) => new Victim(`sound-${index}`, 300 + index, ["send unmask"]));
    const victims = [...faulty, ...sound];
    expect(victims).toHaveLength(VICTIMS);
    await Promise.all(victims.map((victim) => victim.live(victim.points[0] ?? null, null)));
    const runId = await launch(200);
    await Promise.all(victims.map((victim) => victim.killed()));
    for (const victim of faulty)
      expect([victim.folder, unguarded(victim).length > 0]).toEqual([victim.folder, true]);
    for (const victim of sound) expect(unguarded(victim)).toEqual([]);
    await ended(runId);
  });
});
