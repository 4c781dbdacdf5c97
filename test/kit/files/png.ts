import { crc32, deflateSync } from "node:zlib";

/** A PNG file of any kind, written for tests; the products' own code takes no part. */
export interface PngPlan {
  readonly width: number;
  readonly height: number;
  /** 1, 2, 4, 8 or 16. */
  readonly depth: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA. */
  readonly colourType: 0 | 2 | 3 | 4 | 6;
  /** [height, width, values of a pixel] flat, as stored. */
  readonly values: ArrayLike<number>;
  readonly isInterlaced?: boolean;
  /** RGB of each entry. */
  readonly palette?: readonly number[];
  /** tRNS as stored: alpha of palette entries, or the colour key with two bytes a value. */
  readonly transparency?: readonly number[];
  /** Written before the pixels: kind and data. */
  readonly extra?: readonly (readonly [kind: string, data: Uint8Array])[];
  /** Written in place of the pixels, packed. */
  readonly packed?: Uint8Array;
}

const VALUES = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 } as const;
/** Column and row of the first pixel, and steps, of each pass of Adam7. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

export function makePng(plan: PngPlan): Uint8Array {
  const { width, height, depth, colourType } = plan;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colourType, 0, 0, plan.isInterlaced === true ? 1 : 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    ...(plan.extra ?? []).map(([kind, data]) => chunk(kind, data)),
    ...(plan.palette === undefined ? [] : [chunk("PLTE", Uint8Array.from(plan.palette))]),
    ...(plan.transparency === undefined ? [] : [chunk("tRNS", Uint8Array.from(plan.transparency))]),
    chunk("IDAT", plan.packed ?? deflateSync(scanLines(plan))),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

function chunk(kind: string, data: Uint8Array): Buffer {
  const whole = Buffer.alloc(12 + data.length);
  whole.writeUInt32BE(data.length, 0);
  whole.write(kind, 4, "latin1");
  whole.set(data, 8);
  whole.writeUInt32BE(crc32(whole.subarray(4, 8 + data.length)), 8 + data.length);
  return whole;
}

function scanLines(plan: PngPlan): Buffer {
  const passes = plan.isInterlaced === true ? PASSES : [[0, 0, 1, 1] as const];
  return Buffer.concat(
    passes.flatMap(([firstColumn, firstRow, columnStep, rowStep]) => {
      const lines: Buffer[] = [];
      for (let row = firstRow; row < plan.height; row += rowStep) {
        const line: number[] = [];
        for (let column = firstColumn; column < plan.width; column += columnStep) {
          const count = VALUES[plan.colourType];
          const at = (row * plan.width + column) * count;
          for (let value = 0; value < count; value++) line.push(plan.values[at + value] ?? 0);
        }
        if (line.length > 0) lines.push(packed(line, plan.depth));
      }
      return lines;
    }),
  );
}

/** A line with its filter (none) before it. */
function packed(values: readonly number[], depth: number): Buffer {
  const line = Buffer.alloc(1 + Math.ceil((values.length * depth) / 8));
  for (const [index, value] of values.entries()) {
    if (depth === 16) line.writeUInt16BE(value, 1 + 2 * index);
    else {
      const bit = index * depth;
      line[1 + (bit >> 3)] = (line[1 + (bit >> 3)] ?? 0) | (value << (8 - depth - (bit & 7)));
    }
  }
  return line;
}
