import { expect, test } from "vitest";
import { readWitnessAddresses } from "#coordinator/adapters/witness/witness-clients.ts";
import { readLogOptions } from "#coordinator/commands/log/options.ts";
import { givenQuorum, quorumFlags } from "#coordinator/commands/quorum-options.ts";
import { primitives } from "#shared/node/system.ts";
import { formatVerifierKey, verifierKey } from "#shared/tlog/note.ts";
import { TestWitness } from "#test/kit/worlds/witnesses.ts";

const witness = await TestWitness.make("w.example/1", []);
const key = formatVerifierKey(witness.key);
const other = formatVerifierKey((await TestWitness.make("w.example/2", [])).key);

test("[A95] all of the named witnesses are needed unless it is said how many", () => {
  expect(quorumFlags({})).toEqual({ ok: true, value: { keys: [], needed: 0 } });
  expect(quorumFlags({ witness: [key, other, key] })).toEqual({
    ok: true,
    value: { keys: [key, other], needed: 2 },
  });
  expect(quorumFlags({ witness: [key, other], "witnesses-needed": "1" })).toMatchObject({
    value: { needed: 1 },
  });
  for (const needed of ["0", "3", "-1", "1.5", "x", "", "100"])
    expect(quorumFlags({ witness: [key, other], "witnesses-needed": needed })).toMatchObject({ ok: false });
  expect(quorumFlags({ "witnesses-needed": "1" })).toMatchObject({ ok: false });
  expect(readLogOptions(["fsck", "--witness", key])).toBe("--witness is for verify alone.");
});

test("[A95] a key of a log is no witness's, and a damaged one is named", async () => {
  const ofLog = formatVerifierKey(await verifierKey(primitives, "log.example", 1, witness.key.publicKey));
  const cases = [
    [ofLog, "is the key of a log"],
    [key.replace(/\+[0-9a-f]{8}\+/, "+00000000+"), "does not belong to its name"],
    ["__proto__", "NAME+KEYID+KEY"],
  ] as const;
  for (const [text, says] of cases) {
    const quorum = await givenQuorum({ keys: [text], needed: 1 });
    expect(!quorum.ok && quorum.error).toContain(says);
  }
  expect(await givenQuorum({ keys: [key], needed: 1 })).toEqual({
    ok: true,
    value: { witnesses: [witness.key], needed: 1 },
  });
});

test("[A93] --witness takes a key and an address, each once, and says what is wrong", () => {
  expect(readWitnessAddresses([`${key}@https://w.example/prefix`, `${other}@http://[::1]:3100`])).toEqual({
    ok: true,
    value: [
      { key, url: "https://w.example/prefix" },
      { key: other, url: "http://[::1]:3100/" },
    ],
  });
  const cases: readonly (readonly [readonly string[], string])[] = [
    [[key], "NAME+KEYID+KEY@URL"],
    [["https://w.example"], "NAME+KEYID+KEY@URL"],
    [[`${key}@ftp://w.example`], "NAME+KEYID+KEY@URL"],
    [[`${key}@https://`], "NAME+KEYID+KEY@URL"],
    [[`${key}@https://ada:secret@w.example`], "no user name"],
    [[`${key}@https://w.example/?token=1`], "query"],
    [[`w.example@https://w.example`], "as the witness prints it"],
    [[`${key}@https://a.example`, `${key}@https://b.example`], "the same key"],
    [
      Array.from(
        { length: 17 },
        (_, index) => `${key.replace("w.example/1", `w${index}`)}@https://w.example`,
      ),
      "16 times",
    ],
  ];
  for (const [texts, says] of cases) {
    const read = readWitnessAddresses(texts);
    expect(!read.ok && read.error).toContain(says);
    expect(JSON.stringify(read)).not.toContain("secret");
  }
});
