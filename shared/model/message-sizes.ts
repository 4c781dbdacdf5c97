import { agreedGraphOf, isSharded } from "../cohort/graph-plan.ts";
import { sparseNumbersOf } from "../cohort/threshold.ts";
import { assert } from "../kernel/assert.ts";
import { encodeFrame } from "../protocol/frame.ts";
import { SEALED_SHARE_BYTES } from "../secagg/bundle.ts";
import type { Task } from "../task/task.ts";

/*
 * Bytes of the messages of one round without dropouts, from frames of the real shape filled with zeros. Shown before a
 * person agrees or publishes; the bytes that really travel are counted when they do.
 */

/** HTTP headers of an upload or a download. */
const HEADER_BYTES = 400;
/** An agreed config as MessagePack, with names of ordinary length. */
const CONFIG_BYTES = 1_200;

/** Devices of one sum, and the number of them that hold shares of one device's secrets, itself included. */
export interface SessionSize {
  readonly members: number;
  readonly holders: number;
}

export function sessionSizeOf({ aggregation }: Pick<Task, "aggregation">): SessionSize {
  const graph = agreedGraphOf(aggregation);
  if (isSharded(graph)) return { members: graph.size, holders: graph.size };
  const { goal } = aggregation;
  return { members: goal, holders: (sparseNumbersOf(goal, graph)?.degree ?? goal - 1) + 1 };
}

const zeros = (byteCount: number) => new Uint8Array(byteCount);
const listOf = <Item>(count: number, item: (position: number) => Item) =>
  Array.from({ length: count }, (_, index) => item(index + 1));
const sid = "0".repeat(64);
const attempt = { runId: "0".repeat(32), round: 1, attempt: 1 };
const signature = zeros(64);
const deadlineInMs = 60_000;

/** Keys, shares and signatures that a device sends. */
export function keysUpByteCount({ holders }: SessionSize): number {
  const leaf = { ciphertext: zeros(SEALED_SHARE_BYTES), zShareCommit: zeros(32), bShareCommit: zeros(32) };
  const shares = listOf(holders, (owner) => ({ owner, share: zeros(32) }));
  return framesByteCount([
    { type: "advertise", ...attempt, c: zeros(32), s: zeros(32), bCommit: zeros(32), signature },
    { type: "share", sid, leaves: listOf(holders, () => leaf), signature },
    { type: "confirm", sid, signature },
    { type: "unmask", sid, bShares: shares, zShares: [], signature },
  ]);
}

/** Keys, shares and signatures that a device is sent, with the round's rules. */
export function keysDownByteCount({ members, holders }: SessionSize): number {
  assert(holders <= members, "holders are members");
  const bitmap = zeros(Math.ceil(members / 8));
  // A leaf of a bundle of `holders`, and one of the members' inputs.
  const pathOf = (count: number) => listOf(Math.ceil(Math.log2(count)), () => zeros(32));
  const member = {
    identity: zeros(32),
    c: zeros(32),
    s: zeros(32),
    bCommit: zeros(32),
    certificate: signature,
    signature,
  };
  const share = (dealer: number) => ({
    dealer,
    ciphertext: zeros(SEALED_SHARE_BYTES),
    zShareCommit: zeros(32),
    bShareCommit: zeros(32),
    path: pathOf(holders),
    root: zeros(32),
    signature,
  });
  const committed = {
    kind: "committed",
    survivorCount: members,
    modelHash: sid,
    inputsRoot: zeros(32),
    path: pathOf(members),
    leafIndex: 0,
  };
  return (
    CONFIG_BYTES +
    framesByteCount([
      { type: "invite", ...attempt, modelHash: sid, modelByteCount: 1_000_000, deadlineInMs },
      { type: "roster", ...attempt, members: listOf(members, () => member), deadlineInMs },
      {
        type: "collect",
        sid,
        u2: bitmap,
        shares: listOf(holders - 1, share),
        slot: "0".repeat(43),
        deadlineInMs,
      },
      { type: "sets", sid, u2: bitmap, u3: bitmap, deadlineInMs },
      {
        type: "open",
        sid,
        u2: bitmap,
        u3: bitmap,
        deadlineInMs,
        confirmations: listOf(holders, (signer) => ({ signer, signature })),
      },
      { type: "outcome", sid, result: committed },
    ])
  );
}

function framesByteCount(frames: readonly object[]): number {
  return frames.reduce((sum, frame) => sum + encodeFrame(frame).length, HEADER_BYTES);
}
