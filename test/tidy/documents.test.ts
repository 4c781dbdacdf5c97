import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";

/*
 * Documents must name existing files, and comments must cite documents in the repository. A reader that overlooks
 * something cannot check it, so each reader is first shown a fault.
 */

const root = new URL("../..", import.meta.url).pathname;

/** Includes new files before they are committed. */
const files = spawnSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
})
  .stdout.split("\n")
  .filter((name) => name !== "" && existsSync(join(root, name)));
const documents = files.filter((name) => name.endsWith(".md"));
const documentNames = new Set(documents.map((name) => basename(name)));
const sources = files.filter(
  (name) => /\.(tsx?|mjs|css)$/.test(name) && name !== "test/tidy/documents.test.ts",
);

const TOP_LEVEL = /^(shared|coordinator|client|web|test)\//;
const FILE_NAME = /^[\w.@()*-][\w.@()/*-]*\.(ts|tsx|mjs|md|json|csv|css|html)$/;

/**
 * Paths that a document names, from the root of the repository. A bare file name in backticks is in the document's
 * folder; links are relative to it.
 */
function pathsIn(document: string, text: string): string[] {
  const prose = text.replaceAll(/^```.*?^```/gms, "");
  const quoted = [...prose.matchAll(/`([^`\s]+)`/g)]
    .map((match) => match[1] as string)
    // NAME stands for a file that the reader will add.
    .filter((path) => (TOP_LEVEL.test(path) || FILE_NAME.test(path)) && !/\bNAME\b/.test(path))
    .map((path) => (path.includes("/") ? path : join(dirname(document), path)));
  const linked = [...prose.matchAll(/\]\(([^)\s#]+)(?:#[^)\s]*)?\)/g)]
    .map((match) => match[1] as string)
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => join(dirname(document), link));
  return [...quoted, ...linked];
}

function isThere(path: string): boolean {
  return path.includes("*") ? globSync(path, { cwd: root }).length > 0 : existsSync(join(root, path));
}

/** Documents that a source cites, by their file name: `NAME.md`, or `NAME section 3` in capitals. */
function citationsIn(source: string): string[] {
  // A citation may continue on the next line of its comment.
  const text = source.replaceAll(/\s*\n\s*(?:\*|\/\/) ?/g, " ");
  const named = [...text.matchAll(/\b([A-Z]{3,}\w*\.md)\b/g)].map((match) => match[1] as string);
  const sections = [...text.matchAll(/\b([A-Z]{4,}) section \d/g)].map((match) => `${match[1]}.md`);
  return [...named, ...sections];
}

describe("documents", () => {
  test("there are documents to check", () => {
    expect(documents).toEqual(
      expect.arrayContaining([
        "README.md",
        "SECURITY.md",
        "shared/ARCHITECTURE.md",
        "shared/SPEC.md",
        "shared/secagg/PROTOCOL.md",
      ]),
    );
    expect(sources.length).toBeGreaterThan(300);
  });

  test.each(documents)("%s names paths that exist", (document) => {
    const paths = pathsIn(document, readFileSync(join(root, document), "utf8"));
    expect(paths.filter((path) => !isThere(path))).toEqual([]);
  });

  test("no comment cites a document that is not in the repository", () => {
    const missing = sources.flatMap((source) =>
      citationsIn(readFileSync(join(root, source), "utf8"))
        .filter((name) => !documentNames.has(name))
        .map((name) => `${source}: ${name}`),
    );
    expect(missing).toEqual([]);
  });

  test("a missing path is found (positive control)", () => {
    const text =
      "See `shared/gone.ts`, `lost.ts`, `shared/SPEC.md`, `a/b`, `/api/x.json` and [it](gone.md#part).";
    const missing = pathsIn("shared/X.md", text).filter((path) => !isThere(path));
    expect(missing).toEqual(["shared/gone.ts", "shared/lost.ts", "shared/gone.md"]);
  });

  test("a citation is found, even across lines (positive control)", () => {
    const cited = citationsIn(
      "/* By NOTES.md. RFC 7748 section 5; OTHER\n * section 2, FIPS 197 section 4 */",
    );
    expect(cited).toEqual(["NOTES.md", "OTHER.md"]);
  });
});
