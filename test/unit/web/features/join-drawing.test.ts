import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type PadPoint, type Stroke, strokesToPixels } from "#web/features/join/drawing.ts";

const digits = { height: 8, width: 8 } as const;

function arc(x: number, y: number, rx: number, ry: number, fromDeg: number, toDeg: number): PadPoint[] {
  return Array.from({ length: 25 }, (_, index) => {
    const angle = ((fromDeg + ((toDeg - fromDeg) * index) / 24) * Math.PI) / 180;
    return { x: x + rx * Math.cos(angle), y: y + ry * Math.sin(angle) };
  });
}
function path(...coordinates: number[]): PadPoint[] {
  return coordinates.flatMap((x, index) => (index % 2 === 0 ? [{ x, y: coordinates[index + 1] ?? 0 }] : []));
}

/** Ten digits as a hand would draw them, small and in the middle of the pad. */
const handDrawn: readonly (readonly Stroke[])[] = [
  [arc(0.5, 0.5, 0.2, 0.3, -90, 270)],
  [path(0.42, 0.3, 0.52, 0.2, 0.52, 0.8)],
  [[...arc(0.5, 0.35, 0.16, 0.15, -170, 40), ...path(0.35, 0.8, 0.68, 0.8)]],
  [[...arc(0.48, 0.35, 0.17, 0.15, -150, 90), ...arc(0.48, 0.65, 0.19, 0.16, -90, 150)]],
  [path(0.5, 0.2, 0.3, 0.6, 0.7, 0.6), path(0.6, 0.4, 0.56, 0.82)],
  [path(0.66, 0.2, 0.4, 0.2, 0.38, 0.45), [...path(0.38, 0.45), ...arc(0.48, 0.6, 0.18, 0.18, -110, 140)]],
  [[...path(0.56, 0.18, 0.42, 0.4, 0.36, 0.6), ...arc(0.5, 0.65, 0.15, 0.15, 180, 540)]],
  [path(0.32, 0.22, 0.68, 0.22, 0.46, 0.8), path(0.36, 0.5, 0.66, 0.5)],
  [arc(0.5, 0.36, 0.13, 0.14, 90, 450), arc(0.5, 0.66, 0.16, 0.16, -90, 270)],
  [arc(0.5, 0.36, 0.15, 0.15, 0, 360), path(0.65, 0.36, 0.63, 0.6, 0.5, 0.82)],
];

/** The five nearest of the 1,797 real digits vote. */
function readByNeighbours(pixels: Float32Array): number {
  const rows = readFileSync(new URL("../../../../coordinator/data/digits.csv", import.meta.url), "utf8")
    .trim()
    .split("\n");
  const near = rows
    .slice(1)
    .map((row) => row.split(",").map(Number))
    .map((row) => ({
      label: row[64] ?? -1,
      distance: pixels.reduce((sum, v, i) => sum + (16 * v - (row[i] ?? 0)) ** 2, 0),
    }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 5);
  const votes = new Map<number, number>();
  for (const { label } of near) votes.set(label, (votes.get(label) ?? 0) + 1);
  return [...votes].sort((a, b) => b[1] - a[1])[0]?.[0] ?? -1;
}

describe("a drawing as an 8 x 8 picture", () => {
  test("ten drawn digits are nearest to real digits of the same class", () => {
    const read = handDrawn.map((strokes) => readByNeighbours(strokesToPixels(strokes, digits)));
    expect(read).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test("values are sixteenths, as in the data set, about as dark on average (4.9 of 16)", () => {
    const means = handDrawn.map((strokes) => {
      const pixels = strokesToPixels(strokes, digits);
      expect(pixels).toHaveLength(64);
      expect([...pixels].every((value) => Number.isInteger(16 * value) && value >= 0 && value <= 1)).toBe(
        true,
      );
      return pixels.reduce((sum, value) => sum + 16 * value, 0) / 64;
    });
    const mean = means.reduce((sum, value) => sum + value, 0) / 10;
    expect(mean).toBeGreaterThan(3.9);
    expect(mean).toBeLessThan(5.9);
  });

  test("place and size on the pad do not matter", () => {
    const shape = handDrawn[3] ?? [];
    const moved = shape.map((stroke) => stroke.map(({ x, y }) => ({ x: x * 0.5 + 0.4, y: y * 0.5 + 0.05 })));
    const difference = strokesToPixels(shape, digits).map((v, i) =>
      Math.abs(v - (strokesToPixels(moved, digits)[i] ?? 0)),
    );
    expect(Math.max(...difference)).toBeLessThanOrEqual(1 / 16);
  });

  test("no stroke gives an empty picture; a dot stays a dot in the middle", () => {
    expect(strokesToPixels([], digits)).toEqual(new Float32Array(64));
    const dot = strokesToPixels([[{ x: 0.9, y: 0.1 }]], digits);
    const inked = [...dot].flatMap((value, index) => (value > 0 ? [index] : []));
    expect(inked).toEqual([27, 28, 35, 36]);
  });

  test("another size works: 28 x 28", () => {
    const pixels = strokesToPixels(handDrawn[0] ?? [], { height: 28, width: 28 });
    expect(pixels).toHaveLength(784);
    expect(Math.max(...pixels)).toBe(1);
  });
});
