import type { Mask } from "../crypto/mask-stream.ts";
import { openSealed } from "../crypto/sealed-box.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Position } from "../kernel/places.ts";
import type { Primitives } from "../kernel/ports.ts";
import { ok } from "../kernel/result.ts";
import { decodeFrame } from "../protocol/frame.ts";
import { unmaskSchema } from "../protocol/messages/device.ts";
import { reconstructMasks } from "../secagg/opening.ts";
import { type GivenShares, verifyUnmask } from "../secagg/server.ts";
import type { CheckedSession } from "./check-session.ts";
import { type Checked, fault } from "./fault.ts";

/** A device's opening message, sealed to the auditor. */
export interface SealedOpening {
  readonly position: Position;
  readonly sealed: Bytes;
}

export interface OpenedSession {
  /** Added to the sum of the masked inputs, they remove its masks. */
  readonly masks: readonly Mask[];
  readonly openingCount: number;
  /** Sentences about shares that differ from those that were dealt. Spare shares made up for them (S9). */
  readonly notes: readonly string[];
}

/**
 * Opens the boxes kept for the auditor, rebuilds every b and z from them, and checks each against what its device had
 * announced. The resulting masks unmask the sum of all survivors and nothing smaller: a single input stays hidden by the
 * masks that it shares with other survivors. Rule A3.
 */
export async function openSession(
  primitives: Primitives,
  session: CheckedSession,
  auditorKey: Bytes,
  sealed: readonly SealedOpening[],
): Promise<Checked<OpenedSession>> {
  const { roster, sets, commitments } = session;
  const openings: GivenShares[] = [];
  const notes: string[] = [];
  const seen = new Set<Position>();
  const boxes = await openBoxes(primitives, roster.sid, auditorKey, sealed);
  if (!boxes.ok) return boxes;
  for (const { position, opened } of boxes.value) {
    const message = decodeFrame(opened, unmaskSchema);
    opened.fill(0);
    const verified =
      message.ok && !seen.has(position)
        ? await verifyUnmask(primitives, roster, sets, commitments, position, message.value)
        : null;
    if (verified?.ok !== true)
      return fault("OPENING_SIGNATURE", `The device at position ${position} did not send these shares.`);
    seen.add(position);
    openings.push(verified.value);
    for (const owner of verified.value.offCommitment) {
      notes.push(
        `Position ${position} sent a share of position ${owner} that differs from the one dealt to it.`,
      );
    }
  }
  const masks = await reconstructMasks(primitives, roster, sets, openings);
  if (masks.ok) return ok({ masks: masks.value, openingCount: openings.length, notes });
  if (masks.error.code === "BELOW_T") {
    const owners = masks.error.owners.join(", ");
    return fault(
      "TOO_FEW_SHARES",
      `Fewer than ${roster.thresholds.t} good shares of the secrets of positions ${owners}.`,
    );
  }
  const dealers = masks.error.dealers.join(", ");
  return fault(
    "SECRET",
    `The shares of positions ${dealers} give other secrets than these devices announced.`,
  );
}

async function openBoxes(
  primitives: Primitives,
  sid: Bytes,
  auditorKey: Bytes,
  sealed: readonly SealedOpening[],
): Promise<Checked<readonly { readonly position: Position; readonly opened: Bytes }[]>> {
  const boxes: { readonly position: Position; readonly opened: Bytes }[] = [];
  const failed: Position[] = [];
  for (const { position, sealed: box } of sealed) {
    const opened = await openSealed(primitives, auditorKey, { sid, position }, box);
    if (opened.ok) boxes.push({ position, opened: opened.value });
    else failed.push(position);
  }
  if (failed.length === 0) return ok(boxes);
  for (const { opened } of boxes) opened.fill(0);
  if (boxes.length === 0)
    return fault(
      "AUDITOR_KEY",
      `None of the ${failed.length} boxes opens with this key. They were sealed to another key, or all of them were changed.`,
    );
  return fault(
    "OPENING_SEAL",
    `The shares of position ${failed[0]} do not open with this key, or belong to another session.`,
  );
}
