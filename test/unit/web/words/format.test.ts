import { describe, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { tableToCsv } from "#shared/export/table/table-data.ts";
import { modelSchema } from "#shared/task/model.ts";
import {
  countInWords,
  formatBits,
  formatBytes,
  formatCount,
  formatDecimal,
  formatDuration,
  formatHash,
  formatInstantUtc,
  formatKilobytes,
  formatMeasure,
  formatPercent,
  formatSeconds,
  formatTimeUtc,
  formatWhenUtc,
  plural,
} from "#web/words/format.ts";
import { layersLine, sizesLine } from "#web/words/model.ts";

const NBSP = "\u00a0";

describe("numbers as the pages print them", () => {
  test("counts group their digits in threes", () => {
    expect([0, 7, 999, 1_000, 12_279, 1_234_567].map(formatCount)).toEqual([
      "0",
      "7",
      "999",
      "1,000",
      "12,279",
      "1,234,567",
    ]);
  });

  test("words up to twelve, digits above", () => {
    expect([0, 1, 12, 13].map(countInWords)).toEqual(["no", "one", "twelve", "13"]);
  });

  test("one device, two devices", () => {
    expect([plural(1, "device"), plural(2, "device"), plural(0, "entry", "entries")]).toEqual([
      "1 device",
      "2 devices",
      "0 entries",
    ]);
  });

  test("a measure has three decimals and its half width", () => {
    expect(formatMeasure({ value: 0.67921, halfWidth95: 0.00826 })).toBe("0.679 ± 0.008");
  });

  test("a negative number has a minus sign, unless it rounds to zero", () => {
    expect([formatDecimal(-0.5, 1), formatDecimal(-0.0001, 3)]).toEqual(["−0.5", "0.000"]);
  });

  test("kilobytes are a thousand bytes, finer below 1 and coarser from 100", () => {
    expect([210, 1_240, 9_764, 99_940, 100_000, 1_500_000].map(formatKilobytes)).toEqual([
      "0.21",
      "1.2",
      "9.8",
      "99.9",
      "100",
      "1,500",
    ]);
    expect([formatBits(16), formatBits(27.195)]).toEqual([`16${NBSP}bits`, `27.2${NBSP}bits`]);
    expect(formatBytes(9_764)).toBe(`9.8${NBSP}kB`);
  });

  test("seconds keep one decimal below ten, and never print 10.0", () => {
    expect([0.2, 2, 9.94, 9.96, 52.4].map(formatSeconds)).toEqual(
      ["0.2", "2", "9.9", "10", "52"].map((text) => `${text}${NBSP}s`),
    );
  });

  test("durations of plans are rounded", () => {
    expect([0.3, 40, 89, 2_280, 7_800, 7_200, 1_036_800].map(formatDuration)).toEqual([
      `1${NBSP}s`,
      `40${NBSP}s`,
      `89${NBSP}s`,
      `38${NBSP}min`,
      `2${NBSP}h 10${NBSP}min`,
      `2${NBSP}h`,
      `12${NBSP}days`,
    ]);
  });

  test("times are in UTC, whatever their original offset", () => {
    expect(formatTimeUtc("2026-07-08T16:36:20+02:00")).toBe("14:36:20");
    expect(formatInstantUtc("2026-07-08T23:30:00-02:00")).toBe("9 July 2026, 01:30 UTC");
  });

  test("days near today have names, and the year is shown only if it differs", () => {
    const now = Date.parse("2026-07-08T23:59:00Z");
    const said = (instant: string) => formatWhenUtc(instant, now);
    expect(said("2026-07-08T00:00:00Z")).toBe("today, 00:00 UTC");
    expect(said("2026-07-09T00:01:00Z")).toBe("tomorrow, 00:01 UTC");
    expect(said("2026-07-07T23:59:00Z")).toBe("yesterday, 23:59 UTC");
    expect(said("2026-07-06T23:59:00Z")).toBe("6 July, 23:59 UTC");
    expect(said("2025-12-31T23:59:00Z")).toBe("31 December 2025, 23:59 UTC");
  });

  test("hashes are grouped in fours", () => {
    expect(formatHash("9f31c0a75be2ffff")).toBe("9f31 c0a7 5be2");
  });

  test("a percentage and its sign stay on one line", () => {
    expect(formatPercent(0.6812)).toBe(`68.1${NBSP}%`);
  });
});

describe("CSV", () => {
  test("quotes what RFC 4180 requires, and leaves unknown values empty", () => {
    const csv = tableToCsv({
      columns: ["round", "loss, nats"],
      rows: [
        [1, 0.7031],
        [2, null],
        ['a "b"', "x\ny"],
      ],
    });
    expect(csv).toBe('round,"loss, nats"\r\n1,0.7031\r\n2,\r\n"a ""b""","x\ny"\r\n');
  });
});

test("a model's layers and sizes in one line each", () => {
  const named = (className: string, name: string, more: object) => ({ className, name, ...more });
  const model = modelSchema.parse({
    format: "tfjs-layers",
    inputShape: [28, 28, 1],
    classCount: 10,
    layers: [
      named("Conv2D", "a", { filters: 8, kernelSize: 3, strides: 1, padding: "same", activation: "relu" }),
      named("MaxPooling2D", "b", { poolSize: 2, strides: 2 }),
      named("Flatten", "c", {}),
      named("Dense", "d", { units: 10, activation: "softmax" }),
    ],
  });
  expect(layersLine(model)).toBe("Conv2D 8 of 3 × 3, MaxPooling2D 2 × 2, Flatten, Dense 10");
  expect(sizesLine(model)).toBe("784-8c-10");
  expect(layersLine(bundledTask("digits", 8, 1).model)).toBe("Flatten, Dense 32, Dense 10");
  expect(sizesLine(bundledTask("digits", 8, 1).model)).toBe("64-32-10");
});
