import { expect, test } from "vitest";
import { Credentials } from "#coordinator/core/access/credentials.ts";
import type { SignIns } from "#coordinator/core/ports/sign-ins.ts";
import { err, ok } from "#shared/kernel/result.ts";

test("[X15] a try that was not checked does not count", async () => {
  let isBusy = true;
  const isPassword: SignIns["isPassword"] = async () => (isBusy ? err("busy") : ok(false));
  const credentials = new Credentials({
    clock: { nowMs: () => 0 },
    wall: { nowUnixMs: () => 0 },
    signIns: { isPassword } as SignIns,
  });
  const codeOf = async () => {
    const checked = await credentials.check("ada", "a".repeat(32), "a wrong sentence");
    return checked.ok ? "in" : checked.error.wire.code;
  };
  for (let times = 0; times < 6; times++) expect(await codeOf()).toBe("UNAVAILABLE");
  isBusy = false;
  for (let times = 0; times < 4; times++) expect(await codeOf()).toBe("WRONG_CREDENTIALS");
  // The control: those that were checked count.
  expect(await codeOf()).toBe("RATE_LIMITED");
});
