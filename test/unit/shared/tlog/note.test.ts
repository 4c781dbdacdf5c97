import { describe, expect, test } from "vitest";
import { webCryptoPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { formatCheckpoint, openCheckpoint, parseCheckpoint } from "#shared/tlog/checkpoint.ts";
import {
  cosignNote,
  formatNote,
  formatVerifierKey,
  parseNote,
  parseVerifierKey,
  SIGNATURE_TYPES,
  signNote,
  verifierKey,
} from "#shared/tlog/note.ts";

const primitives = webCryptoPrimitives(crypto.subtle);
const log = localSigner(new Uint8Array(32).fill(1));
const witness = localSigner(new Uint8Array(32).fill(2));
const ORIGIN = "log.example/1";
const root = new Uint8Array(32).fill(9);
const text = formatCheckpoint({ origin: ORIGIN, size: 5, root });
const logKey = await verifierKey(primitives, ORIGIN, SIGNATURE_TYPES.ed25519, log.publicKey);
const witnessKey = await verifierKey(primitives, "w.example", SIGNATURE_TYPES.cosignature, witness.publicKey);
const own = await signNote(primitives, log, ORIGIN, text);
const theirs = await cosignNote(primitives, witness, "w.example", text, 1_679_315_147);

describe("[A30] a checkpoint", () => {
  test("is opened with its log's key, and its cosignatures are found", async () => {
    const note = formatNote({ text, signatures: [own, theirs] });
    expect(await openCheckpoint(primitives, note, logKey, [witnessKey])).toMatchObject({
      ok: true,
      value: {
        checkpoint: { origin: ORIGIN, size: 5, root },
        cosigned: [{ key: witnessKey, timeS: 1_679_315_147 }],
      },
    });
    expect(await openCheckpoint(primitives, note, logKey)).toMatchObject({
      ok: true,
      value: { cosigned: [] },
    });
  });

  test("is refused without its log's line, with a false one, or under another origin", async () => {
    const open = (signatures: readonly (typeof own)[], key = logKey) =>
      openCheckpoint(primitives, formatNote({ text, signatures }), key, [witnessKey]);
    const flipped = { ...own, bytes: own.bytes.map((byte, index) => (index === 10 ? byte ^ 1 : byte)) };
    const later = { ...theirs, bytes: theirs.bytes.map((byte, index) => (index === 7 ? byte ^ 1 : byte)) };
    expect(await open([theirs])).toEqual({ ok: false, error: { type: "not-signed" } });
    expect(await open([own, flipped])).toEqual({
      ok: false,
      error: { type: "bad-signature", name: ORIGIN },
    });
    // The time is signed too.
    expect(await open([own, later])).toEqual({
      ok: false,
      error: { type: "bad-signature", name: "w.example" },
    });
    const other = await verifierKey(primitives, "log.example/2", SIGNATURE_TYPES.ed25519, log.publicKey);
    expect(await open([own], other)).toMatchObject({ ok: false, error: { type: "other-origin" } });
  });

  test.each([
    ["an extension line", `${text}more\n`],
    ["no root", `${ORIGIN}\n5\n`],
    ["a leading zero", text.replace("\n5\n", "\n05\n")],
    ["a sign", text.replace("\n5\n", "\n-5\n")],
    ["a size beyond 2^53", text.replace("\n5\n", "\n9007199254740993\n")],
    ["a short root", `${ORIGIN}\n5\nAAAA\n`],
    ["another base64 of the root", text.replace("CQk=\n", "CQl=\n")],
    ["no origin", text.replace(ORIGIN, "")],
    ["an origin with a space", text.replace(ORIGIN, "log example")],
    ["no last newline", text.slice(0, -1)],
  ])("with %s is none", (_, bad) => {
    expect(bad).not.toBe(text);
    expect(parseCheckpoint(bad)).toMatchObject({ ok: false, error: { type: "bad-checkpoint" } });
  });
});

describe("[A30] a note", () => {
  const good = formatNote({ text, signatures: [own] });
  test.each([
    ["nothing", ""],
    ["no signatures", text],
    ["no line after the blank one", `${text}\n`],
    ["a control character", good.replace("log", "l\u0007og")],
    ["a lone surrogate", good.replace("log", "l\ud800og")],
    ["a hyphen for the dash", good.replace("—", "-")],
    ["two spaces", good.replace("— ", "—  ")],
    ["no key id", good.replace(/(?<=— \S+ ).*/, "AAA=")],
    ["base64 that is none", good.replace(/(?<=— \S+ )./, "!")],
    ["a name with a plus", good.replace("— log", "— l+g")],
    ["no last newline", good.slice(0, -1)],
    ["too many lines", good + `${good.slice(good.indexOf("—"))}`.repeat(100)],
    ["too much of all", `${"x".repeat(300_000)}\n\n`],
  ])("of %s is none", (_, bad) => {
    expect(parseNote(good).ok).toBe(true);
    expect(parseNote(bad)).toMatchObject({ ok: false, error: { type: "bad-note" } });
  });

  test("a verifier key says its name, id and type, and is refused if they disagree", async () => {
    for (const key of [logKey, witnessKey])
      expect(await parseVerifierKey(primitives, formatVerifierKey(key))).toEqual({ ok: true, value: key });
    const line = formatVerifierKey(logKey);
    for (const bad of [
      "",
      "a+b",
      line.replace("log", "dog"),
      line.replace("+0", "+1"),
      `${line}AAAA`,
      `+${line}`,
    ])
      if (bad !== line)
        expect(await parseVerifierKey(primitives, bad)).toMatchObject({
          ok: false,
          error: { type: "bad-verifier-key" },
        });
  });
});
