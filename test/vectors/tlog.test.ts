import { expect, test } from "vitest";
import { webCryptoPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { present } from "#shared/kernel/assert.ts";
import { base64ToBytes, utf8ToText } from "#shared/kernel/bytes.ts";
import { parseCheckpoint } from "#shared/tlog/checkpoint.ts";
import {
  formatNote,
  formatVerifierKey,
  parseNote,
  parseVerifierKey,
  signNote,
  verifyNote,
} from "#shared/tlog/note.ts";
import { parseReceipt } from "#shared/tlog/receipt.ts";
import { parseTilePath, tilePath } from "#shared/tlog/tiles.ts";

/*
 * Vectors of others: the notes of golang.org/x/mod/sumdb/note (its examples), and the texts and paths that c2sp.org prints in
 * signed-note, tlog-checkpoint, tlog-proof and tlog-tiles.
 */

const primitives = webCryptoPrimitives(crypto.subtle);
const TEXT =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const PETER =
  "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const ENOCH =
  "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";
const PETERS_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
/** The base64 of the private key in the same examples, after its algorithm's byte. */
const PETERS_SEED = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";

test("[A30] a note of Go's library verifies, with a line of an unknown key beside it", async () => {
  const key = await parseVerifierKey(primitives, PETERS_KEY);
  if (!key.ok) throw new Error(key.error.sentence);
  expect(formatVerifierKey(key.value)).toBe(PETERS_KEY);
  for (const [lines, count] of [
    [PETER, 1],
    [PETER + ENOCH, 1],
    [ENOCH, 0],
  ] as const) {
    const note = parseNote(`${TEXT}\n${lines}`);
    if (!note.ok) throw new Error(note.error.sentence);
    expect(note.value.text).toBe(TEXT);
    const verified = await verifyNote(primitives, note.value, [key.value]);
    expect(verified).toMatchObject({ ok: true, value: { length: count } });
    expect(formatNote(note.value)).toBe(`${TEXT}\n${lines}`);
  }
  const other = parseNote(`${TEXT.replace("answer", "anwser")}\n${PETER}`);
  if (!other.ok) throw new Error(other.error.sentence);
  expect(await verifyNote(primitives, other.value, [key.value])).toEqual({
    ok: false,
    error: { type: "bad-signature", name: "PeterNeumann" },
  });
});

test("[A30] our line under the same text with the same key is Go's, to the byte", async () => {
  const seed = present(base64ToBytes(PETERS_SEED), "base64").slice(1);
  const signature = await signNote(primitives, localSigner(seed), "PeterNeumann", TEXT);
  expect(formatNote({ text: TEXT, signatures: [signature] })).toBe(`${TEXT}\n${PETER}`);
});

test("[A30] the example of signed-note, whose text has an empty line, is read", () => {
  const poem = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n";
  const line =
    "— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";
  expect(parseNote(`${poem}\n${line}`)).toMatchObject({
    ok: true,
    value: { text: poem, signatures: [{ name: "quasimodo.example/salvatore", keyId: 0x367ba04b }] },
  });
});

test("[A30] the checkpoint of tlog-cosignature is read", () => {
  const text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
  const note =
    `${text}\n` +
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n" +
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
  expect(parseNote(note)).toMatchObject({ ok: true, value: { text, signatures: { length: 2 } } });
  expect(parseCheckpoint(text)).toMatchObject({
    ok: true,
    value: { origin: "example.com/behind-the-sofa", size: 20_852_163 },
  });
});

test("[A32] the path that tlog-tiles prints for a growing tile", () => {
  const name = { level: 0, index: 1_234_067, width: 8 };
  expect(tilePath(name)).toBe("tile/0/x001/x234/067.p/8");
  expect(parseTilePath("tile/0/x001/x234/067.p/8")).toEqual(name);
});

test("[A32] the shape of tlog-proof's example is read", () => {
  const text = [
    "c2sp.org/tlog-proof@v1",
    "extra YWdl",
    "index 73894",
    "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=",
    "B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=",
    "",
    "example.com/fancylog",
    "",
  ].join("\n");
  const read = parseReceipt(text);
  expect(read).toMatchObject({
    ok: true,
    value: { index: 73_894, path: { length: 2 }, checkpoint: "example.com/fancylog\n" },
  });
  expect(read.ok && read.value.extra !== null && utf8ToText(read.value.extra)).toBe("age");
});
