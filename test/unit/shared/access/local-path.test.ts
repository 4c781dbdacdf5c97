import { describe, expect, test } from "vitest";
import { localPathSchema } from "#shared/access/local-path.ts";

describe("where one lands", () => {
  test.each([
    "//evil.example",
    "https:evil.example",
    "https://evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/%0d%0a//x\r\nlocation: evil",
    "javascript:alert(1)",
    "/a//evil.example",
    "/.//evil.example",
    "",
    "runs",
    "/ü",
    "/ ",
    `/${"x".repeat(3_000)}`,
  ])("[X20] is never %j", (path) => {
    expect(localPathSchema.safeParse(path).success).toBe(false);
  });

  test.each(["/", "/runs", "/runs/1?tab=log&to=//x#top", "/join/digits%20x", "/a/../b"])(
    "[X20] may be %j",
    (path) => {
      expect(localPathSchema.parse(path)).toBe(path);
      const url = new URL(path, "https://chorus.example");
      expect(url.host).toBe("chorus.example");
    },
  );
});
