import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "#shared/codec/canonical-json.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { primitives } from "#shared/node/system.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import { shellHash, shellManifest, shellManifestSchema } from "#shared/shell/manifest.ts";
import { ownCode } from "#shared/shell/own-code.ts";
import { coordinatorPolicy, metaPolicy, shellPolicy } from "#shared/shell/policy.ts";

const SHELL = "5e".repeat(32) as HashHex;
const COMMIT = "ab".repeat(20);

/** The encoding of the protocol, written anew. */
function item(...parts: readonly Buffer[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.length);
      return [length, part];
    }),
  );
}

describe("the hash of a coordinator's code", () => {
  test("[A51] covers version, page and commit, each by its length", async () => {
    const expected = (shell: string, commit: string) =>
      createHash("sha256")
        .update(
          item(
            Buffer.from("chorus/1/code"),
            Buffer.from("1.2.3"),
            Buffer.from(shell, "hex"),
            Buffer.from(commit),
          ),
        )
        .digest("hex");
    for (const [shellHash, commit] of [
      [SHELL, COMMIT],
      [null, COMMIT],
      [SHELL, null],
      [null, null],
    ] as const) {
      const code = await ownCode(primitives, "1.2.3", { shellHash, commit });
      expect(code).toEqual({ hash: expected(shellHash ?? "", commit ?? ""), shellHash, commit });
    }
  });
});

describe("the list of the page's files", () => {
  const files = new Map([
    ["/join/index.html", "A".repeat(43)],
    ["/_join/b.wasm", "B".repeat(43)],
    ["/_join/a.wasm", "C".repeat(43)],
  ]);
  const manifest = shellManifest("1.2.3", "default-src 'self'", files);

  test("[A52] has the fields of a WEBCAT manifest that are not the operator's, and its hash names it", async () => {
    expect(Object.keys(manifest).sort()).toEqual([
      ...["app", "default_csp", "default_fallback", "default_index", "files", "version", "wasm"],
    ]);
    expect(shellManifestSchema.parse(manifest)).toEqual(manifest);
    expect(manifest.wasm).toEqual(["B".repeat(43), "C".repeat(43)]);
    const text = canonicalJson(manifest);
    expect(bytesToHex(await shellHash(primitives, manifest))).toBe(
      createHash("sha256").update(text).digest("hex"),
    );
    // The order in which a folder is read does not matter.
    expect(canonicalJson(shellManifest("1.2.3", "default-src 'self'", new Map([...files].reverse())))).toBe(
      text,
    );
  });

  test.each([
    { ...manifest, timestamp: "now" },
    { ...manifest, files: { "/_join/../../etc/passwd": "A".repeat(43) } },
    { ...manifest, files: { "https://elsewhere.example/x.js": "A".repeat(43) } },
    JSON.parse('{"__proto__":{},"files":{"__proto__":"x"}}'),
    { ...manifest, files: { "/_join/a.js": "short" } },
    { ...manifest, default_index: "/other.html" },
    null,
    "",
  ])("[A52] anything else is no list: %j", (other) => {
    expect(shellManifestSchema.safeParse(other).success).toBe(false);
  });
});

describe("the page's policy", () => {
  test("[A52] scripts come from its own host as files alone; it connects to its coordinator", () => {
    const styles = "'sha256-x'";
    for (const policy of [coordinatorPolicy(styles), shellPolicy(styles), metaPolicy(styles)]) {
      expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'sha256-x';");
      expect(policy).toContain("object-src 'none'; base-uri 'none'");
      expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'|nonce|,/);
    }
    expect(coordinatorPolicy(styles)).toContain("connect-src 'self';");
    expect(shellPolicy(styles)).toContain("connect-src 'self' https: wss:;");
    // Browsers refuse it in a document.
    expect(metaPolicy(styles)).not.toContain("frame-ancestors");
  });
});
