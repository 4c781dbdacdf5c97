import { expect, test } from "vitest";
import { demandSentence, demandWords, witnessName, witnessSentence } from "#web/words/witnesses.ts";

const keys = ["w1.example+00000001+BA", "w2.example/x+00000002+BA", "w3.example+00000003+BA"];

test("[A96] a demand names the witnesses, and how many of them", () => {
  expect(witnessName(keys[1] ?? "")).toBe("w2.example/x");
  expect(demandWords({ keys, needed: 2 })).toBe("2 of w1.example, w2.example/x and w3.example");
  expect(demandWords({ keys, needed: 3 })).toBe("w1.example, w2.example/x and w3.example");
  expect(demandWords({ keys: keys.slice(0, 1), needed: 1 })).toBe("w1.example");
  expect(demandSentence({ keys, needed: 2 })).toMatch(/only if the public log .* signed by 2 of w1\.example/);
});

test("[A96] a witness's line says what it signed, how long ago, and what is wrong", () => {
  const nowMs = 1_800_000_000_000;
  const line = (
    signed: { size: number; timeS: number } | null,
    trouble: Parameters<typeof witnessSentence>[0]["trouble"],
  ) => witnessSentence({ name: "w1.example", signed, trouble }, 1_240, nowMs).replaceAll("\u00a0", " ");
  const timeS = nowMs / 1_000 - 180;
  expect(line({ size: 1_240, timeS }, null)).toBe("w1.example signed all 1,240 entries, 3 min ago.");
  expect(line({ size: 1, timeS }, "no-answer")).toBe(
    "w1.example signed the first 1 entry, 3 min ago; it does not answer now.",
  );
  expect(line(null, "unknown-log")).toBe(
    "w1.example has signed nothing yet; it does not follow this log, or has not got its key.",
  );
  expect(line(null, null)).toBe("w1.example has signed nothing yet.");
});
