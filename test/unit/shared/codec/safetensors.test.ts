import { describe, expect, test } from "vitest";
import { modelFromBytes, modelToBytes } from "#shared/codec/model-bytes.ts";
import { decodeSafetensors, encodeSafetensors } from "#shared/codec/safetensors.ts";
import { flattenTensors, tensorLayout } from "#shared/codec/tensors.ts";
import { AssertionFault } from "#shared/kernel/assert.ts";
import { type Bytes, utf8, utf8ToText } from "#shared/kernel/bytes.ts";

/** A file by hand: the given header text, then `dataBytes` zero bytes. */
function file(header: string, dataBytes: number, headerBytes = utf8(header).length): Bytes {
  const text = utf8(header);
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.set(text, 8);
  return bytes;
}

const entry = (from: number, to: number, shape = `[${(to - from) / 4}]`, dtype = "F32") =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${from},${to}]}`;

describe("safetensors", () => {
  test("the expected bytes by hand: sorted names, padding to 8, little-endian floats", () => {
    const tensors = new Map([
      ["b", { shape: [1], data: Float32Array.of(2) }],
      ["a", { shape: [1, 2], data: Float32Array.of(1, -1) }],
    ]);
    const json =
      '{"a":{"data_offsets":[0,8],"dtype":"F32","shape":[1,2]},"b":{"data_offsets":[8,12],"dtype":"F32","shape":[1]}}';
    const padded = json.padEnd(Math.ceil(json.length / 8) * 8);
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(padded.length));
    const expected = Buffer.concat([
      size,
      Buffer.from(padded),
      Buffer.from("0000803f000080bf00000040", "hex"),
    ]);
    const bytes = encodeSafetensors({ tensors, metadata: {} });
    expect(Buffer.from(bytes).equals(expected)).toBe(true);
    const reversed = new Map([...tensors].reverse());
    expect(encodeSafetensors({ tensors: reversed, metadata: {} })).toEqual(bytes);
  });

  test("decode to the original, including metadata and odd names", () => {
    const tensors = new Map([
      ["__proto__", { shape: [2, 1], data: Float32Array.of(1, 2) }],
      ["é/kernel", { shape: [], data: Float32Array.of(Number.NaN) }],
    ]);
    const bytes = encodeSafetensors({ tensors, metadata: { made: "by hand" } });
    const decoded = decodeSafetensors(bytes);
    if (!decoded.ok) throw new Error(decoded.error.type);
    expect(decoded.value.metadata).toEqual({ made: "by hand" });
    expect(new Map([...decoded.value.tensors].sort())).toEqual(new Map([...tensors].sort()));
    // At an odd address too.
    const moved = new Uint8Array([0, ...bytes]).subarray(1);
    expect(decodeSafetensors(moved)).toEqual(decoded);
  });

  test("a file written by the reference library is read", () => {
    // Its key order is dtype, shape, data_offsets, with __metadata__ first and spaces up to 8.
    const header = `{"__metadata__":{"format":"pt"},"w":${entry(0, 8, "[2,1]")}}   `;
    expect(decodeSafetensors(file(header, 8))).toEqual({
      ok: true,
      value: {
        tensors: new Map([["w", { shape: [2, 1], data: new Float32Array(2) }]]),
        metadata: { format: "pt" },
      },
    });
  });

  const bad: readonly (readonly [string, Bytes, string])[] = [
    ["nothing", new Uint8Array(0), "too-short"],
    ["seven bytes", new Uint8Array(7), "too-short"],
    ["a header longer than the file", file("{}", 0, 3), "too-short"],
    ["a header of 2^63 bytes", file("{}", 0, 2 ** 63), "header-too-large"],
    ["a header over the bound", file("{}", 2 ** 21, 2 ** 20 + 1), "header-too-large"],
    ["a header that is no JSON", file("{", 0), "header-not-canonical"],
    ["a header that is a list", file("[]", 0), "header-not-canonical"],
    ["a header that is no UTF-8", Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0xff), "header-not-canonical"],
    [
      "a very deep header",
      file(`{"a":${"[".repeat(300_000)}${"]".repeat(300_000)}}`, 0),
      "header-not-canonical",
    ],
    ["white space inside", file(`{ "w":${entry(0, 4)}}`, 4), "header-not-canonical"],
    ["a name twice", file(`{"w":${entry(0, 4)},"w":${entry(0, 4)}}`, 4), "header-not-canonical"],
    ["text after the JSON", file(`{"w":${entry(0, 4)}} x`, 4), "header-not-canonical"],
    ["metadata that is no text", file('{"__metadata__":{"a":1}}', 0), "bad-metadata"],
    ["another dtype", file(`{"w":${entry(0, 4, "[1]", "F64")}}`, 4), "bad-tensor"],
    ["a shape that does not fit", file(`{"w":${entry(0, 4, "[2]")}}`, 4), "bad-tensor"],
    ["a negative size", file(`{"w":${entry(0, 4, "[-1,-1]")}}`, 4), "bad-tensor"],
    ["a size of a half", file(`{"w":${entry(0, 4, "[0.5,2]")}}`, 4), "bad-tensor"],
    ["a size of zero", file(`{"w":${entry(0, 0, "[0]")}}`, 0), "bad-tensor"],
    [
      "sizes that overflow",
      file(`{"w":${entry(0, 4, "[9007199254740991,9007199254740991]")}}`, 4),
      "bad-tensor",
    ],
    [
      "offsets that step back",
      file('{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}', 4),
      "bad-tensor",
    ],
    ["three offsets", file('{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}', 4), "bad-tensor"],
    ["a missing field", file('{"w":{"dtype":"F32","shape":[1]}}', 4), "bad-tensor"],
    ["an extra field", file('{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}', 4), "bad-tensor"],
    ["null as a tensor", file('{"w":null}', 4), "bad-tensor"],
    ["overlapping tensors", file(`{"a":${entry(0, 8)},"b":${entry(4, 12)}}`, 12), "overlap"],
    ["a gap before", file(`{"a":${entry(4, 8)}}`, 8), "gap"],
    ["a gap between", file(`{"a":${entry(0, 4)},"b":${entry(8, 12)}}`, 12), "gap"],
    ["data cut short", file(`{"a":${entry(0, 8)}}`, 4), "too-short"],
    ["a trailing byte", file(`{"a":${entry(0, 8)}}`, 9), "trailing-bytes"],
    [
      "too many tensors",
      file(`{${Array.from({ length: 4097 }, (_, i) => `"w${i}":0`).join()}}`, 0),
      "too-many-tensors",
    ],
  ];
  test.each(bad)("refuse %s", (_, bytes, type) => {
    expect(decodeSafetensors(bytes)).toMatchObject({ ok: false, error: { type } });
  });

  test("every prefix of a valid file and every flipped byte of its header is refused or read, never a fault", () => {
    const good = encodeSafetensors({
      tensors: new Map([["w", { shape: [3], data: Float32Array.of(1, 2, 3) }]]),
      metadata: {},
    });
    for (let length = 0; length < good.length; length++) {
      expect(decodeSafetensors(good.slice(0, length)).ok).toBe(false);
    }
    let refused = 0;
    for (let index = 0; index < good.length - 12; index++) {
      for (let bit = 0; bit < 8; bit++) {
        const bent = good.slice();
        bent[index] = (bent[index] as number) ^ (1 << bit);
        if (!decodeSafetensors(bent).ok) refused++;
      }
    }
    // Only letters of the name may change without making the file invalid.
    expect(refused).toBeGreaterThan(8 * (good.length - 12) - 10);
  });
});

describe("a model's bytes", () => {
  const layout = tensorLayout([
    { name: "z/kernel", shape: [2, 2] },
    { name: "a/bias", shape: [3] },
  ]);
  const weights = Float32Array.of(1, 2, 3, 4, 5, 6, 7);

  test("decode in the order of the layout", () => {
    expect(modelFromBytes(layout, modelToBytes(layout, weights))).toEqual({ ok: true, value: weights });
    const dataByName = new Map([
      ["a/bias", weights.subarray(4)],
      ["z/kernel", weights.subarray(0, 4)],
    ]);
    expect(flattenTensors(layout, dataByName)).toEqual(weights);
  });

  test("of another model are refused", () => {
    for (const specs of [
      [{ name: "z/kernel", shape: [2, 2] }],
      [
        { name: "z/kernel", shape: [4, 1] },
        { name: "a/bias", shape: [3] },
      ],
      [
        { name: "z/kernel", shape: [2, 2] },
        { name: "b/bias", shape: [3] },
      ],
    ]) {
      const other = tensorLayout(specs);
      const bytes = modelToBytes(other, new Float32Array(other.parameterCount));
      expect(modelFromBytes(layout, bytes)).toEqual({ ok: false, error: { type: "wrong-model" } });
    }
    expect(modelFromBytes(layout, new Uint8Array(3))).toEqual({ ok: false, error: { type: "too-short" } });
  });

  test("layouts with equal names or no weights are a fault", () => {
    expect(() =>
      tensorLayout([
        { name: "a", shape: [1] },
        { name: "a", shape: [1] },
      ]),
    ).toThrow(AssertionFault);
    expect(() => tensorLayout([])).toThrow(AssertionFault);
    expect(() => tensorLayout([{ name: "a", shape: [0] }])).toThrow(AssertionFault);
  });
});

describe("UTF-8", () => {
  test("agrees with the platform's strict decoder on every text and on all short byte strings", () => {
    const oracle = (bytes: Uint8Array) => {
      try {
        return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
      } catch {
        return undefined;
      }
    };
    const differing: string[] = [];
    const compare = (bytes: Uint8Array) => {
      if (utf8ToText(bytes) !== oracle(bytes)) differing.push(Buffer.from(bytes).toString("hex"));
    };
    compare(utf8("aé€😀\u0000\uffff"));
    for (let first = 0; first < 256; first++) {
      compare(Uint8Array.of(first));
      for (let second = 0; second < 256; second++) {
        compare(Uint8Array.of(first, second));
        for (const third of [0x00, 0x7f, 0x80, 0xbf, 0xc0]) {
          compare(Uint8Array.of(first, second, third));
          compare(Uint8Array.of(first, second, third, 0x80));
        }
      }
    }
    expect(differing).toEqual([]);
  });
});
