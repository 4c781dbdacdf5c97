import { assert, present } from "#shared/kernel/assert.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Primitives, RandomBytes, Signer } from "#shared/kernel/ports.ts";
import { decodeFrame, encodeFrame } from "#shared/protocol/frame.ts";
import { coordinatorMessageSchema } from "#shared/protocol/messages/coordinator.ts";
import type { InputHeaders } from "#shared/protocol/messages/device.ts";
import type { AttemptTerms } from "#shared/secagg/attempt.ts";
import { advertise, isAttemptMessage, onMessage } from "#shared/secagg/client.ts";
import type { ClientState, ClientStep, ClientTools } from "#shared/secagg/client-state.ts";
import { agreedVectorLength } from "#shared/task/config.ts";

/*
 * The client core behind frames, with the time of each answer. Runs in Node and in a browser: only bytes go in and out.
 */

/** What a device is told before its first message. */
export interface DeviceStart {
  readonly terms: AttemptTerms;
  /** Its randomness, in the order in which it is used; drawn outside, so that the bench knows its shares. */
  readonly randomness: Bytes;
  /** See `plainWords`. */
  readonly inputSeed: number;
}

export interface TimedAnswer {
  /** From the incoming frame to the outgoing bytes, without network and storage. */
  readonly ms: number;
  /** Null if the answer is an input, or nothing. */
  readonly frame: Bytes | null;
  readonly input: { readonly headers: InputHeaders; readonly body: Bytes } | null;
}

export interface TimedDevice {
  advertise(start: DeviceStart): Promise<TimedAnswer>;
  deliver(frame: Bytes): Promise<TimedAnswer>;
  close(): Promise<void>;
}

export function openTimedDevice(primitives: Primitives, signer: Signer): TimedDevice {
  let tools: ClientTools | null = null;
  let state: ClientState | null = null;
  let input: Uint32Array<ArrayBuffer> | null = null;

  function adopt(step: ClientStep, beganMs: number): TimedAnswer {
    assert(step.type === "go", `a device went on: ${step.type === "aborted" ? step.state.code : step.type}`);
    state = step.state;
    const { send } = step;
    const frame = send?.kind === "message" ? encodeFrame(send.message) : null;
    const sent = send?.kind === "input" ? { headers: send.headers, body: send.body } : null;
    return { ms: performance.now() - beganMs, frame, input: sent };
  }

  return {
    advertise: async ({ terms, randomness, inputSeed }) => {
      tools = { primitives, signer, random: takeFrom(randomness) };
      // The update is ready before a device takes part.
      input = plainWords(inputSeed, 0, agreedVectorLength(terms));
      const beganMs = performance.now();
      return adopt(await advertise(tools, { phase: "idle", terms }), beganMs);
    },
    deliver: async (frame) => {
      const beganMs = performance.now();
      const message = decodeFrame(frame, coordinatorMessageSchema);
      assert(message.ok && isAttemptMessage(message.value), "a well-formed message");
      const before = present(state, "a device that has advertised");
      const makeInput = async () => present(input, "an input");
      const step = await onMessage({ ...present(tools, "tools"), makeInput }, before, message.value);
      return adopt(step, beganMs);
    },
    close: async () => {},
  };
}

/**
 * A plain input that anyone can recompute: word i is a hash of `seed` and i.
 *
 * @param from  Index of the first word.
 */
export function plainWords(seed: number, from: number, count: number): Uint32Array<ArrayBuffer> {
  return Uint32Array.from({ length: count }, (_, index) => {
    const mixed = Math.imul((from + index) ^ Math.imul(seed, 0x9e3779b1), 0x85ebca6b);
    return Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35) >>> 0;
  });
}

/** Randomness from a pool, in the order in which it is used. */
export function takeFrom(pool: Bytes): RandomBytes {
  let taken = 0;
  return (byteCount) => {
    assert(taken + byteCount <= pool.length, "enough randomness");
    taken += byteCount;
    return pool.slice(taken - byteCount, taken);
  };
}
