import { describe, expect, test } from "vitest";
import { openLog } from "#coordinator/adapters/log.ts";
import { Secret } from "#shared/kernel/secret.ts";

function capture() {
  const lines: string[] = [];
  const log = openLog({ destination: { write: (line: string) => void lines.push(line) } });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? "null") as Record<string, unknown> };
}

describe("the log", () => {
  test("writes one JSON object a line, with level, time, fields and message", () => {
    const { log, lines, last } = capture();
    log.warn({ roundId: "ab", count: 3, nested: { ok: true, list: [1, "x"] } }, "two\nlines");
    expect(lines.at(-1)?.trimEnd()).not.toContain("\n");
    expect(last()).toMatchObject({
      level: "warn",
      roundId: "ab",
      count: 3,
      nested: { ok: true, list: [1, "x"] },
      msg: "two\nlines",
    });
    expect(Date.parse(String(last()["time"]))).toBeGreaterThan(0);
    log.info({}, "a");
    log.error({}, "b");
    expect(last()["level"]).toBe("error");
  });

  test("shows no secret, wherever it is", () => {
    const { log, lines } = capture();
    const canary = "canary-7f3a";
    // Positive control: under a harmless name the canary does appear.
    log.info({ name: canary }, "control");
    expect(lines.join("")).toContain(canary);
    lines.length = 0;

    const bytes = new TextEncoder().encode(canary);
    const loop: Record<string, unknown> = {};
    loop["self"] = loop;
    log.info(
      {
        token: canary,
        headers: {
          Authorization: canary,
          cookie: canary,
          list: [{ slotToken: canary, shares: { 1: canary } }],
        },
        secret: new Secret(bytes),
        key: new Secret(bytes),
        bytes,
        buffer: bytes.buffer,
        map: new Map([[canary, canary]]),
        databaseUrl: canary,
        error: new Error(`cannot connect to postgres://user:${canary}@host/db`, {
          cause: new Error(`at redis://:${canary}@h`),
        }),
        loop,
        text: `see https://me:${canary}@example.org/`,
      },
      `and postgres://u:${canary}@h`,
    );
    const line = lines.join("");
    expect(line).not.toContain(canary);
    expect(line).not.toContain([...bytes].join(","));
    expect(line).not.toContain(Buffer.from(bytes).toString("base64"));
    expect(line).not.toContain(Buffer.from(bytes).toString("hex"));
    expect(JSON.parse(line)).toMatchObject({
      secret: "[withheld]",
      key: "[secret]",
      bytes: `[${bytes.length} bytes]`,
    });
  });

  test("truncates long lines", () => {
    const { log, last } = capture();
    log.info({ text: "x".repeat(1e6) }, "y".repeat(1e6));
    expect(JSON.stringify(last()).length).toBeLessThan(5_000);
  });
});
