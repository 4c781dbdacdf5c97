import { describe, expect, test } from "vitest";
import { webCryptoPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { present } from "#shared/kernel/assert.ts";
import { bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import { confirmationsRoot } from "#shared/secagg/confirmations-root.ts";
import { verifyInput } from "#shared/secagg/server.ts";
import { LoggedRound } from "#test/kit/adversary/logged-round.ts";
import { positionNo } from "#test/kit/places.ts";
import { SecaggCohort } from "#test/kit/worlds/secagg-cohort.ts";

const primitives = webCryptoPrimitives(crypto.subtle);

/** A cohort under a config with a log, up to its confirmations, and that log with what the devices saw of it. */
async function confirmed() {
  const round = new LoggedRound(primitives);
  await round.publishTask();
  await round.openRound();
  const seen = await round.seen();
  const { logKey, logOrigin = "" } = round.config;
  const cohort = await SecaggCohort.create({
    count: 4,
    vectorLength: 8,
    config: { logKey, logOrigin },
    terms: { log: seen },
  });
  for (const step of ["advertiseAll", "shareAll", "collectAll", "confirmAll"] as const)
    expect(await cohort[step]()).toBeNull();
  return { round, seen, cohort };
}

describe("[A42] a masked input", () => {
  test("is signed with the state of the log that its device saw, and with no other", async () => {
    const { seen, cohort } = await confirmed();
    const headers = present(cohort.inputHeaders.get(positionNo(1)), "an input");
    expect(headers.log).toEqual({ size: seen.size, root: seen.root });
    const claim = {
      byteCount: 32,
      root: hexToBytes(headers.root),
      signature: hexToBytes(headers.signature),
    };
    const verdict = async (change: object) => {
      const input = { ...claim, ...change };
      const verified = await verifyInput(primitives, cohort.roster, cohort.u2, positionNo(1), input);
      return verified.ok ? "taken" : verified.error;
    };
    const log = { size: seen.size, root: seen.root };
    expect(await verdict({ log })).toBe("taken");
    expect(await verdict({ log: { ...log, size: log.size + 1 } })).toBe("BAD_SIGNATURE");
    expect(await verdict({ log: { ...log, root: "ee".repeat(32) } })).toBe("BAD_SIGNATURE");
    expect(await verdict({})).toBe("NOT_LOGGED");
    const plain = await SecaggCohort.create({ count: 3, vectorLength: 8 });
    for (const step of ["advertiseAll", "shareAll", "collectAll"] as const)
      expect(await plain[step]()).toBeNull();
    const stated = await verifyInput(primitives, plain.roster, plain.u2, positionNo(1), { ...claim, log });
    expect(stated).toEqual({ ok: false, error: "NOT_LOGGED" });
  });
});

describe("[A41] a sum", () => {
  test("is opened with the proof of its survivors, and not with that of other sets", async () => {
    const { round, seen, cohort } = await confirmed();
    const { confirmations } = cohort.openMessage();
    const sets = {
      sid: cohort.roster.sidHex,
      u2: bytesToHex(cohort.sets.u2.hash),
      u3: bytesToHex(cohort.sets.u3.hash),
      signatureRoot: bytesToHex(await confirmationsRoot(primitives, confirmations)),
    };
    const other = await round.signSurvivors({ ...sets, u3: sets.u2.replace(/^../, "ee") });
    const own = await round.signSurvivors(sets);
    cohort.openingProof = await round.proof(seen.size, [other]);
    const refused = await cohort.deliver(1, cohort.openMessage());
    expect(refused).toMatchObject({ type: "aborted", state: { code: "NOT_LOGGED" } });
    cohort.openingProof = await round.proof(seen.size, [own]);
    const opened = await cohort.deliver(2, cohort.openMessage());
    expect(opened).toMatchObject({ type: "go", state: { phase: "revealed" } });
    // It remembers what it was shown, before its shares leave.
    expect(opened).toMatchObject({ remember: { log: { before: seen, seen: { size: seen.size + 2 } } } });
  });
});
