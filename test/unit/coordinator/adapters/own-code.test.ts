import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readCommit } from "#coordinator/adapters/own-code.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const OTHER = "f".repeat(40);
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "chorus-commit-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

test.each<[string, Record<string, string>]>([
  ["a branch", { ".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": `${COMMIT}\n` }],
  ["no branch", { ".git/HEAD": `${COMMIT}\n` }],
  [
    "a packed branch",
    {
      ".git/HEAD": "ref: refs/heads/main\n",
      ".git/packed-refs": `# pack-refs\n${OTHER} refs/heads/not-main\n${COMMIT} refs/heads/main\n^${OTHER}\n`,
    },
  ],
  [
    "a further working tree",
    {
      ".git": "gitdir: repository/worktrees/two\n",
      "repository/worktrees/two/HEAD": "ref: refs/heads/two\n",
      "repository/worktrees/two/commondir": "../..\n",
      "repository/refs/heads/two": `${COMMIT}\n`,
    },
  ],
])("[A51] the commit is read from Git's folder, at %s", async (_, files) => {
  write(files);
  expect(await readCommit(root)).toBe(COMMIT);
});

test.each<[string, Record<string, string>]>([
  ["there is no such folder", { "package.json": "{}" }],
  ["the branch has no commit", { ".git/HEAD": "ref: refs/heads/main\n" }],
  ["it is not a commit", { ".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": "main\n" }],
  ["the branch leads elsewhere", { ".git/HEAD": "ref: ../../etc/passwd\n" }],
  ["the file is of something else", { ".git": "nothing" }],
])("[A51] it is unknown if %s", async (_, files) => {
  write(files);
  expect(await readCommit(root)).toBeNull();
});
