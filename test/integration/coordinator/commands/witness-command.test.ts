import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { present } from "#shared/kernel/assert.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { primitives } from "#shared/node/system.ts";
import {
  ADD_CHECKPOINT_BYTES_MAX,
  formatAddCheckpoint,
  parseSignatureLines,
} from "#shared/tlog/add-checkpoint.ts";
import { parseCheckpoint } from "#shared/tlog/checkpoint.ts";
import {
  formatVerifierKey,
  parseNote,
  parseVerifierKey,
  SIGNATURE_TYPES,
  verifierKey,
  verifyNote,
} from "#shared/tlog/note.ts";
import { sendRaw } from "#test/kit/adversary/raw-http.ts";
import { MemoryLog } from "#test/kit/tlog.ts";
import { runCommand } from "#test/kit/worlds/run-command.ts";
import { spawnWitness, type WitnessProcess } from "#test/kit/worlds/witness-process.ts";

const scratch = mkdtempSync(join(tmpdir(), "chorus-witness-"));
const started: WitnessProcess[] = [];
afterAll(async () => {
  for (const witness of started) await witness.kill();
  rmSync(scratch, { recursive: true, force: true });
});

const leaf = (text: string) => new TextEncoder().encode(text);
const keyOf = async (log: MemoryLog) =>
  formatVerifierKey(await verifierKey(primitives, log.origin, SIGNATURE_TYPES.ed25519, log.publicKey));

async function aLog(count = 5): Promise<MemoryLog> {
  const log = new MemoryLog(primitives);
  await log.addBytes(...Array.from({ length: count }, (_, index) => leaf(`leaf ${index}`)));
  return log;
}

async function request(log: MemoryLog, oldSize: number): Promise<string> {
  const consistency = await (await log.tree()).consistency(oldSize);
  if (!consistency.ok) throw new Error(consistency.error.path);
  return formatAddCheckpoint({ oldSize, proof: consistency.value, note: await log.checkpoint() });
}

async function start(name: string, logs: readonly MemoryLog[], port = 0): Promise<WitnessProcess> {
  const keys = await Promise.all(logs.map(keyOf));
  const witness = await spawnWitness({ name, folder: join(scratch, name), port }, keys);
  started.push(witness);
  return witness;
}

const post = (witness: WitnessProcess, body: string) =>
  fetch(`${witness.url}/add-checkpoint`, { method: "POST", body });

/** True if the answer's lines are the witness's, under this log's checkpoint. */
async function isSigned(witness: WitnessProcess, log: MemoryLog, lines: string): Promise<boolean> {
  const key = await parseVerifierKey(primitives, witness.key);
  const note = parseNote(await log.checkpoint());
  const signatures = parseSignatureLines(lines);
  if (!key.ok || !note.ok || signatures === undefined) return false;
  const verified = await verifyNote(primitives, { text: note.value.text, signatures }, [key.value]);
  return verified.ok && verified.value.length === 1;
}

describe("[A90] npm run log -- witness", () => {
  test("prints its key, answers with the statuses of C2SP, and goes on after a restart", async () => {
    const log = await aLog();
    let witness = await start("w.example", [log]);
    expect(witness.key).toMatch(/^w\.example\+[0-9a-f]{8}\+B[A-Za-z0-9+/]{43}$/);
    const first = await post(witness, await request(log, 0));
    expect(first.status).toBe(200);
    expect(await isSigned(witness, log, await first.text())).toBe(true);
    await log.addBytes(leaf("more"));
    const conflict = await post(witness, await request(log, 3));
    expect([conflict.status, conflict.headers.get("content-type"), await conflict.text()]).toEqual([
      409,
      "text/x.tlog.size",
      "5\n",
    ]);
    const { key } = witness;
    expect(await witness.stop()).toBe(0);
    witness = await start("w.example", [log]);
    expect(witness.key).toBe(key);
    const statuses = async (...bodies: readonly string[]) =>
      Promise.all(bodies.map(async (body) => (await post(witness, body)).status));
    const fork = (await aLog()).fork();
    await fork.addBytes(leaf("other"), leaf("leaves"));
    const stranger = new MemoryLog(primitives, "stranger.example");
    const thief = new MemoryLog(primitives, log.origin, new Uint8Array(32).fill(9));
    expect(
      await statuses(
        await request(stranger, 0),
        await request(thief, 0),
        (await request(log, 5)).replace("old 5", "old 7"),
        (await request(log, 5)).replace(/old 5\n.*?\n\n/s, "old 5\n\n"),
        "",
      ),
    ).toEqual([404, 403, 400, 422, 400]);
    const second = await post(witness, await request(log, 5));
    expect(await isSigned(witness, log, await second.text())).toBe(true);
    expect(await statuses(await request(fork, 6))).toEqual([422]);
    await witness.stop();
  });

  test("says which option is wrong", async () => {
    const log = await aLog();
    const key = await keyOf(log);
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [["--help"], 0, /--name NAME/],
      [["--log", key], 2, /Name the witness/],
      [["--name", "a b", "--log", key], 2, /without spaces and plus signs/],
      [["--name", "a+b", "--log", key], 2, /without spaces and plus signs/],
      [["--name", "w"], 2, /--log NAME\+KEYID\+KEY/],
      [["--name", "w", "--log", key, "--listen", "99999"], 2, /--listen/],
      [["--name", "w", "--log", key, "--speed", "9"], 2, /--speed/],
      [["--name", "w", "--log", "nonsense"], 2, /NAME\+KEYID\+KEY/],
      [["--name", "w", "--log", key.replace(/\+[0-9a-f]{8}\+/, "+00000000+")], 2, /does not belong/],
    ];
    for (const [args, code, says] of cases) {
      const ended = await runCommand("log", ["witness", ...args, "--state", join(scratch, "bad")]);
      expect([ended.code, args]).toEqual([code, args]);
      expect(ended.stdout + ended.stderr).toMatch(says);
    }
  });
});

describe("[A91] a witness's folder", () => {
  test("is private, belongs to one process and one name, and is not begun anew", async () => {
    const log = await aLog();
    const folder = join(scratch, "kept.example");
    const witness = await start("kept.example", [log]);
    expect((await post(witness, await request(log, 0))).status).toBe(200);
    await expect(start("kept.example", [log])).rejects.toThrow(/Another witness uses/);
    await witness.stop();
    await expect(spawnWitness({ name: "renamed.example", folder }, [await keyOf(log)])).rejects.toThrow(
      /This folder is of the witness kept\.example/,
    );
    const [memory] = readdirSync(join(folder, "logs"));
    const path = join(folder, "logs", present(memory, "what it signed"));
    const note = readFileSync(path, "utf8");
    for (const torn of ["", note.slice(0, 30), "\0".repeat(note.length)]) {
      writeFileSync(path, torn);
      await expect(start("kept.example", [log])).rejects.toThrow(/is damaged/);
    }
    writeFileSync(path, note);
    const key = readFileSync(join(folder, "witness.key"), "utf8");
    for (const change of [
      () => rmSync(join(folder, "witness.key")),
      () => writeFileSync(join(folder, "witness.key"), "x"),
    ]) {
      change();
      await expect(start("kept.example", [log])).rejects.toThrow(/not made anew/);
    }
    writeFileSync(join(folder, "witness.key"), key);
    const verifier = readFileSync(join(folder, "witness.vkey"), "utf8");
    rmSync(join(folder, "witness.vkey"));
    await expect(start("kept.example", [log])).rejects.toThrow(/witness\.vkey is missing/);
    writeFileSync(join(folder, "witness.vkey"), verifier);
    rmSync(join(folder, "logs"), { recursive: true });
    await expect(start("kept.example", [log])).rejects.toThrow(/A witness that forgets/);
  });

  test("killed in the middle of requests, again and again, it never signs two trees of one size", async () => {
    const log = await aLog(1);
    const fork = log.fork();
    // By size: roots that were signed.
    const signed = new Map<number, Set<string>>();
    let port = 0;
    let accepted = 0;
    // Both histories are offered at once, from whatever size the witness says that it has.
    const offer = async (witness: WitnessProcess) => {
      for (const side of [log, fork]) await side.addBytes(leaf(`${side === log} ${side.leaves.length}`));
      const asked = [log, fork].map(async (side) => {
        let answer: Response;
        try {
          answer = await post(witness, await request(side, 0));
          const told = answer.status === 409 ? Number(await answer.text()) : 0;
          if (told > 0 && told <= side.leaves.length) answer = await post(witness, await request(side, told));
          if (answer.status !== 200) return;
          expect(await isSigned(witness, side, await answer.text())).toBe(true);
        } catch (fault) {
          // Cut off by the kill.
          if (!(fault instanceof TypeError)) throw fault;
          return;
        }
        const { size, root } = await side.head();
        signed.set(size, (signed.get(size) ?? new Set()).add(bytesToHex(root)));
        accepted += 1;
      });
      await Promise.all(asked);
    };
    for (let life = 0; life < 12; life++) {
      const witness = await start("killed.example", [log], port);
      port = witness.port;
      const before = accepted;
      while (accepted === before) await offer(witness);
      // Killed in whatever it does then.
      const last = offer(witness);
      await new Promise((resolve) => setTimeout(resolve, 2 * life));
      await witness.kill();
      await last;
    }
    expect([...signed.values()].filter((roots) => roots.size > 1)).toEqual([]);
    expect(accepted).toBeGreaterThanOrEqual(12);
    // What is remembered is the newest that was signed, or one that was about to be.
    const folder = join(scratch, "killed.example", "logs");
    const [name] = readdirSync(folder).filter((file) => !file.endsWith(".partial"));
    const note = parseNote(readFileSync(join(folder, present(name, "a memory")), "utf8"));
    const kept = note.ok ? parseCheckpoint(note.value.text) : note;
    if (!kept.ok) throw new Error(kept.error.sentence);
    expect(kept.value.size).toBeGreaterThanOrEqual(Math.max(...signed.keys()));
    // One history alone goes on.
    const witness = await start("killed.example", [log], port);
    await Promise.all([log, fork].map((side) => side.addBytes(leaf("the end"))));
    const last = await Promise.all(
      [log, fork].map(async (side) => (await post(witness, await request(side, kept.value.size))).status),
    );
    expect(last.toSorted()).toEqual([200, last.includes(422) ? 422 : 409]);
  });
});

describe("[A92] hostile requests to a witness", () => {
  test("get an answer of 4xx or a closed connection; nothing is remembered, and it lives", async () => {
    const log = await aLog();
    const witness = await start("hostile.example", [log]);
    const good = await request(log, 0);
    const head = (length: number | string, more = "") =>
      `POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nConnection: close\r\nContent-Length: ${length}\r\n${more}\r\n`;
    const bomb = gzipSync(Buffer.alloc(50_000_000)).toString("latin1");
    const cases: Readonly<Record<string, readonly [readonly (string | number | null)[], readonly number[]]>> =
      {
        "an empty body": [[head(0)], [400]],
        "no length at all": [
          ["POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n"],
          [400],
        ],
        "a length over the limit": [[head(ADD_CHECKPOINT_BYTES_MAX + 1), "x"], [413]],
        "a length of 1e400": [[head("1e400"), "x"], [400]],
        "a negative length": [[head("-1"), "x"], [400]],
        "two lengths": [[head(4, "Content-Length: 5\r\n"), "old 0"], [400]],
        "a body that is cut": [
          [head(500), "old 0\n", null],
          [0, 400],
        ],
        "chunks without end": [
          [
            "POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n",
            ...Array.from({ length: 12 }, () => `8000\r\n${"a".repeat(0x8000)}\r\n`),
          ],
          [0, 413],
        ],
        "chunks that lie": [
          [
            "POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n",
            "zz\r\nold 0\r\n",
          ],
          [400],
        ],
        "length and chunks": [[head(4, "Transfer-Encoding: chunked\r\n"), "0\r\n\r\n"], [400]],
        "a gzip bomb": [
          [head(bomb.length, "Content-Encoding: gzip\r\n"), bomb],
          [0, 415],
        ],
        "JSON 10^5 deep": [[head(200_000), "[".repeat(100_000) + "]".repeat(100_000)], [400]],
        "bytes that are no UTF-8": [[head(4), "\xff\xfe\xff\xfe"], [400]],
        "a line of 200 kB": [[head(200_004), `old ${"9".repeat(200_000)}`], [400]],
        "headers of 1 MB": [
          [`POST /add-checkpoint HTTP/1.1\r\nX: ${"a".repeat(1_000_000)}\r\n\r\n`],
          [0, 431],
        ],
        "no HTTP": [
          ["\x16\x03\x01\x02\x00", null],
          [0, 400],
        ],
        "another method": [
          ["PUT /add-checkpoint HTTP/1.1\r\nHost: w\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"],
          [405],
        ],
        "another path": [
          ["POST /../etc/passwd HTTP/1.1\r\nHost: w\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"],
          [404],
        ],
        "an encoded path": [
          ["POST /%61dd-checkpoint HTTP/1.1\r\nHost: w\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"],
          [404],
        ],
        "an absolute URL": [
          [
            "POST http://elsewhere/add-checkpoint HTTP/1.1\r\nHost: w\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
          ],
          [404],
        ],
        "an upgrade": [
          ["GET /add-checkpoint HTTP/1.1\r\nHost: w\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"],
          [0],
        ],
        "a CONNECT": [["CONNECT elsewhere:443 HTTP/1.1\r\nHost: w\r\n\r\n"], [0, 404, 405]],
        "an origin with CR LF": [[head(60), `old 0\n\nlog.example\r\n1\r\n${"A".repeat(37)}`], [400]],
        "an origin that is a path": [
          [head(74), `old 0\n\n../../witness.key\n5\n${"A".repeat(43)}=\n\n\u0080`],
          [400],
        ],
      };
    for (const [what, [parts, statuses]] of Object.entries(cases)) {
      const { status, body } = await sendRaw(witness.port, ...parts);
      expect([what, statuses.includes(status), status]).toEqual([what, true, status]);
      expect(body).not.toMatch(/\bat .*\.ts:|node:internal/);
    }
    // A hundred that say nothing do not keep others out.
    const silent = Promise.all(Array.from({ length: 100 }, () => sendRaw(witness.port, 50, null)));
    expect(readdirSync(join(scratch, "hostile.example", "logs"))).toEqual([]);
    expect(existsSync(join(scratch, "hostile.example", "split"))).toBe(false);
    expect((await post(witness, good)).status).toBe(200);
    await silent;
  });
});
