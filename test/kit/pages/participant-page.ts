import { BrowserStore } from "#client/adapters/browser-store.ts";
import type { ParticipantHere } from "#client/adapters/participant-here.ts";
import { openParticipantHere } from "#client/adapters/participant-open.ts";
import { openSocketLink } from "#client/adapters/socket-link.ts";
import type { Link, Trainer } from "#client/core/ports.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { ok } from "#shared/kernel/result.ts";
import { encodeFrame } from "#shared/protocol/frame.ts";
import type { CoordinatorMessage } from "#shared/protocol/messages/coordinator.ts";
import type { DeviceMessage } from "#shared/protocol/messages/device.ts";
import { standingEngine } from "../fakes/standing-engine.ts";
import type { InviteLine, SendLine } from "../worlds/lives.ts";

/*
 * The browser's participant with made-up training; consent, data, IndexedDB, lock and session are the product's. The
 * page can end at each message and each write: there it tells the test, which reloads it, and stands still.
 */

export interface PageOrder {
  readonly slug: string;
  readonly joinToken: string;
  readonly endAt: string | null;
  readonly spentRunId: string | null;
}
export type PageLine =
  | InviteLine
  | { readonly at: "died"; readonly point: string }
  /** `cells`: the guards of this message, read over another connection to the database before it leaves. */
  | (SendLine & { readonly cells: Readonly<Record<string, string>> })
  | { readonly at: "outcome"; readonly runId: string; readonly kind: string };

type Tell = (line: PageLine) => Promise<void>;
declare const tellTest: Tell;

let armed = false;
/** True once the page has reached its end: until the test reloads it, it hears, writes and sends nothing. */
let ended = false;
let here: ParticipantHere | null = null;
let order: PageOrder;
let invited: { readonly runId: string; readonly modelHash: string } | null = null;

async function reach(point: string): Promise<void> {
  if (!armed || point !== order.endAt) return unlessEnded();
  if (!ended) void tellTest({ at: "died", point });
  ended = true;
  await unlessEnded();
}

async function unlessEnded(): Promise<void> {
  if (ended) await new Promise(() => {});
}

async function note(type: string, of: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  await unlessEnded();
  const digest = bytesToHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
  const keys = invited === null ? [] : [`mark/${invited.runId}`, `used/${invited.modelHash}`];
  if (invited !== null) keys.push(`revealed/${invited.modelHash}`, `paid/${of}`, `ballot/${of}`);
  const other = new BrowserStore(location.origin);
  const cells: Record<string, string> = {};
  for (const key of keys) {
    const value = await other.get(key);
    if (value !== null) cells[key] = value;
  }
  other.close();
  await tellTest({ at: "send", type, of, digest, cells });
  await reach(`send ${type}`);
}

function ofMessage(message: DeviceMessage): string {
  if (message.type === "advertise") return `${message.runId}.${message.round}.${message.attempt}`;
  return "sid" in message ? message.sid : "";
}

async function hear(message: CoordinatorMessage): Promise<void> {
  // Otherwise the coordinator, which asks again when the round goes on, would make the page answer a second time.
  await unlessEnded();
  if (message.type === "invite") {
    const { runId, round, modelHash } = message;
    invited = { runId, modelHash };
    await tellTest({ at: "invite", runId, round, modelHash });
    armed ||= runId !== order.spentRunId;
  }
  await reach(`hear ${message.type}`);
}

function watchedLink(link: Link): Link {
  // Handles messages one after the other, in order.
  let heard: Promise<void> = Promise.resolve();
  return {
    ...link,
    onMessage: (listener) =>
      link.onMessage((message) => {
        heard = heard.then(() => hear(message)).then(() => listener(message));
      }),
    send: async (message) => {
      await note(message.type, ofMessage(message), encodeFrame(message));
      const answered = await link.send(message);
      await reach(`sent ${message.type}`);
      return answered;
    },
    upload: async (path, headers, body, options) => {
      await note("input", path.split("/").at(-2) ?? "", body);
      const answered = await link.upload(path, headers, body, options);
      await reach("sent input");
      return answered;
    },
  };
}

function watchWrites(): void {
  const { swap } = BrowserStore.prototype;
  BrowserStore.prototype.swap = async function (changes) {
    const kind = changes[0]?.key.split("/")[0] ?? "";
    await reach(`before ${kind}`);
    const written = await swap.call(this, changes);
    await reach(`after ${kind}`);
    return written;
  };
}

const trainer: Trainer = {
  ...standingEngine(),
  train: async ({ weights }) => {
    const metrics = { count: 5, lossSum: 5, correct: 3 };
    const delta = weights.map((_, index) => ((index % 11) - 5) / 1_000);
    return ok({ delta, numExamples: 9, before: metrics, after: metrics, epochLosses: [1], seconds: 0 });
  },
};

/** Agrees and adds a row on the first visit, then starts. @returns the code if that is refused. */
export async function takePart(wanted: PageOrder): Promise<string | null> {
  order = wanted;
  watchWrites();
  const { slug, joinToken } = wanted;
  const options = { coordinatorUrl: location.origin, task: slug, joinToken };
  const opened = await openParticipantHere(options, watchedLink(openSocketLink(location.origin)), trainer);
  if (!opened.ok) return opened.error.type;
  const participant = opened.value;
  participant.view.subscribe(({ round }) => {
    if (round?.outcome) void tellTest({ at: "outcome", runId: round.runId, kind: round.outcome.kind });
  });
  const { task, consent, data } = participant.view.get();
  if (consent === null) await participant.actions.agree(task.task.version, "I agree.");
  if (data.count === 0) await participant.actions.addDrawing(new Float32Array(28 * 28).fill(0.5), 3);
  here = participant;
  return startAgain();
}

/** Starts the participant that `takePart` opened again. */
export async function startAgain(): Promise<string | null> {
  const started = await here?.actions.start();
  return started === undefined || started.ok ? null : started.error.code;
}

Object.assign(globalThis, { takePart, startAgain });
