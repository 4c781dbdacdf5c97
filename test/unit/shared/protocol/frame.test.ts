import { Encoder } from "@msgpack/msgpack";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { decodeFrame, encodeFrame, FRAME_BOUNDS } from "#shared/protocol/frame.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { coordinatorMessageSchema } from "#shared/protocol/messages/coordinator.ts";
import {
  type DeviceMessage,
  deviceFrameBounds,
  deviceMessageSchema,
  LOGIN_FRAME_BOUNDS,
} from "#shared/protocol/messages/device.ts";
import { replySchema } from "#shared/protocol/messages/reply.ts";
import { WIRE_VERSION } from "#shared/protocol/wire-version.ts";

const hello = {
  type: "hello",
  protocol: "chorus/1",
  wire: WIRE_VERSION,
  task: "digits",
  identity: Uint8Array.from({ length: 32 }, (_, index) => index),
} as const;

/** An array of `count` one-element arrays, nested in each other. */
const nested = (count: number) => Uint8Array.from([...new Array<number>(count).fill(0x91), 0xc0]);

describe("frames", () => {
  test("[W1] a message survives encoding and decoding", () => {
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

  test("[W3] nesting is allowed up to the limit and not beyond", () => {
    const atLimit = decodeFrame(nested(LIMITS.nestingDepthMax - 1), deviceMessageSchema);
    const beyond = decodeFrame(nested(LIMITS.nestingDepthMax), deviceMessageSchema);
    expect(atLimit).toMatchObject({ error: { type: "bad-message" } });
    expect(beyond).toMatchObject({ error: { type: "bad-frame" } });
  });

  test("[W3] a frame above the limit is refused before it is parsed", () => {
    const big = new Uint8Array(LIMITS.frameByteCountMax + 1);
    expect(decodeFrame(big, deviceMessageSchema)).toEqual({ ok: false, error: { type: "too-large" } });
  });

  test("[W4] a key twice is refused, in the message and in a list of it", () => {
    const key = (name: string) => [0xa0 | name.length, ...new TextEncoder().encode(name)];
    const leave = [...key("type"), ...key("leave")];
    const once = Uint8Array.of(0x81, ...leave);
    expect(decodeFrame(once, deviceMessageSchema).ok).toBe(true);
    const twice = Uint8Array.of(0x82, ...leave, ...leave);
    expect(decodeFrame(twice, deviceMessageSchema)).toEqual({ ok: false, error: { type: "bad-frame" } });
    const inList = z.strictObject({ list: z.array(z.strictObject({ a: z.int() })) });
    const list = (map: number[]) => Uint8Array.of(0x81, ...key("list"), 0x91, ...map);
    expect(decodeFrame(list([0x81, ...key("a"), 1]), inList).ok).toBe(true);
    expect(decodeFrame(list([0x82, ...key("a"), 1, ...key("a"), 2]), inList).ok).toBe(false);
  });

  test("[W2] the refusal names the first error", () => {
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

  test("[W1] no bytes make the decoder throw", () => {
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

/** The largest message of each kind that its schema accepts. */
const LARGEST: Record<DeviceMessage["type"], object> = (() => {
  const sid = "f".repeat(64);
  const signature = new Uint8Array(64);
  const key = new Uint8Array(32);
  const attempt = { runId: "f".repeat(32), round: LIMITS.roundsMax, attempt: LIMITS.attemptsMax };
  const list = <T>(item: T) => new Array<T>(LIMITS.rosterSizeMax).fill(item);
  const owned = list({ owner: LIMITS.rosterSizeMax, share: new Uint8Array(64) });
  const leaf = { ciphertext: new Uint8Array(512), zShareCommit: key, bShareCommit: key };
  return {
    hello: { ...hello, task: "a".repeat(64) },
    authenticate: { signature, joinToken: "x".repeat(128) },
    "check-in": { taskVersion: 1_000_000 },
    advertise: { ...attempt, c: key, s: key, bCommit: key, signature },
    share: { sid, leaves: list(leaf), signature },
    confirm: { sid, signature },
    unmask: { sid, bShares: owned, zShares: owned, signature },
    complaint: { sid, against: LIMITS.rosterSizeMax, signature },
    leave: {},
  };
})();

describe("bounds of each kind of message", () => {
  const decode = (message: object) =>
    decodeFrame(new Encoder().encode(message), deviceMessageSchema, FRAME_BOUNDS, deviceFrameBounds);

  test.each(Object.entries(LARGEST))(
    "[W3] the largest %s is taken, and one with junk is not decoded",
    (type, rest) => {
      const message = { ...rest, type };
      expect(decode(message)).toMatchObject({ ok: true, value: { type } });
      const { byteCountMax, entryCountMax } = deviceFrameBounds(type);
      expect(decode({ ...message, junk: new Uint8Array(byteCountMax) })).toEqual({
        ok: false,
        error: { type: "too-large" },
      });
      expect(decode({ type, junk: new Array(entryCountMax).fill(0) })).toEqual({
        ok: false,
        error: { type: "too-large" },
      });
    },
  );

  test("[W3] an unknown or missing kind has the bounds of a small message", () => {
    for (const type of ["junk", "__proto__", "constructor", 1, undefined]) {
      const junk = new Array(LIMITS.smallFrameEntryCountMax).fill(0);
      expect(decode({ type, junk })).toMatchObject({ error: { type: "too-large" } });
    }
  });

  test("[W3] before the login every message has the bounds of a small one", () => {
    for (const [type, rest] of Object.entries(LARGEST)) {
      const bytes = new Encoder().encode({ ...rest, type });
      const decoded = decodeFrame(bytes, deviceMessageSchema, LOGIN_FRAME_BOUNDS);
      expect(decoded.ok, type).toBe(type !== "share" && type !== "unmask");
    }
  });

  test("[W3] 150,000 keys in a frame are counted, not decoded", () => {
    const keys = Object.fromEntries(Array.from({ length: 150_000 }, (_, index) => [index.toString(36), 0]));
    const bytes = new Encoder().encode({ ...keys, type: "share" });
    expect(bytes.length).toBeLessThan(LIMITS.frameByteCountMax);
    const error = { type: "too-large" };
    expect(decodeFrame(bytes, deviceMessageSchema, FRAME_BOUNDS, deviceFrameBounds)).toEqual({
      ok: false,
      error,
    });
    expect(decodeFrame(bytes, replySchema)).toEqual({ ok: false, error });
  });
});
