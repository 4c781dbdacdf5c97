import { describe, expect, test } from "vitest";
import { openRefusal } from "#client/core/participant/open-refusal.ts";
import type { LinkError } from "#client/core/ports.ts";
import { type ErrorCode, wireError } from "#shared/protocol/errors.ts";

const refused = (code: ErrorCode): LinkError => ({ type: "refused", error: wireError(code) });

describe("a page that the coordinator does not let begin", () => {
  test.each([
    ["NOT_FOUND", "no-such-task"],
    ["WIRE_VERSION", "other-version"],
    ["BAD_MESSAGE", "other-version"],
  ] as const)("says what is final, whoever agreed before: %s", (code, type) => {
    const { message: sentence } = wireError(code);
    expect(openRefusal(refused(code), false)).toEqual({ type, sentence });
    expect(openRefusal(refused(code), true)).toEqual({ type, sentence });
  });

  test.each(["UNAVAILABLE", "RATE_LIMITED", "STORAGE_FULL"] as const)(
    "is asked to try again if it passes, and opens with what was agreed to: %s",
    (code) => {
      expect(openRefusal(refused(code), false)?.type).toBe("busy");
      expect(openRefusal(refused(code), true)).toBeNull();
    },
  );

  test.each(["BY_INVITATION", "TOKEN_ENDED"] as const)(
    "[X67] says that it needs a link, and lets whoever agreed before try to log in: %s",
    (code) => {
      const { message: sentence } = wireError(code);
      expect(openRefusal(refused(code), false)).toEqual({ type: "by-invitation", sentence });
      expect(openRefusal(refused(code), true)).toBeNull();
    },
  );

  test("is offline without an answer, unless someone agreed before", () => {
    expect(openRefusal({ type: "offline" }, false)?.type).toBe("offline");
    expect(openRefusal({ type: "offline" }, true)).toBeNull();
  });
});
