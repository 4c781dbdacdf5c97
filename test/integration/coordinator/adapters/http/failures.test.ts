import { createHash, randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { expectRefused } from "#test/kit/adversary/refusal.ts";
import { openShell, type Shell } from "#test/kit/worlds/shell.ts";

/* Faults inside and files that cannot be read: the answer is a code and a sentence, and the process stays alive. */

let shell: Shell;
beforeAll(async () => {
  shell = await openShell();
});
afterAll(() => shell.close());

afterEach(async () => {
  expect((await fetch(`${shell.url}/livez`)).status).toBe(200);
});

describe("what a failure reveals", () => {
  test("[W1] a fault inside is INTERNAL, without its text", async () => {
    shell.core.listRuns = async () => {
      throw new Error("planted: secret path /home/someone");
    };
    try {
      const response = await fetch(`${shell.url}/api/v1/runs`);
      expect(await response.clone().text()).not.toContain("planted");
      await expectRefused(shell, response, 500, "INTERNAL");
      expect(response.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
      // The operator sees it.
      expect(shell.complaints.join()).toContain("planted");
    } finally {
      Reflect.deleteProperty(shell.core, "listRuns");
    }
  });

  test("a model is immutable, named by its hash, and revalidated by it", async () => {
    const bytes = new Uint8Array(randomBytes(300_000));
    const hash = await shell.blobs.put(bytes);
    expect(hash).toBe(createHash("sha256").update(bytes).digest("hex"));
    const response = await fetch(`${shell.url}/api/v1/models/${hash}`);
    expect(response.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(Buffer.from(await response.arrayBuffer()).equals(Buffer.from(bytes))).toBe(true);
    const again = await fetch(`${shell.url}/api/v1/models/${hash}`, {
      headers: { "if-none-match": `"${hash}"` },
    });
    expect(again.status).toBe(304);
    const head = await fetch(`${shell.url}/api/v1/models/${hash}`, { method: "HEAD" });
    expect(head.headers.get("content-length")).toBe("300000");
  });

  test("[X32] a model of a task by invitation is kept by no cache that others share", async () => {
    const hash = await shell.blobs.put(new Uint8Array(randomBytes(300)));
    Object.assign(shell.core.place, { joining: "invitation" });
    try {
      for (const headers of [{}, { "if-none-match": `"${hash}"` }]) {
        const response = await fetch(`${shell.url}/api/v1/models/${hash}`, { headers });
        expect(response.headers.get("cache-control")).toBe("private, max-age=31536000, immutable");
      }
    } finally {
      Object.assign(shell.core.place, { joining: "public" });
    }
  });

  test("[W1] a file that cannot be read is INTERNAL before its first byte, and a cut answer after it", async () => {
    const hash = await shell.blobs.put(new Uint8Array(randomBytes(300_000)));
    const { stream } = shell.blobs;
    const failingAfter = (chunks: number) => async () => {
      let given = 0;
      return new ReadableStream<Uint8Array>({
        pull: (controller) => {
          if (given++ < chunks) controller.enqueue(new Uint8Array(1_000));
          else controller.error(new Error("planted: /home/someone cannot be read"));
        },
      });
    };
    try {
      Object.assign(shell.blobs, { stream: failingAfter(0) });
      const response = await fetch(`${shell.url}/api/v1/models/${hash}`);
      expect(await response.clone().text()).not.toContain("planted");
      await expectRefused(shell, response, 500, "INTERNAL");
      Object.assign(shell.blobs, { stream: failingAfter(3) });
      const cut = fetch(`${shell.url}/api/v1/models/${hash}`).then((answer) => answer.arrayBuffer());
      await expect(cut).rejects.toThrow();
    } finally {
      Object.assign(shell.blobs, { stream });
    }
    const whole = await fetch(`${shell.url}/api/v1/models/${hash}`);
    expect((await whole.arrayBuffer()).byteLength).toBe(300_000);
  });

  test("readiness follows the database, and ends first when the coordinator stops", async () => {
    expect((await fetch(`${shell.url}/readyz`)).status).toBe(200);
    shell.store.answers = false;
    expect((await fetch(`${shell.url}/readyz`)).status).toBe(503);
    shell.store.answers = true;
    expect((await fetch(`${shell.url}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${shell.url}/metrics`)).text()).toContain("chorus_up 1");
    const own = await openShell();
    own.beginStop();
    expect((await fetch(`${own.url}/readyz`)).status).toBe(503);
    await expectRefused(shell, await fetch(`${own.url}/api/v1/status`), 503, "UNAVAILABLE");
    await own.close();
  });
});
