import { describe, expect, test } from "vitest";
import { fitPicture } from "#shared/pictures/fit.ts";
import { type Picture, rasterToPicture } from "#shared/pictures/raster.ts";

const digits = { height: 8, width: 8 };
const grey = (height: number, width: number, valueAt: (row: number, column: number) => number): Picture => ({
  values: Float32Array.from({ length: height * width }, (_, at) =>
    valueAt(Math.floor(at / width), at % width),
  ),
  height,
  width,
  channels: 1,
});
function pixelsOf(picture: Picture, size = digits): number[] {
  const fitted = fitPicture(picture, size);
  if (!fitted.ok) throw new Error(fitted.error.type);
  return [...fitted.value.pixels];
}

describe("[D44] a grey picture with an even border is ink on a background", () => {
  /** A dark square of 20 x 20 on white paper of 100 x 60, off the centre. */
  const paper = grey(60, 100, (row, column) =>
    row >= 30 && row < 50 && column >= 70 && column < 90 ? 0.1 : 1,
  );

  test("dark ink on white and white ink on dark read the same, cropped and centred", () => {
    const dark = pixelsOf(paper);
    expect(dark.every((value) => Math.abs(value - 1) < 1e-4)).toBe(true);
    const light = pixelsOf({ ...paper, values: paper.values.map((value) => 1 - value) });
    for (const [at, value] of light.entries()) expect(value).toBeCloseTo(dark[at] ?? -1, 4);
  });

  test("light that falls off to the edge, and a stroke across it, leave it even", () => {
    const shaded = grey(60, 60, (row, column) => {
      const isInk = column >= 28 && column < 32;
      return isInk ? 0 : 0.95 - (0.15 * Math.abs(row - 30)) / 30;
    });
    const result = pixelsOf(shaded);
    // The stroke of 4 by 60 lies across two columns of 7.5 each.
    for (let row = 0; row < 8; row++) {
      expect((result[8 * row + 3] ?? 0) + (result[8 * row + 4] ?? 0)).toBeGreaterThan(0.5);
      expect(result[8 * row]).toBeLessThan(0.2);
    }
  });

  test("an empty sheet is refused", () => {
    expect(
      fitPicture(
        grey(50, 60, () => 0.95),
        digits,
      ),
    ).toEqual({ ok: false, error: { type: "blank" } });
  });
});

test("[D44] a picture of the task's own size is used unchanged, blank or not", () => {
  const exact = grey(8, 8, (row, column) => (row * 8 + column) / 63);
  expect(pixelsOf(exact)).toEqual([...exact.values]);
  expect(pixelsOf(grey(8, 8, () => 0.5))).toEqual(new Array(64).fill(0.5));
});

describe("[D44] a photo is cut to the task's proportions and averaged", () => {
  test("in grey, if its border is uneven: values are kept, not stretched", () => {
    // Left half 0.25, right half 0.75, twice as wide as high: the middle is cut out.
    const photo = grey(16, 32, (_, column) => (column < 16 ? 0.25 : 0.75));
    expect(pixelsOf(photo)).toEqual(Array.from({ length: 64 }, (_, at) => (at % 8 < 4 ? 0.25 : 0.75)));
  });

  test("in colour always, each channel by itself", () => {
    const values = Float32Array.from({ length: 16 * 8 * 3 }, (_, at) => [0.2, 0.4, 0.6][at % 3] ?? 0);
    const result = pixelsOf({ values, height: 16, width: 8, channels: 3 }, { height: 4, width: 4 });
    expect(result).toHaveLength(48);
    for (const [at, value] of result.entries()) expect(value).toBeCloseTo([0.2, 0.4, 0.6][at % 3] ?? 0, 6);
  });

  test("a smaller one is enlarged", () => {
    const tiny: Picture = {
      values: Float32Array.of(0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0),
      height: 2,
      width: 2,
      channels: 3,
    };
    const result = pixelsOf(tiny, { height: 4, width: 4 });
    const red = Array.from({ length: 16 }, (_, at) => result[3 * at]);
    expect(red).toEqual([0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0]);
  });
});

test("[D44] a large picture is averaged down before it is fitted, with the same mean", () => {
  const [height, width] = [2_049, 3_100];
  const pixels = new Uint8Array(4 * height * width);
  let sum = 0;
  for (let at = 0; at < height * width; at++) {
    const value = (at * 7 + (at >> 5)) & 255;
    sum += value;
    pixels.set([value, value, value, 255], 4 * at);
  }
  const picture = rasterToPicture({ pixels, height, width, valueMax: 255 }, 6, 1);
  // Blocks of 3 x 3, turned by a quarter.
  expect([picture.height, picture.width]).toEqual([1_034, 683]);
  const mean = picture.values.reduce((total, value) => total + value, 0) / picture.values.length;
  expect(mean).toBeCloseTo(sum / (height * width) / 255, 3);
});
