import { beforeEach, describe, expect, test } from "vitest";
import { localSigner } from "#shared/crypto/signature.ts";
import { present } from "#shared/kernel/assert.ts";
import { type Bytes, bytesToBase64 } from "#shared/kernel/bytes.ts";
import { primitives } from "#shared/node/system.ts";
import { formatAddCheckpoint, parseSignatureLines } from "#shared/tlog/add-checkpoint.ts";
import {
  formatNote,
  formatSignatureLine,
  parseNote,
  SIGNATURE_TYPES,
  signNote,
  type VerifierKey,
  verifierKey,
  verifyNote,
} from "#shared/tlog/note.ts";
import { MemoryLog } from "#test/kit/tlog.ts";
import { TestWitness, WITNESS_TIME_S, witnessMemory } from "#test/kit/worlds/witnesses.ts";

const leaf = (text: string) => new TextEncoder().encode(text);
const keyOf = (log: MemoryLog) => verifierKey(primitives, log.origin, SIGNATURE_TYPES.ed25519, log.publicKey);

/** The request of an honest log whose witness signed `oldSize` leaves last. */
async function request(log: MemoryLog, oldSize: number): Promise<string> {
  const consistency = await (await log.tree()).consistency(oldSize);
  if (!consistency.ok) throw new Error(consistency.error.path);
  return formatAddCheckpoint({ oldSize, proof: consistency.value, note: await log.checkpoint() });
}

async function grown(log: MemoryLog, count: number): Promise<void> {
  const begin = log.leaves.length;
  await log.addBytes(...Array.from({ length: count }, (_, index) => leaf(`leaf ${begin + index}`)));
}

let log: MemoryLog;
let logKey: VerifierKey;
let witness: TestWitness;
const ask = (body: string) => witness.addCheckpoint(body);
const statusOf = async (body: string) => {
  const reply = await ask(body);
  return reply.type === "answer" ? reply.status : reply.type;
};

beforeEach(async () => {
  log = new MemoryLog(primitives);
  await grown(log, 5);
  logKey = await keyOf(log);
  witness = await TestWitness.make("w.example/1", [logKey]);
});

describe("[A90] a witness", () => {
  test("signs what continues what it signed last, with a signature that its key verifies", async () => {
    let oldSize = 0;
    for (const count of [0, 3, 1, 300, 211]) {
      await grown(log, count);
      const reply = await ask(await request(log, oldSize));
      oldSize = log.leaves.length;
      expect(reply).toMatchObject({ type: "answer", status: 200 });
      const lines = reply.type === "answer" ? parseSignatureLines(reply.text) : undefined;
      const note = parseNote(await log.checkpoint());
      if (!note.ok) throw new Error(note.error.sentence);
      const signed = { text: note.value.text, signatures: present(lines, "lines") };
      expect(await verifyNote(primitives, signed, [witness.key])).toMatchObject({
        ok: true,
        value: [{ key: witness.key, timeS: WITNESS_TIME_S }],
      });
    }
  });

  test("signs the same checkpoint again, and its extension lines as they stand", async () => {
    expect(await statusOf(await request(log, 0))).toBe(200);
    expect(await statusOf(await request(log, 5))).toBe(200);
    const head = await log.head();
    const text = `${log.origin}\n5\n${bytesToBase64(head.root)}\nan extension\n`;
    const signatures = [await signNote(primitives, log.signer, log.origin, text)];
    const body = formatAddCheckpoint({ oldSize: 5, proof: [], note: formatNote({ text, signatures }) });
    const reply = await ask(body);
    const lines = reply.type === "answer" ? parseSignatureLines(reply.text) : undefined;
    const signed = { text, signatures: present(lines, "lines") };
    expect((await verifyNote(primitives, signed, [witness.key])).ok).toBe(true);
    // The signature covers the extension: without it, it does not hold.
    const cut = { ...signed, text: text.replace("an extension\n", "") };
    expect((await verifyNote(primitives, cut, [witness.key])).ok).toBe(false);
  });

  test("signs the empty log, and only with its root", async () => {
    const empty = new MemoryLog(primitives, "empty.example");
    witness = await TestWitness.make("w.example/1", [await keyOf(empty)]);
    const text = `empty.example\n0\n${bytesToBase64(new Uint8Array(32))}\n`;
    const signatures = [await signNote(primitives, empty.signer, empty.origin, text)];
    const wrong = formatAddCheckpoint({ oldSize: 0, proof: [], note: formatNote({ text, signatures }) });
    expect(await statusOf(wrong)).toBe(422);
    const right = formatAddCheckpoint({ oldSize: 0, proof: [], note: await empty.checkpoint() });
    expect(await statusOf(right)).toBe(200);
    await grown(empty, 2);
    expect(await statusOf(await request(empty, 0))).toBe(200);
  });

  test("answers 404 for a log that it does not follow, 403 without a signature that verifies", async () => {
    const other = new MemoryLog(primitives, "other.example");
    await grown(other, 1);
    expect(await statusOf(await request(other, 0))).toBe(404);
    const stolen = new MemoryLog(primitives, log.origin, new Uint8Array(32).fill(9));
    await grown(stolen, 5);
    expect(await statusOf(await request(stolen, 0))).toBe(403);
    // A line of the log's own key over something else.
    const note = parseNote(await log.checkpoint());
    if (!note.ok) throw new Error(note.error.sentence);
    const elsewhere = await signNote(primitives, log.signer, log.origin, "another text\n");
    const forged = `${note.value.text}\n${formatSignatureLine(elsewhere)}`;
    expect(await statusOf(formatAddCheckpoint({ oldSize: 0, proof: [], note: forged }))).toBe(403);
    // Lines of unknown keys are ignored.
    const extra = `${await log.checkpoint()}${formatSignatureLine({ name: "x", keyId: 1, bytes: new Uint8Array(3_300) })}`;
    expect(await statusOf(formatAddCheckpoint({ oldSize: 0, proof: [], note: extra }))).toBe(200);
  });

  test("takes both keys of a log that changes its key, as the operator gives them", async () => {
    expect(await statusOf(await request(log, 0))).toBe(200);
    const next = localSigner(new Uint8Array(32).fill(8));
    log.signWith(next, 5);
    await grown(log, 1);
    expect(await statusOf(await request(log, 5))).toBe(403);
    const both = [logKey, await keyOf(log)];
    witness = await TestWitness.make("w.example/1", both, witness.memory);
    expect(await statusOf(await request(log, 5))).toBe(200);
  });

  test("answers 400 if the old size is above that of the checkpoint", async () => {
    const note = await log.checkpoint();
    expect(await statusOf(formatAddCheckpoint({ oldSize: 6, proof: [], note }))).toBe(400);
  });

  test("answers 409 with its own size, in its media type, if the old size is another", async () => {
    await ask(await request(log, 0));
    await grown(log, 4);
    for (const oldSize of [0, 3, 9])
      expect(await ask(await request(log, oldSize))).toEqual({
        type: "answer",
        status: 409,
        mediaType: "text/x.tlog.size",
        text: "5\n",
      });
    expect(await statusOf(await request(log, 5))).toBe(200);
  });

  test("answers 422 to a proof that is wrong, too short, too long, or not empty where it must be", async () => {
    const first = formatAddCheckpoint({
      oldSize: 0,
      proof: [new Uint8Array(32)],
      note: await log.checkpoint(),
    });
    expect(await statusOf(first)).toBe(422);
    await ask(await request(log, 0));
    const again = first.replace("old 0", "old 5");
    expect(await statusOf(again)).toBe(422);
    await grown(log, 4);
    const note = await log.checkpoint();
    const consistency = await (await log.tree()).consistency(5);
    const proof = consistency.ok ? consistency.value : [];
    const changed = proof.map(
      (hash, index): Bytes => (index === 0 ? hash.with(0, (hash[0] ?? 0) ^ 1) : hash),
    );
    for (const wrong of [changed, proof.slice(1), proof.slice(0, -1), [...proof, new Uint8Array(32)], []])
      expect(await statusOf(formatAddCheckpoint({ oldSize: 5, proof: wrong, note }))).toBe(422);
    // The positive control.
    expect(await statusOf(formatAddCheckpoint({ oldSize: 5, proof, note }))).toBe(200);
  });

  test("gives a forked log no signature: 422 for a longer one, 409 and evidence for one of the same size", async () => {
    const fork = log.fork();
    await grown(log, 3);
    await ask(await request(log, 0));
    await fork.addBytes(...["a", "b", "c"].map(leaf));
    expect(await ask(await request(fork, 8))).toMatchObject({ status: 409, text: "8\n" });
    expect(witness.memory.splits.get(log.origin)).toEqual([await log.checkpoint(), await fork.checkpoint()]);
    await fork.addBytes(leaf("d"));
    expect(await statusOf(await request(fork, 8))).toBe(422);
    expect(witness.memory.notes.get(log.origin)).toBe(await log.checkpoint());
  });

  const MALFORMED: readonly (readonly [string, (body: string) => string])[] = [
    ["an empty body", () => ""],
    ["no old size line", (body) => body.slice(body.indexOf("\n") + 1)],
    ["another word", (body) => body.replace("old", "Old")],
    ["a leading zero", (body) => body.replace("old 0", "old 00")],
    ["a sign", (body) => body.replace("old 0", "old +0")],
    ["a size below 0", (body) => body.replace("old 0", "old -1")],
    ["a fraction", (body) => body.replace("old 0", "old 0.0")],
    ["an exponent", (body) => body.replace("old 0", "old 1e0")],
    ["2^53 + 1", (body) => body.replace("old 0", "old 9007199254740993")],
    ["two spaces", (body) => body.replace("old 0", "old  0")],
    ["a space at the end", (body) => body.replace("old 0", "old 0 ")],
    ["CR LF", (body) => body.replaceAll("\n", "\r\n")],
    ["no empty line", (body) => body.replaceAll("\n\n", "\n")],
    ["two empty lines", (body) => body.replace("\n\n", "\n\n\n")],
    ["a proof line that is no base64", (body) => body.replace("\n\n", "\n???\n\n")],
    [
      "a proof line of 31 bytes",
      (body) => body.replace("\n\n", `\n${bytesToBase64(new Uint8Array(31))}\n\n`),
    ],
    [
      "64 proof lines",
      (body) => body.replace("\n\n", `\n${`${bytesToBase64(new Uint8Array(32))}\n`.repeat(64)}\n`),
    ],
    ["no checkpoint", () => "old 0\n\n"],
    ["no signature", (body) => body.slice(0, body.lastIndexOf("\n\n") + 1)],
    ["no newline at the end", (body) => body.slice(0, -1)],
    ["NUL", (body) => body.replace("log.example", "log\0example")],
    ["a lone surrogate", (body) => body.replace("log.example", "log\ud800example")],
    ["JSON", () => `{"__proto__":{"old":0}}\n\n`],
    ["a checkpoint whose size is no number", (body) => body.replace("\n5\n", "\n5x\n")],
    [
      "a root of 31 bytes",
      (body) => body.replace(/\n5\n.*\n/, `\n5\n${bytesToBase64(new Uint8Array(31))}\n`),
    ],
  ];

  test.each(MALFORMED)("answers 400 to %s, and remembers nothing", async (_, change) => {
    const body = await request(log, 0);
    expect(await statusOf(change(body))).toBe(400);
    expect(witness.memory.notes.size).toBe(0);
    expect(await statusOf(body)).toBe(200);
  });
});

describe("[A91] a witness judges and remembers in one step", () => {
  test("of two forks at once it signs one", async () => {
    await ask(await request(log, 0));
    const fork = log.fork();
    await grown(log, 3);
    await fork.addBytes(...["a", "b", "c", "d"].map(leaf));
    const bodies = [await request(log, 5), await request(fork, 5)];
    const statuses = await Promise.all([...bodies, ...bodies, ...bodies].map(statusOf));
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(5);
  });

  test("what it signs is kept before it answers, and what could not be kept is not signed", async () => {
    const memory = witnessMemory();
    const order: string[] = [];
    const kept = { ...memory };
    let isFull = true;
    kept.keep = async (origin, note) => {
      if (isFull) throw Object.assign(new Error("full"), { code: "ENOSPC" });
      await new Promise((resolve) => setTimeout(resolve, 20));
      await memory.keep(origin, note);
      order.push("kept");
    };
    witness = await TestWitness.make("w.example/1", [logKey], kept);
    const body = await request(log, 0);
    await expect(ask(body)).rejects.toThrow("full");
    isFull = false;
    const reply = await ask(body);
    order.push("answered");
    expect(reply).toMatchObject({ status: 200 });
    expect(order).toEqual(["kept", "answered"]);
  });

  test("a checkpoint that may not be durable is kept again before it is signed, though it is there to be read", async () => {
    const memory = witnessMemory();
    let isFailing = true;
    let kept = 0;
    const halfKept = {
      ...memory,
      keep: async (origin: string, note: string) => {
        await memory.keep(origin, note);
        if (isFailing) throw Object.assign(new Error("the folder was not synced"), { code: "EIO" });
        kept += 1;
      },
    };
    witness = await TestWitness.make("w.example/1", [logKey], halfKept);
    await expect(ask(await request(log, 0))).rejects.toThrow("not synced");
    await expect(ask(await request(log, 5))).rejects.toThrow("not synced");
    isFailing = false;
    expect(await statusOf(await request(log, 5))).toBe(200);
    expect(kept).toBe(1);
    expect(await statusOf(await request(log, 5))).toBe(200);
    expect(kept).toBe(1);
  });

  test("a memory that is no checkpoint is an error, never a beginning", async () => {
    witness.memory.notes.set(log.origin, "old\n");
    await expect(ask(await request(log, 0))).rejects.toThrow();
    expect(witness.memory.notes.get(log.origin)).toBe("old\n");
  });

  test("more than 32 requests about one log at once are turned away", async () => {
    const memory = witnessMemory();
    let answer = () => {};
    const isAnswering = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const slow = {
      ...memory,
      keep: (origin: string, note: string) => isAnswering.then(() => memory.keep(origin, note)),
    };
    witness = await TestWitness.make("w.example/1", [logKey], slow);
    const body = await request(log, 0);
    const statuses: (number | string)[] = [];
    const asked = Array.from({ length: 200 }, async () => statuses.push(await statusOf(body)));
    // 32 wait for the disk, and nobody waits for those.
    await expect.poll(() => statuses.length).toBe(168);
    expect(new Set(statuses)).toEqual(new Set([503]));
    answer();
    await Promise.all(asked);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(31);
    expect(await statusOf(await request(log, 5))).toBe(200);
  });
});
