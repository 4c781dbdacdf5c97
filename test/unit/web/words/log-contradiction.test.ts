import { describe, expect, test } from "vitest";
import { contradictionWords } from "#web/words/log-contradiction.ts";

describe("[A43] words for a log that contradicts itself", () => {
  test("repeat the device's finding, and name the file after its day", () => {
    const finding = "This device saw 4,171 entries of the public log before, and now 4,166 entries.";
    const words = contradictionWords(JSON.stringify({ finding, at: Date.UTC(2026, 5, 1) }));
    expect(words.finding).toBe(finding);
    expect(words.fileName).toBe("chorus-log-evidence-2026-06-01.json");
  });

  test.each(["", "null", "{}", '{"finding": 1, "at": "x"}', '{"at": 1e300}'])(
    "say so of a damaged file: %s",
    (file) => {
      const words = contradictionWords(file);
      expect(words.finding).toContain("Sending is off");
      expect(words.fileName).toBe("chorus-log-evidence.json");
    },
  );
});
