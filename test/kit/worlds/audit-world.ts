import type { BrowserContext, Route } from "playwright";
import { openPages } from "#coordinator/adapters/http/pages.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import type { RoundDetail } from "#shared/protocol/api.ts";
import { hashHexSchema } from "#shared/protocol/ids.ts";
import type { LogStateView, LogView } from "#shared/protocol/log-api.ts";
import { encodeLeaf } from "#shared/tlog/leaf.ts";
import { memoryBlobs, memorySpool } from "../fakes/memory-files.ts";
import { memoryStore } from "../fakes/memory-store.ts";
import { seededRandom } from "../secagg-fixtures.ts";
import { MemoryLog } from "../tlog.ts";
import { auditedFederation } from "./audited-round.ts";
import { openShell, type Shell } from "./shell.ts";

/*
 * The real pages and API over a federation in memory whose round was kept, and its log as whoever serves it likes: the test
 * answers what is under /log.
 */

export interface AuditWorld {
  readonly primitives: Primitives;
  readonly shell: Shell;
  /** Of the run's second round. */
  readonly round: RoundDetail;
  readonly log: MemoryLog;
  /** From now on a browser is served this log. */
  serve(log: MemoryLog): void;
  /** Lets a browser see the log that is served. */
  attach(context: BrowserContext): Promise<void>;
  close(): Promise<void>;
}

export async function openAuditWorld(): Promise<AuditWorld> {
  const primitives = await selectPrimitives(globalThis.crypto.subtle);
  const auditorKey = await primitives.x25519PublicKey(seededRandom("auditor")(32));
  const { federation, rounds } = await auditedFederation(auditorKey);
  const { coordinator, db, disk } = federation;
  const log = new MemoryLog(primitives);
  await log.addBytes(...db.leaves.map(({ kind, at, body }) => encodeLeaf(kind, at, body)));
  const round = rounds[1];
  if (round === undefined) throw new Error("the run has two rounds");
  const pages = await openPages({ dev: false, port: 0 });
  const shell = await openShell({
    pages,
    inner: {
      ...coordinator,
      store: memoryStore(db),
      blobs: memoryBlobs(disk),
      spool: memorySpool(disk, primitives),
    },
  });
  let served = log;
  const answer = async (route: Route) => {
    const path = new URL(route.request().url()).pathname;
    if (path === "/api/v1/log") return route.fulfill({ json: viewOf(served) });
    if (path === "/api/v1/log/state") return route.fulfill({ json: stateOf(served) });
    if (path === "/api/v1/log/entries") return route.fulfill({ json: entriesOf(served) });
    const name = path.slice("/log/".length);
    const bytes = name === "checkpoint" ? Buffer.from(await served.checkpoint()) : served.files.get(name);
    return bytes === undefined
      ? route.fulfill({ status: 404, body: "" })
      : route.fulfill({ body: Buffer.from(bytes), contentType: "application/octet-stream" });
  };
  return {
    primitives,
    shell,
    round,
    log,
    serve: (next) => {
      served = next;
    },
    attach: async (context) => {
      await context.route("**/log/**", answer);
      await context.route("**/api/v1/log", answer);
      await context.route("**/api/v1/log/entries**", answer);
    },
    close: () => shell.close(),
  };
}

function viewOf(log: MemoryLog): LogView {
  const { origin, publicKey, leaves } = log;
  return {
    origin,
    key: hashHexSchema.parse(bytesToHex(publicKey)),
    verifierKey: `${origin}+00000000+key`,
    size: leaves.length,
    witnesses: [],
    witnessStates: [],
    rotations: [],
  };
}

function stateOf({ leaves }: MemoryLog): LogStateView {
  return { state: "signing", size: leaves.length, checkpointAgeMs: 1_000, sentence: null };
}

/** All entries, newest first. */
function entriesOf(log: MemoryLog) {
  const items = log.leaves.map((leaf, index) => {
    const { kind, at } = JSON.parse(new TextDecoder().decode(leaf)) as { kind: string; at: number | null };
    return { index, kind, at, actor: null, place: null };
  });
  return { items: items.toReversed(), next: null };
}
