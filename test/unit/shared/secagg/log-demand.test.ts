import { describe, expect, test } from "vitest";
import { webCryptoPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import type { LogProofMessage } from "#shared/protocol/messages/log-proof.ts";
import { configHash } from "#shared/secagg/attempt.ts";
import { checkLogEvidence } from "#shared/secagg/check-log-evidence.ts";
import { checkRoundLogged, checkSurvivorsLogged, logRefusal } from "#shared/secagg/log-demand.ts";
import { logEvidence, parseLogEvidence } from "#shared/secagg/log-evidence.ts";
import type { SeenLog } from "#shared/secagg/seen-log.ts";
import { rotationBody } from "#shared/tlog/key-rotation.ts";
import {
  cosignNote,
  formatSignatureLine,
  formatVerifierKey,
  parseNote,
  verifierKey,
} from "#shared/tlog/note.ts";
import { LoggedRound } from "#test/kit/adversary/logged-round.ts";
import { testConfig } from "#test/kit/secagg-fixtures.ts";
import { MemoryLog } from "#test/kit/tlog.ts";

const primitives = webCryptoPrimitives(crypto.subtle);
const archived = { slug: "digits", taskVersion: 1 };
const other = "ee".repeat(32);
const HASH_BEFORE = "575cadec8103ca9d36dd5aa5080c30dfcf95c9364ee0f4273c849ec665dfab0a";

/** A log that a device has seen, and then a task and a round in it. */
async function logged() {
  const round = new LoggedRound(primitives);
  await round.log.add("task.archived", archived);
  const seen = await round.seen();
  const indexes = [await round.publishTask(), await round.openRound()];
  return { round, seen, indexes, proof: await round.proof(seen.size, indexes) };
}

async function verdict(round: LoggedRound, log: LogProofMessage | undefined, seen: SeenLog | null) {
  const invite = log === undefined ? round.invite : { ...round.invite, log };
  const checked = await checkRoundLogged(primitives, round.config, invite, [seen]);
  return checked.ok ? "proved" : checked.error.type;
}

describe("[A40] before a device fetches a model", () => {
  test("task and round are proved in a log that goes on from what it saw, and it remembers the new state", async () => {
    const { round, seen, proof } = await logged();
    const checked = await checkRoundLogged(primitives, round.config, { ...round.invite, log: proof }, [seen]);
    expect(checked).toEqual({ ok: true, value: await round.seen() });
    // A device on its first visit has nothing to compare with.
    expect(await verdict(round, { ...proof, from: 0 }, null)).toBe("proved");
  });

  test("a log that was split, rolled back, or shown under another key is refused", async () => {
    const { round, seen, indexes } = await logged();
    const split = new LoggedRound(primitives);
    await split.log.add("task.archived", { ...archived, taskVersion: 2 });
    await split.publishTask();
    await split.openRound();
    expect(await verdict(round, await round.proof(seen.size, indexes, split.log), seen)).toBe("forked");
    const far = { ...seen, size: 40 };
    expect(await verdict(round, await round.proof(40, indexes), far)).toBe("rolled-back");
    const foreign = new LoggedRound(
      primitives,
      {},
      new MemoryLog(primitives, round.log.origin, new Uint8Array(32).fill(8)),
    );
    await foreign.log.add("task.archived", archived);
    await foreign.publishTask();
    await foreign.openRound();
    expect(await verdict(round, await round.proof(1, indexes, foreign.log), seen)).toBe("not-signed");
  });

  test("a proof that begins where the device never stated is a missing proof for good, split or not", async () => {
    const { round, seen, indexes, proof } = await logged();
    const split = new LoggedRound(primitives);
    await split.log.add("task.archived", { ...archived, taskVersion: 2 });
    await split.publishTask();
    await split.openRound();
    for (const log of [proof, await round.proof(seen.size, indexes, split.log)]) {
      const invite = { ...round.invite, log: { ...log, from: 2 } };
      const checked = await checkRoundLogged(primitives, round.config, invite, [null, seen]);
      expect(checked).toEqual({ ok: false, error: { type: "foreign-start", from: 2 } });
      if (checked.ok) return;
      expect(logRefusal(checked.error)).toMatchObject({ code: "NOT_LOGGED", retry: "never" });
    }
  });

  test("a leaf that was withheld, is of another round, model, version or config is refused", async () => {
    const { round, seen, indexes } = await logged();
    const [task = -1, opened = -1] = indexes;
    expect(await verdict(round, undefined, seen)).toBe("no-proof");
    expect(await verdict(round, await round.proof(seen.size, [task]), seen)).toBe("other-leaf");
    expect(await verdict(round, await round.proof(seen.size, [opened]), seen)).toBe("other-leaf");
    const wrong = [
      [await round.publishTask({ taskVersion: 2 }), opened],
      [await round.publishTask({ configHash: other }), opened],
      [await round.publishTask({ taskHash: other }), opened],
      [task, await round.openRound({ roundId: "ee".repeat(16) })],
      [task, await round.openRound({ modelHash: other })],
      [task, await round.openRound({ configHash: other })],
    ];
    for (const pair of wrong)
      expect(await verdict(round, await round.proof(seen.size, pair), seen)).toBe("other-leaf");
    // Not of this log: the path leads elsewhere.
    const proof = await round.proof(seen.size, indexes);
    const moved = { ...proof, leaves: proof.leaves.map((leaf) => ({ ...leaf, index: leaf.index + 1 })) };
    expect(await verdict(round, moved, seen)).toBe("not-included");
  });

  test("a proof of an earlier state is a rollback, and one from an earlier statement waits for the next round", async () => {
    const { round, seen, proof, indexes } = await logged();
    await round.log.add("task.archived", archived);
    const now = await round.seen();
    expect(await verdict(round, { ...proof, from: 4 }, now)).toBe("rolled-back");
    const sameSize = await round.proof(seen.size, indexes);
    await round.log.add("task.archived", archived);
    for (const log of [proof, sameSize, await round.proof(seen.size, indexes)]) {
      const invite = { ...round.invite, log };
      const checked = await checkRoundLogged(primitives, round.config, invite, [null, seen, now]);
      expect(checked).toMatchObject({ ok: false, error: { type: "other-start", from: 1, seen: 4 } });
      expect(checked.ok || logRefusal(checked.error).retry).toBe("later");
    }
    // The same state again proves itself.
    const same = await round.proof(5, indexes);
    expect(await verdict(round, { ...same, consistency: [] }, await round.seen())).toBe("proved");
  });
});

describe("[A41] before a share leaves", () => {
  test("the sets that the device confirmed are in the log, in its own session", async () => {
    const { round } = await logged();
    const seen = await round.seen();
    const own = {
      sid: "aa".repeat(32),
      u2: "bb".repeat(32),
      u3: "cc".repeat(32),
      signatureRoot: "55".repeat(32),
    };
    const sets = own as typeof own & { sid: Parameters<typeof checkSurvivorsLogged>[4]["sid"] };
    const check = async (leaf: number | null, from = seen.size) => {
      const proof = leaf === null ? undefined : await round.proof(from, [leaf]);
      const checked = await checkSurvivorsLogged(primitives, round.config, proof, seen, sets);
      return checked.ok ? "proved" : checked.error.type;
    };
    expect(await check(null)).toBe("no-proof");
    expect(await check(await round.signSurvivors({ ...own, u3: other }))).toBe("other-leaf");
    expect(await check(await round.signSurvivors({ ...own, sid: other }))).toBe("other-leaf");
    expect(await check(await round.signSurvivors({ ...own, signatureRoot: other }))).toBe("other-leaf");
    expect(await check(0)).toBe("other-leaf");
    expect(await check(0, 1)).toBe("foreign-start");
    expect(await check(await round.signSurvivors(own))).toBe("proved");
  });
});

describe("[A44] a task that asks for witnesses", () => {
  test("gets a device only with enough of their signatures", async () => {
    const signers = [11, 12, 13].map((byte) => localSigner(new Uint8Array(32).fill(byte)));
    const names = ["first.example", "second.example", "third.example"];
    const keys = await Promise.all(
      signers.map(async ({ publicKey }, index) =>
        formatVerifierKey(await verifierKey(primitives, names[index] ?? "", 4, publicKey)),
      ),
    );
    const round = new LoggedRound(primitives, { logWitnesses: { keys, needed: 2 } });
    const indexes = [await round.publishTask(), await round.openRound()];
    const bare = await round.proof(0, indexes);
    const note = parseNote(bare.checkpoint);
    if (!note.ok) throw new Error("a note");
    const { text } = note.value;
    const line = async (index: number) =>
      formatSignatureLine(
        await cosignNote(primitives, signers[index] as never, names[index] ?? "", text, 1_700_000_000),
      );
    const signedBy = async (...indexes: number[]) => {
      const lines = await Promise.all(indexes.map(line));
      return verdict(round, { ...bare, checkpoint: `${bare.checkpoint}${lines.join("")}` }, null);
    };
    expect(await signedBy()).toBe("too-few-witnesses");
    expect(await signedBy(0)).toBe("too-few-witnesses");
    expect(await signedBy(0, 0)).toBe("too-few-witnesses");
    expect(await signedBy(0, 2)).toBe("proved");
  });
});

describe("[A46] a changed key of the log", () => {
  test("is followed if the key before has signed it, and no other", async () => {
    const { round, indexes } = await logged();
    const seen = await round.seen();
    const next = localSigner(new Uint8Array(32).fill(9));
    const body = await rotationBody(round.log.signer, round.log.origin, next.publicKey);
    const index = await round.log.add("log.keyRotated", body);
    round.log.signWith(next, index);
    const proof = await round.proof(seen.size, indexes);
    const checked = await checkRoundLogged(primitives, round.config, { ...round.invite, log: proof }, [seen]);
    expect(checked).toMatchObject({ ok: true, value: { key: bytesToHex(next.publicKey) } });
    if (!checked.ok) return;
    // From then on the old key is none of this log.
    await round.log.add("task.archived", archived);
    const back = round.log.fork();
    back.signWith(localSigner(new Uint8Array(32).fill(7)), index);
    const again = { ...(await round.proof(checked.value.size, indexes, back)), rotations: [] };
    expect(await verdict(round, again, checked.value)).toBe("not-signed");
    const stolen = localSigner(new Uint8Array(32).fill(10));
    const forged = new LoggedRound(primitives, {}, round.log.fork());
    const leaf = await forged.log.add("log.keyRotated", { ...body, to: bytesToHex(stolen.publicKey) });
    forged.log.signWith(stolen, leaf);
    expect(await verdict(round, await round.proof(seen.size, indexes, forged.log), seen)).not.toBe("proved");
  });
});

describe("[A43] what a device says of a log that contradicts itself", () => {
  test("names both sizes, and its file holds both checkpoints and the proof", async () => {
    const { round, indexes } = await logged();
    const past = round.log.fork();
    await round.log.add("task.archived", archived);
    const seen = await round.seen();
    const proof = await round.proof(seen.size, indexes, past);
    const checked = await checkRoundLogged(primitives, round.config, { ...round.invite, log: proof }, [seen]);
    if (checked.ok) throw new Error("refused");
    const refusal = logRefusal(checked.error);
    expect(refusal.code).toBe("LOG_CONTRADICTED");
    expect(refusal.message).toBe(
      "This device saw 4 entries of the public log before, and now 3 entries. The log was rolled back. Sending is off. Keep the file with the evidence.",
    );
    const file = logEvidence({ config: round.config, seen, shown: proof, at: 1, finding: refusal.message });
    const read = parseLogEvidence(file);
    expect(read.ok && read.value).toEqual({
      type: "chorus-log-evidence",
      version: 1,
      at: 1,
      finding: refusal.message,
      origin: round.log.origin,
      logKey: round.config.logKey as HashHex,
      seen,
      shown: proof,
    });
    if (!read.ok) return;
    // Anyone may have put two checkpoints of an honest log into a file, and takes none that somebody has made up.
    expect((await checkLogEvidence(primitives, read.value)).verdict).toBe("unproven");
    const madeUp = { ...read.value, seen: { ...seen, size: 9 } };
    expect((await checkLogEvidence(primitives, madeUp)).verdict).toBe("worthless");
    expect((await checkLogEvidence(primitives, { ...read.value, shown: null })).verdict).toBe("unproven");
    expect((await checkLogEvidence(primitives, { ...read.value, seen: null })).verdict).toBe("sound");
    expect(
      parseLogEvidence("{}").ok || parseLogEvidence("[").ok || parseLogEvidence('{"__proto__": 1}').ok,
    ).toBe(false);
  });
});

describe("[A43] a file of evidence", () => {
  const judged = async (round: LoggedRound, seen: SeenLog, shown: LogProofMessage) => {
    const file = parseLogEvidence(logEvidence({ config: round.config, seen, shown, at: 1, finding: "" }));
    return file.ok ? checkLogEvidence(primitives, file.value) : null;
  };
  const unproven = {
    verdict: "unproven",
    sentence: expect.stringContaining("Both are signed: ask the log for the way from one to the other."),
  };

  test("condemns a log that has signed two roots for one size", async () => {
    const { round } = await logged();
    const split = new LoggedRound(primitives, {}, round.log.fork());
    await round.log.add("task.archived", archived);
    await split.log.add("task.archived", { ...archived, taskVersion: 2 });
    const verdict = await judged(round, await round.seen(), await round.proof(4, [], split.log));
    expect(verdict).toMatchObject({
      verdict: "contradicted",
      sentence: expect.stringContaining("4 entries"),
    });
  });

  test("condemns no honest log whose checkpoints somebody has put in the wrong order", async () => {
    const { round, proof } = await logged();
    await round.log.add("task.archived", archived);
    expect(await judged(round, await round.seen(), proof)).toEqual(unproven);
  });

  test("condemns no honest log with a way between its checkpoints that somebody has changed", async () => {
    const { round, seen, proof } = await logged();
    expect(await judged(round, seen, { ...proof, consistency: [] })).toEqual(unproven);
    // Of one size and one root, with a way where none is needed.
    const same = await round.proof(3, []);
    const tooLong = { ...same, consistency: [new Uint8Array(32)] };
    expect(await judged(round, await round.seen(), tooLong)).toEqual(unproven);
  });
});

describe("[A45] a config without a log", () => {
  test("keeps its hash, and one with a log or with witnesses has another", async () => {
    const plain = testConfig();
    // Computed before there were logs.
    expect(bytesToHex(await configHash(primitives, plain))).toBe(HASH_BEFORE);
    const hashes = await Promise.all(
      [
        { ...plain, logKey: "11".repeat(32) as HashHex },
        { ...plain, logOrigin: "log.example/1" },
        { ...plain, logWitnesses: { keys: ["w+00000000+AA"], needed: 1 } },
      ].map(async (config) => bytesToHex(await configHash(primitives, config))),
    );
    expect(new Set([HASH_BEFORE, ...hashes]).size).toBe(4);
  });
});
