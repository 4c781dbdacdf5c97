import { describe, expect, test } from "vitest";
import { STANDING, Standing } from "#coordinator/core/devices/standing.ts";

/* Who is asked last, and for how long. Times are milliseconds. */

const MINUTE = 60_000;
const leaves = (...left: string[]) => ({ left, stayed: [] });
const stays = (...stayed: string[]) => ({ left: [], stayed });

describe("[R30] the standing of a device", () => {
  test("falls with its third departure in ten minutes, and recovers with time", () => {
    const standing = new Standing();
    for (const minute of [0, 4, 8]) {
      expect(standing.isAskedLast("phone", minute * MINUTE)).toBe(false);
      standing.note(leaves("phone"), minute * MINUTE);
    }
    expect(standing.isAskedLast("phone", 8 * MINUTE)).toBe(true);
    expect(standing.isAskedLast("other", 8 * MINUTE)).toBe(false);
    // Ten minutes after the first of the three.
    expect(standing.isAskedLast("phone", 10 * MINUTE - 1)).toBe(true);
    expect(standing.isAskedLast("phone", 10 * MINUTE)).toBe(false);
  });

  test("recovers by completing rounds, one departure for each round", () => {
    const standing = new Standing();
    for (let round = 0; round < STANDING.departures; round++) standing.note(leaves("phone"), round);
    standing.note(stays("phone"), 10);
    expect(standing.isAskedLast("phone", 10)).toBe(false);
    standing.note(leaves("phone"), 20);
    expect(standing.isAskedLast("phone", 20)).toBe(true);
  });

  test("does not fall for a device that completes most rounds, however many there are", () => {
    const standing = new Standing();
    for (let round = 0; round < 300; round++) {
      const at = round * 1_000;
      standing.note(round % 3 === 0 ? leaves("phone") : stays("phone"), at);
      expect(standing.isAskedLast("phone", at)).toBe(false);
    }
  });
});

describe("[R30] the standing of an address", () => {
  /** Each device is new and leaves one round. */
  function flood(standing: Standing, address: string, count: number, atMs = 0): void {
    for (let index = 0; index < count; index++) {
      const identity = `sybil ${address} ${atMs} ${index}`;
      standing.cameFrom(identity, address);
      standing.note(leaves(identity), atMs);
    }
  }

  test("puts newcomers last after twelve departures of others, but nobody at other addresses", () => {
    const standing = new Standing();
    flood(standing, "10.0.0.1", STANDING.departuresOfAddress - 1);
    standing.cameFrom("newcomer", "10.0.0.1");
    expect(standing.isAskedLast("newcomer", 1)).toBe(false);
    flood(standing, "10.0.0.1", 1, 1);
    expect(standing.isAskedLast("newcomer", 1)).toBe(true);
    standing.cameFrom("newcomer", "10.0.0.2");
    expect(standing.isAskedLast("newcomer", 1)).toBe(false);
    standing.cameFrom("invited", null);
    expect(standing.isAskedLast("invited", 1)).toBe(false);
    standing.cameFrom("newcomer", "10.0.0.1");
    expect(standing.isAskedLast("newcomer", STANDING.minutes * MINUTE + 1)).toBe(false);
  });

  test("does not affect a ward's devices that complete rounds, whatever others there do", () => {
    const standing = new Standing();
    const ward = Array.from({ length: 8 }, (_, index) => `ward ${index}`);
    for (const identity of ward) standing.cameFrom(identity, "10.0.0.1");
    standing.note(stays(...ward), 0);
    flood(standing, "10.0.0.1", 200);
    for (const identity of ward) expect(standing.isAskedLast(identity, MINUTE)).toBe(false);
    // If only a few devices of a ward leave each round, it is no flood: the others make up for them.
    const quiet = new Standing();
    for (const identity of ward) quiet.cameFrom(identity, "10.0.0.9");
    for (let round = 0; round < 30; round++) {
      const at = round * 1_000;
      quiet.note({ left: ward.slice(0, 3), stayed: ward.slice(3) }, at);
    }
    quiet.cameFrom("newcomer", "10.0.0.9");
    expect(quiet.isAskedLast("newcomer", 30_000)).toBe(false);
  });
});

test("[R30] memory is bounded, whoever comes", () => {
  const standing = new Standing();
  for (let index = 0; index < 40_000; index++) {
    standing.cameFrom(`device ${index}`, `address ${index}`);
    standing.note(leaves(`device ${index}`), index);
  }
  expect(standing.size).toBeLessThanOrEqual(30_000);
});
