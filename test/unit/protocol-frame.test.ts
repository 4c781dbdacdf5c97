import { Encoder } from "@msgpack/msgpack";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeFrame, encodeFrame } from "#shared/protocol/frame.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { coordinatorMessageSchema } from "#shared/protocol/messages/coordinator.ts";
import { deviceMessageSchema } from "#shared/protocol/messages/device.ts";
import { replySchema } from "#shared/protocol/messages/reply.ts";

const hello = {
  type: "hello",
  protocol: "chorus/1",
  task: "digits",
  identity: Uint8Array.from({ length: 32 }, (_, index) => index),
} as const;

/** `count` one-element arrays, one in another. */
const nested = (count: number) => Uint8Array.from([...new Array<number>(count).fill(0x91), 0xc0]);

describe("frames", () => {
  test("[W1] a message survives the way there and back", () => {
    const decoded = decodeFrame(encodeFrame(hello), deviceMessageSchema);
    expect(decoded).toEqual({ ok: true, value: hello });
  });

  test("[W1] decoded bytes are plain copies, not views of the socket's buffer", () => {
    const frame = encodeFrame(hello);
    const decoded = decodeFrame(Buffer.from(frame), deviceMessageSchema);
    if (!decoded.ok || decoded.value.type !== "hello") throw new Error("did not decode");
    frame.fill(0);
    expect(decoded.value.identity.constructor).toBe(Uint8Array);
    expect(decoded.value.identity.byteLength).toBe(decoded.value.identity.buffer.byteLength);
    expect([...decoded.value.identity]).toEqual([...hello.identity]);
  });

  test.each([
    ["a single byte 0xC1", Uint8Array.of(0xc1)],
    ["no bytes", new Uint8Array(0)],
    ["null", null],
    ["undefined", undefined],
    ["a string", "hello"],
    ["an object", { type: "hello" }],
    ["an extension", Uint8Array.of(0xd4, 1, 0)],
    ["bytes after the message", Uint8Array.of(...encodeFrame({ type: "leave" }), 0)],
    ["a cut message", encodeFrame(hello).slice(0, 40)],
    ["an array that claims 2^32 - 1 elements", Uint8Array.of(0xdd, 255, 255, 255, 255)],
    ["a map that claims 2^32 - 1 entries", Uint8Array.of(0xdf, 255, 255, 255, 255)],
    ["a binary that claims 4 GiB", Uint8Array.of(0xc6, 255, 255, 255, 255)],
    ["100,000 nested arrays", nested(100_000)],
  ])("[W1] refuses %s as no frame", (_, bytes) => {
    expect(decodeFrame(bytes, deviceMessageSchema)).toEqual({ ok: false, error: { type: "bad-frame" } });
  });

  test("[W3] takes nesting up to the limit and not beyond", () => {
    const atLimit = decodeFrame(nested(LIMITS.nestingDepthMax - 1), deviceMessageSchema);
    const beyond = decodeFrame(nested(LIMITS.nestingDepthMax), deviceMessageSchema);
    expect(atLimit).toMatchObject({ error: { type: "bad-message" } });
    expect(beyond).toMatchObject({ error: { type: "bad-frame" } });
  });

  test("[W3] refuses a frame above the limit before it looks inside", () => {
    const big = new Uint8Array(LIMITS.frameByteCountMax + 1);
    expect(decodeFrame(big, deviceMessageSchema)).toEqual({ ok: false, error: { type: "too-large" } });
  });

  test("[W2] names the first thing that is wrong", () => {
    const cases: readonly (readonly [object, string])[] = [
      [{ ...hello, identity: new Uint8Array(31) }, "identity"],
      [{ ...hello, extra: 1 }, ""],
      [{ ...hello, protocol: "chorus/2" }, "protocol"],
      [{ ...hello, task: "../digits" }, "task"],
      [{ type: "check-in", taskVersion: 0 }, "taskVersion"],
      [{ type: "check-in", taskVersion: 1.5 }, "taskVersion"],
      [{ type: "check-in", taskVersion: Number.NaN }, "taskVersion"],
      [{ type: "confirm", sid: "00", signature: new Uint8Array(64) }, "sid"],
      [{ type: "nothing" }, "type"],
    ];
    for (const [message, at] of cases) {
      const bytes = new Encoder().encode(message);
      expect(decodeFrame(bytes, deviceMessageSchema)).toMatchObject({ error: { type: "bad-message", at } });
    }
  });

  test("[W1] no bytes whatever make the decoder throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        for (const schema of [deviceMessageSchema, coordinatorMessageSchema, replySchema]) {
          expect(decodeFrame(bytes, schema).ok).toBe(false);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("[W1] every flipped bit of a real message is decoded or refused, never thrown", () => {
    const frame = encodeFrame(hello);
    for (let bit = 0; bit < frame.length * 8; bit++) {
      const flipped = frame.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(typeof decodeFrame(flipped, deviceMessageSchema).ok).toBe("boolean");
    }
  });
});
