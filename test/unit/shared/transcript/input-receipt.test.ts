import { describe, expect, test } from "vitest";
import { base64ToBytes, bytesToBase64, utf8, utf8ToText } from "#shared/kernel/bytes.ts";
import { primitives } from "#shared/node/system.ts";
import {
  cosignNote,
  formatSignatureLine,
  parseNote,
  SIGNATURE_TYPES,
  verifierKey,
} from "#shared/tlog/note.ts";
import {
  isInputReceipt,
  makeInputReceipt,
  type SealedInput,
  verifyInputReceipt,
} from "#shared/transcript/input-receipt.ts";
import { MemoryLog } from "#test/kit/tlog.ts";
import { sealInputs } from "#test/kit/worlds/sealed-inputs.ts";
import { TestWitness } from "#test/kit/worlds/witnesses.ts";

/* Five devices in one session, whose inputs are sealed in a log that has entries before and after. */

const SID = "5d".repeat(32);
const ROUND = "cd".repeat(16);
async function sealedWorld() {
  const log = new MemoryLog(primitives);
  await log.add("round.aborted", { roundId: ROUND, code: "TIMEOUT", opened: false });
  const seen = await log.head();
  const session = { roundId: ROUND, sid: SID };
  const { entry, own } = await sealInputs(primitives, log, session, { count: 5, ownIndex: 3 });
  const others = { roundId: ROUND, sid: "6e".repeat(32) };
  const { entry: other } = await sealInputs(primitives, log, others, { count: 5, ownIndex: 3 });
  const known = { origin: log.origin, key: log.publicKey, seen };
  const key = await verifierKey(primitives, log.origin, SIGNATURE_TYPES.ed25519, log.publicKey);
  return { log, own, known, key, entry, other, seen };
}
type SealedWorld = Awaited<ReturnType<typeof sealedWorld>>;

async function made({ log, known, own, entry, seen }: SealedWorld): Promise<string> {
  const receipt = await makeInputReceipt(primitives, await log.proof(seen.size, [entry]), known, own);
  if (!receipt.ok) throw new Error(receipt.error.type);
  return receipt.value.text;
}

interface Extra {
  readonly entry: string;
  readonly own: object;
}
function withExtra(text: string, change: (extra: Extra) => unknown): string {
  const [, extra = ""] = /^extra (.+)$/m.exec(text) ?? [];
  const value = JSON.parse(utf8ToText(base64ToBytes(extra) ?? new Uint8Array(0)) ?? "");
  return text.replace(extra, bytesToBase64(utf8(JSON.stringify(change(value)))));
}

describe("a participant's receipt", () => {
  test("[A72] leads from the own list over the round's entry to a signed checkpoint, and is checked offline", async () => {
    const world = await sealedWorld();
    const { log, known, own, entry, key, seen } = world;
    const receipt = await makeInputReceipt(primitives, await log.proof(seen.size, [entry]), known, own);
    const head = await log.head();
    const facts = {
      origin: log.origin,
      logSize: 3,
      entryIndex: 1,
      at: 1_700_000_000_000,
      roundId: ROUND,
      sid: SID,
      survivors: 5,
      inputRoot: own.root,
      witnesses: [],
    };
    expect(receipt).toMatchObject({
      ok: true,
      value: { receipt: facts, seen: { size: head.size, root: head.root, key: log.publicKey } },
    });
    const text = await made(world);
    expect(text.startsWith("c2sp.org/tlog-proof@v1\nextra ")).toBe(true);
    expect(await verifyInputReceipt(primitives, text, key)).toEqual({ ok: true, value: facts });
    expect([isInputReceipt(text), isInputReceipt("c2sp.org/tlog-proof@v1\nindex 0\n\nx\n")]).toEqual([
      true,
      false,
    ]);
  });

  test("[A95] of a task with witnesses is made and held only with enough of their signatures", async () => {
    const world = await sealedWorld();
    const { log, known, own, entry, key, seen } = world;
    const witnesses = await Promise.all(["w1", "w2", "w3"].map((name) => TestWitness.make(name, [key])));
    const quorum = { witnesses: witnesses.map((witness) => witness.key), needed: 2 };
    const proof = await log.proof(seen.size, [entry]);
    const note = parseNote(proof.checkpoint);
    if (!note.ok) throw new Error(note.error.sentence);
    const lines = await Promise.all(
      witnesses.map(async (witness) =>
        formatSignatureLine(
          await cosignNote(primitives, witness.signer, witness.key.name, note.value.text, 1),
        ),
      ),
    );
    const makeWith = (...signing: readonly number[]) => {
      const checkpoint = proof.checkpoint + signing.map((index) => lines[index]).join("");
      return makeInputReceipt(primitives, { ...proof, checkpoint }, { ...known, quorum }, own);
    };
    for (const too of [await makeWith(), await makeWith(0), await makeWith(1, 1)])
      expect(too).toMatchObject({ ok: false, error: { type: "too-few-witnesses", need: 2 } });
    const receipt = await makeWith(2, 0);
    if (!receipt.ok) throw new Error(receipt.error.type);
    expect(receipt.value.receipt.witnesses.toSorted()).toEqual(["w1", "w3"]);
    const { text } = receipt.value;
    const verdict = async (changed: string, needed = 2) => {
      const result = await verifyInputReceipt(primitives, changed, key, { ...quorum, needed });
      return result.ok ? "ok" : result.error.type;
    };
    expect(await verdict(text)).toBe("ok");
    expect(await verdict(text, 3)).toBe("too-few-witnesses");
    expect(await verdict(text.replace(lines[2] ?? "", ""))).toBe("too-few-witnesses");
    // A line of a known witness must hold.
    const at = text.indexOf(lines[2] ?? "") + 20;
    const other = text[at] === "A" ? "B" : "A";
    expect(await verdict(text.slice(0, at) + other + text.slice(at + 1))).toBe("bad-signature");
    // Whoever demands nobody's signature takes the receipt as it was.
    expect((await verifyInputReceipt(primitives, text, key)).ok).toBe(true);
  });

  test.each([
    ["another device's list", { root: "03".repeat(32) }],
    ["another place", { index: 2 }],
    ["no way up", { path: [] }],
  ])("[A72] is refused with %s", async (_, change) => {
    const world = await sealedWorld();
    const changed = withExtra(await made(world), ({ own, ...extra }) => ({
      ...extra,
      own: Object.assign({}, own, change),
    }));
    expect(await verifyInputReceipt(primitives, changed, world.key)).toEqual({
      ok: false,
      error: { type: "not-under-entry" },
    });
  });

  test("[A72] is refused with another entry, another place in the log, another key or a changed checkpoint", async () => {
    const world = await sealedWorld();
    const text = await made(world);
    const verdict = async (changed: string, key = world.key) => {
      const result = await verifyInputReceipt(primitives, changed, key);
      return result.ok ? "ok" : result.error.type;
    };
    expect(await verdict(text)).toBe("ok");
    const entry = (extra: Extra) => ({
      ...extra,
      entry: extra.entry.replace('"survivors":5', '"survivors":6'),
    });
    expect(await verdict(withExtra(text, entry))).toBe("not-included");
    expect(await verdict(text.replace("\nindex 1\n", "\nindex 2\n"))).toBe("not-included");
    const other = await verifierKey(
      primitives,
      world.log.origin,
      SIGNATURE_TYPES.ed25519,
      new Uint8Array(32).fill(1),
    );
    expect(await verdict(text, other)).toBe("not-signed");
    expect(await verdict(text, { ...world.key, name: "log.example/2" })).toBe("other-origin");
    expect(await verdict(text.replace(/\n3\n/, "\n4\n"))).not.toBe("ok");
  });

  test.each(["", "constructor", "c2sp.org/tlog-proof@v1\n\n", "\n\n", `${"x".repeat(100_000)}\n\n`])(
    "[A72] is refused as no receipt: %#",
    async (text) => {
      const { key } = await sealedWorld();
      expect(await verifyInputReceipt(primitives, text, key)).toMatchObject({
        error: { type: "bad-receipt" },
      });
    },
  );

  test.each(['{"__proto__":{}}', "[]", "null", '{"format":"chorus-input-receipt/2"}', '{"a":1,"a":2}'])(
    "[A72] is refused with extra data of another kind: %s",
    async (extra) => {
      const world = await sealedWorld();
      const [, own = ""] = /^extra (.+)$/m.exec(await made(world)) ?? [];
      const text = (await made(world)).replace(own, bytesToBase64(utf8(extra)));
      expect(await verifyInputReceipt(primitives, text, world.key)).toMatchObject({
        error: { type: "bad-receipt" },
      });
      expect(isInputReceipt(text)).toBe(false);
    },
  );
});

describe("making a receipt", () => {
  test("[A72] refuses an entry of another session, an entry with another root, and a proof without an entry", async () => {
    const { log, known, own, entry, other, seen } = await sealedWorld();
    const make = async (indexes: readonly number[], input: SealedInput) =>
      makeInputReceipt(primitives, await log.proof(seen.size, indexes), known, input);
    const refused = { ok: false, error: { type: "other-entry" } };
    expect(await make([other], own)).toEqual(refused);
    expect(await make([0], own)).toEqual(refused);
    expect(await make([], own)).toEqual(refused);
    expect(await make([entry], { ...own, survivorCount: 4 })).toEqual(refused);
    const elsewhere = { ...own, proof: { ...own.proof, inputsRoot: "00".repeat(32) } };
    expect(await make([entry], elsewhere)).toEqual(refused);
    expect((await make([entry], own)).ok).toBe(true);
  });

  test("[A72] demands that the log extends the one that the device saw", async () => {
    const world = await sealedWorld();
    const { log, known, own } = world;
    const forked = log.fork();
    await log.add("round.aborted", { roundId: ROUND, code: "TIMEOUT", opened: false });
    await forked.add("round.aborted", {
      roundId: ROUND,
      code: "STOPPED",
      opened: false,
    });
    const proof = await forked.proof(4, [1]);
    const make = (seen: typeof known.seen) => makeInputReceipt(primitives, proof, { ...known, seen }, own);
    expect(await make(await log.head())).toMatchObject({ error: { type: "forked" } });
    await log.add("round.aborted", { roundId: ROUND, code: "TIMEOUT", opened: false });
    expect(await make(await log.head())).toMatchObject({ error: { type: "rolled-back" } });
    expect((await make(await forked.head())).ok).toBe(true);
  });
});
