import { createHash } from "node:crypto";
import { appendFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { type JournalCells, openJournalCells } from "#client/adapters/journal-cells.ts";
import { platformRandom } from "#client/adapters/platform-ports.ts";
import { openStateFolder } from "#client/adapters/state-folder.ts";
import type { Cells } from "#client/core/memory.ts";
import type { Link } from "#client/core/ports.ts";
import type { Status, TaskView } from "#shared/protocol/api.ts";
import { encodeFrame } from "#shared/protocol/frame.ts";
import type { CoordinatorMessage } from "#shared/protocol/messages/coordinator.ts";
import type { DeviceMessage } from "#shared/protocol/messages/device.ts";
import { openTestDevice } from "../devices/device.ts";
import type { InviteLine, SendLine } from "../worlds/lives.ts";

/*
 * One edge device that ends itself with SIGKILL at one point of a round: before, during or after a write; before or
 * after a message leaves; or when one arrives. State folder, journal, link and client core are the product's; the
 * training is made up. Everything it is about to send first goes into a ledger, with the number of journal bytes synced
 * by then, so that the test sees what a power cut would have left.
 */

export interface KilledDeviceOrder {
  readonly url: string;
  readonly slug: string;
  readonly joinToken: string;
  readonly seed: number;
  readonly stateFolder: string;
  readonly ledgerPath: string;
  /** Null: it lives on. Counts only in a run other than `spentRunId`. */
  readonly killAt: string | null;
  readonly spentRunId: string | null;
  /** Faults for the positive controls: the memory confirms before it has written, or never syncs. */
  readonly fault: "writes-later" | "no-sync" | null;
}

/** A line of the ledger; `syncedByteCount` counts bytes of the journal. */
export type LedgerLine =
  | { readonly at: "life"; readonly killAt: string | null }
  | InviteLine
  | { readonly at: "died"; readonly point: string; readonly syncedByteCount: number }
  | (SendLine & { readonly syncedByteCount: number });

const order = JSON.parse(process.argv[2] ?? "") as KilledDeviceOrder;
const { ledgerPath, killAt, fault } = order;
const JOURNAL = "memory.jsonl";
let armed = false;
let syncedByteCount = 0;
const note = (line: LedgerLine) => appendFileSync(ledgerPath, `${JSON.stringify(line)}\n`);

function reach(point: string): void {
  if (!armed || point !== killAt) return;
  note({ at: "died", point, syncedByteCount });
  process.kill(process.pid, "SIGKILL");
  // The signal is on its way; nothing more may happen.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** Cuts into the journal's own calls: before a line, half a line appended, appended but not synced, synced. */
async function watchJournal(folder: string): Promise<void> {
  const probe = await open(join(folder, JOURNAL), "a");
  const handles = Object.getPrototypeOf(probe) as FileHandle;
  await probe.close();
  const { appendFile, datasync, sync } = handles;
  let kind = "";
  handles.appendFile = async function (this: FileHandle, line, ...rest) {
    kind = /"(mark|used|ballot|revealed)\//.exec(String(line))?.[1] ?? "";
    reach(`append ${kind}`);
    if (armed && killAt === `torn ${kind}`) {
      await appendFile.call(this, Buffer.from(line as Uint8Array).subarray(0, 9));
      reach(`torn ${kind}`);
    }
    await appendFile.call(this, line, ...rest);
  };
  const counted = async (file: FileHandle) => {
    const stats = await file.stat();
    // Folders are synced as well.
    if (stats.isFile()) syncedByteCount = stats.size;
  };
  handles.sync = async function (this: FileHandle) {
    await sync.call(this);
    await counted(this);
  };
  handles.datasync = async function (this: FileHandle) {
    reach(`unsynced ${kind}`);
    if (fault === "no-sync") return;
    await datasync.call(this);
    await counted(this);
    reach(`synced ${kind}`);
  };
}

function memoryOf(journal: JournalCells): Cells {
  if (fault !== "writes-later") return journal;
  return {
    get: (key) => journal.get(key),
    swap: async (changes) => {
      setTimeout(() => void journal.swap(changes), 100);
      return true;
    },
  };
}

function send(type: string, of: string, bytes: Uint8Array): void {
  const digest = createHash("sha256").update(bytes).digest("hex");
  note({ at: "send", type, of, digest, syncedByteCount });
  reach(`send ${type}`);
}

function ofMessage(message: DeviceMessage): string {
  if (message.type === "advertise") return `${message.runId}.${message.round}.${message.attempt}`;
  return "sid" in message ? message.sid : "";
}

function hear(message: CoordinatorMessage): void {
  if (message.type === "invite") {
    const { runId, round, modelHash } = message;
    note({ at: "invite", runId, round, modelHash });
    armed ||= runId !== order.spentRunId;
  }
  reach(`hear ${message.type}`);
}

function watchedLink(link: Link): Link {
  return {
    ...link,
    onMessage: (listener) =>
      link.onMessage((message) => {
        hear(message);
        listener(message);
      }),
    send: async (message) => {
      send(message.type, ofMessage(message), encodeFrame(message));
      const answered = await link.send(message);
      reach(`sent ${message.type}`);
      return answered;
    },
    upload: async (path, headers, body, options) => {
      send("input", path.split("/").at(-2) ?? "", body);
      const answered = await link.upload(path, headers, body, options);
      reach("sent input");
      return answered;
    },
  };
}

const { task } = (await (await fetch(`${order.url}/api/v1/tasks/${order.slug}`)).json()) as TaskView;
const status = (await (await fetch(`${order.url}/api/v1/status`)).json()) as Status;
const state = await openStateFolder(order.stateFolder, platformRandom, status);
if (!state.ok) throw new Error(state.error);
await watchJournal(order.stateFolder);
const journal = await openJournalCells(order.stateFolder);
note({ at: "life", killAt });
const device = await openTestDevice(order.url, task, order.seed, {
  joinToken: order.joinToken,
  archive: false,
  cells: memoryOf(journal),
  signer: state.value.signer,
  wrapLink: watchedLink,
});
device.enrolment.view.subscribe(({ round }) => {
  if (round?.outcome) process.send?.({ runId: round.runId, outcome: round.outcome.kind });
});
process.once("disconnect", () => process.exit(0));
device.enrolment.start();
process.send?.("started");
