import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { rowsAt } from "#coordinator/commands/task/hold-out.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { type RunningCoordinator, startCoordinator } from "#coordinator/main.ts";
import { heldOutUploadSchema, taskCreatedSchema } from "#shared/protocol/api.ts";
import { makePng } from "#test/kit/files/png.ts";
import { makeZip } from "#test/kit/files/zip.ts";
import { adminToken } from "#test/kit/worlds/admin.ts";
import { runCommand } from "#test/kit/worlds/run-command.ts";

/* The task of the examples, created by the API and by the command, with held-out rows, on real coordinators. */

const EXAMPLE = fileURLToPath(new URL("../../../../examples/tasks/readmission.json", import.meta.url));
const CARD = ["--source", "Made up.", "--licence", "None.", "--ground", "A test.", "--collected", "2026"];
const QUIET = { info: () => {}, warn: () => {}, error: () => {} };
const HEADER = "age,stays,days,hba1c,admitted,sex,returned";

let folder: string;
const running: RunningCoordinator[] = [];
const tokens: string[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "chorus-task-"));
  for (const name of ["one", "two"]) {
    const one = await startCoordinator({ port: 0, dataDir: join(folder, name), web: false, log: QUIET });
    running.push(one);
    tokens.push(await adminToken(one.accessDesk));
  }
});
afterAll(async () => {
  for (const one of running) await one.stop();
  await rm(folder, { recursive: true });
});

const task = (...args: string[]) =>
  runCommand("task", args, { CHORUS_URL: running[0]?.url ?? "", CHORUS_TOKEN: tokens[0] ?? "" });

async function api(which: number, method: string, path: string, body?: BodyInit, headers = {}) {
  const answer = await fetch(`${running[which]?.url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${tokens[which]}`, "content-type": "application/json", ...headers },
    ...(body !== undefined && { body }),
  });
  return { status: answer.status, headers: answer.headers, json: (await answer.json()) as unknown };
}

const rows = (...labels: string[]) =>
  [HEADER, ...labels.map((label, row) => `${40 + row},1,5,,planned,female,${label}`), ""].join("\n");

test("[A22] the example is made by the API and by the command, under one hash that check already names", async () => {
  const text = await readFile(EXAMPLE, "utf8");
  const checked = await runCommand("task", ["check", EXAMPLE], { CHORUS_TOKEN: "" });
  expect(checked).toMatchObject({ code: 0, stderr: "" });
  const hash = /hash +([0-9a-f]{64})/.exec(checked.stdout)?.[1] ?? "none";
  const made = await task("create", EXAMPLE);
  expect(made).toMatchObject({
    code: 0,
    stderr: "",
    stdout: `Published readmission, version 1, as ${hash}.\n`,
  });
  const posted = await api(1, "POST", "/tasks", text);
  expect(posted.status).toBe(201);
  expect(taskCreatedSchema.parse(posted.json).taskHash).toBe(hash);
  // The same version again is refused, by either.
  expect(await task("create", EXAMPLE)).toMatchObject({ code: 1, stderr: expect.stringContaining("exists") });
  expect((await api(1, "POST", "/tasks", text)).status).toBe(409);
});

test("[A22] how a version differs is said before it is published, also if publishing is refused", async () => {
  const first = { ...JSON.parse(await readFile(EXAMPLE, "utf8")), slug: "two-versions" };
  const next = { ...first, notFor: "Deciding on payment." };
  const file = join(folder, "next.json");
  await writeFile(file, JSON.stringify(first));
  expect((await task("create", file)).code).toBe(0);
  await writeFile(file, JSON.stringify({ ...next, version: 2 }));
  const { code, stdout } = await task("create", file);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^How it differs from version 1:\n {2}“Not for” is .+\nPublished two-versions, version 2/s,
  );
  await writeFile(file, JSON.stringify({ ...next, version: 9, notFor: "Anything." }));
  const refused = await task("create", file);
  expect(refused).toMatchObject({
    code: 1,
    stdout: expect.stringContaining("How it differs from version 2"),
  });
  expect(refused.stderr).toContain("The next version of task two-versions is 3.");
  expect((await task("archive", "two-versions", "--yes")).code).toBe(0);
});

test("[A22] a file with mistakes is named field by field, by the command and by the API alike", async () => {
  const wrong = JSON.parse(await readFile(EXAMPLE, "utf8"));
  wrong.aggregation.goal = 2;
  wrong.features.columns[0].range = [100, 18];
  wrong.colour = "red";
  delete wrong.learns;
  const file = join(folder, "wrong.json");
  await writeFile(file, JSON.stringify(wrong));
  const { code, stderr } = await runCommand("task", ["check", file]);
  expect(code).toBe(2);
  const lines = [
    "learns: Missing: a text is wanted.",
    "features.columns.0.range: Range must rise.",
    "aggregation.goal: Must be at least 3.",
    "colour: There is no such field here. Remove it, or check its spelling.",
  ];
  for (const line of lines) expect(stderr).toContain(`  ${line}\n`);
  const { status, json } = await api(1, "POST", "/tasks", JSON.stringify(wrong));
  const { error } = json as { error: { code: string; fields: { path: string; sentence: string }[] } };
  expect([status, error.code]).toEqual([400, "BAD_REQUEST"]);
  expect(error.fields.map(({ path, sentence }) => `${path}: ${sentence}`)).toEqual(
    expect.arrayContaining(lines),
  );
  await writeFile(file, "{");
  expect((await runCommand("task", ["check", file])).code).toBe(2);
  expect((await runCommand("task", ["check", join(folder, "nowhere.json")])).stderr).toContain(
    "cannot be read",
  );
});

test("[E21] hold-out sets rows that fit, and refuses others with their rows; nothing is stored of these", async () => {
  const file = join(folder, "held-out.csv");
  await writeFile(file, rows("yes", "no", "maybe"));
  const refused = await task("hold-out", "readmission", file, ...CARD);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("1 of 3 rows do not fit the task.");
  expect(refused.stderr).toContain("maybe");
  expect((await task("list")).stdout).toMatch(
    /^readmission {2}version 1 {2}judged on devices {2}0 devices here$/m,
  );
  await writeFile(file, rows("yes", "no", "no"));
  const set = await task("hold-out", "readmission", file, ...CARD);
  expect(set).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^3 rows judge .*\n {2}no {2}2\n {2}yes {2}1\n$/),
  });
  expect((await task("list")).stdout).toContain("judged on 3 held-out rows and on devices");
  expect((await task("hold-out", "readmission", join(folder, "nowhere.csv"), ...CARD)).code).toBe(2);
  expect(await task("hold-out", "readmission", file)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("--source: Missing"),
  });
  expect((await task("hold-out", "nobody", file, ...CARD)).code).toBe(1);
});

test("[E21] hold-out takes a zip of pictures in a folder for each class", async () => {
  const file = join(folder, "digits.json");
  await writeFile(file, JSON.stringify(bundledTask("digits", 8, 1)));
  expect((await task("create", file)).code).toBe(0);
  const png = (value: number) =>
    makePng({ width: 8, height: 8, depth: 8, colourType: 0, values: new Array(64).fill(value) });
  const zip = join(folder, "digits.zip");
  const items = [1, 2, 3].map((value) => ({ path: `mine/${value % 2}/${value}.png`, data: png(value) }));
  await writeFile(zip, makeZip([...items, { path: "mine/notes/a.txt", data: "hello" }]));
  expect(await task("hold-out", "digits", zip, ...CARD)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /1 of 4 rows do not fit.*\n {2}The folder “mine\/notes” is named after no class/,
    ),
  });
  await writeFile(zip, makeZip(items));
  expect(await task("hold-out", "digits", zip, ...CARD)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^3 rows judge .*\n {2}0 {2}1\n {2}1 {2}2\n {2}2 {2}0\n/),
  });
  expect((await task("archive", "digits", "--yes")).code).toBe(0);
});

test("[D47] hold-out sends a folder's IDX pair with its layout, and asks if there are several", async () => {
  const letters = join(folder, "letters");
  await mkdir(letters);
  const put = (name: string) => writeFile(join(letters, name), "");
  await put("emnist-letters-train-images-idx3-ubyte.gz");
  await put("emnist-letters-train-labels-idx1-ubyte.gz");
  await put("emnist-letters-test-images-idx3-ubyte.gz");
  await put("emnist-letters-test-labels-idx1-ubyte.gz");
  expect(await rowsAt(letters)).toEqual({
    ok: true,
    value: {
      reading: { format: "idx", layout: { isTransposed: true, firstLabel: 1 } },
      paths: [
        join(letters, "emnist-letters-test-images-idx3-ubyte.gz"),
        join(letters, "emnist-letters-test-labels-idx1-ubyte.gz"),
      ],
    },
  });
  await put("emnist-digits-test-images-idx3-ubyte.gz");
  await put("emnist-digits-test-labels-idx1-ubyte.gz");
  const several = await rowsAt(letters);
  expect(!several.ok && several.error).toContain(
    "several sets: emnist-digits-test-images-idx3-ubyte.gz, emnist-letters",
  );
  const layout = { isTransposed: true, firstLabel: 1 };
  const card = { source: "Made up.", licence: "None.", ground: "A test.", collected: "2026" };
  const begin = JSON.stringify({ format: "csv", layout, byteCount: 10, card });
  expect(await api(1, "POST", "/tasks/readmission/held-out/uploads", begin)).toMatchObject({
    status: 400,
    json: {
      error: { fields: [{ path: "layout", sentence: "Only an IDX pair has a layout; leave it out." }] },
    },
  });
});

test("[E21] an upload over HTTP continues where it stopped, and its check can be followed", async () => {
  const bytes = Buffer.from(rows("yes", "no", "yes", "no"));
  const card = { source: "Made up.", licence: "None.", ground: "A test.", collected: "2026" };
  const uploads = "/tasks/readmission/held-out/uploads";
  const begin = JSON.stringify({ format: "csv", byteCount: bytes.length, card });
  const begun = heldOutUploadSchema.parse((await api(1, "POST", uploads, begin)).json);
  const address = `${uploads}/${begun.uploadId}`;
  const put = (from: number, to: number, total = bytes.length) =>
    api(1, "PUT", address, bytes.subarray(from, to), {
      "content-type": "application/octet-stream",
      "content-range": `bytes ${from}-${to - 1}/${total}`,
    });
  expect(await put(0, 50)).toMatchObject({
    status: 202,
    json: { state: "receiving", receivedByteCount: 50 },
  });
  const gap = await put(60, bytes.length);
  expect([gap.status, gap.headers.get("chorus-offset")]).toEqual([409, "50"]);
  expect((await put(50, 60, bytes.length + 1)).status).toBe(400);
  expect(await put(50, bytes.length)).toMatchObject({ status: 200 });
  await expect
    .poll(async () => (await api(1, "GET", address)).json, { timeout: 60_000, interval: 100 })
    .toMatchObject({ state: "set", rowsChecked: 4, set: { rowCount: 4, card } });
  const { json } = await api(1, "GET", "/tasks/readmission/held-out");
  expect(json).toMatchObject({ set: { rowCount: 4, isUsed: true }, uploads: [{ state: "set" }] });
  const history = (await api(1, "GET", "/tasks/readmission/history")).json as { items: { type: string }[] };
  expect(history.items.map(({ type }) => type)).toEqual(["held-out-set", "task-created"]);
  expect((await api(1, "POST", `${address}/stop`, "{}")).status).toBe(409);
  expect(await api(1, "POST", "/tasks/readmission/held-out/remove", "{}")).toMatchObject({
    json: { set: null },
  });
});

test("[A20] archive says what it would do and does it with --yes; a new version says what it changes", async () => {
  const preview = await task("archive", "readmission");
  expect(preview).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^The log would say: ada archived /),
  });
  expect((await task("list")).stdout).toContain("readmission");
  expect(await task("archive", "readmission", "--yes")).toMatchObject({
    code: 0,
    stdout: "ada archived readmission at version 1.\n",
  });
  expect((await task("list")).stdout).toBe("There are no tasks.\n");
  expect((await task("list", "--archived")).stdout).toMatch(/archived on \d{4}-\d\d-\d\d/);
  expect(await task("archive", "readmission", "--yes")).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^Archived on .* by ada\. Nobody can join\./),
  });
  const next = JSON.parse(await readFile(EXAMPLE, "utf8"));
  next.version = 2;
  next.features.columns[3].range = [4, 10];
  next.features.classes = ["no", "yes", "unknown"];
  next.model.classCount = 3;
  next.model.layers[1].units = 3;
  next.training.classWeights = [1, 4, 1];
  const file = join(folder, "next.json");
  await writeFile(file, JSON.stringify(next));
  const { code, stdout } = await task("create", file);
  expect(code).toBe(0);
  expect(stdout).toContain("  “hba1c” goes from 4 to 10 %, was from 4 to 14 %.\n");
  expect((await task("list")).stdout).toContain("readmission  version 2");
});

test("its options: help, words that are missing or too many, and what they must be", async () => {
  const help = await runCommand("task", ["--help"]);
  expect([help.code, help.stdout]).toEqual([0, expect.stringContaining("npm run task -- check FILE")]);
  const token = { CHORUS_TOKEN: `cht_${"a".repeat(43)}` };
  for (const args of [
    [],
    ["create"],
    ["check"],
    ["archive", "Not a slug"],
    ["hold-out", "x"],
    ["list", "y"],
    ["fly"],
  ])
    expect((await runCommand("task", args, token)).code, args.join(" ")).toBe(2);
  expect(await runCommand("task", ["list"], { CHORUS_TOKEN: "" })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("CHORUS_TOKEN"),
  });
});
