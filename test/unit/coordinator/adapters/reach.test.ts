import { expect, test } from "vitest";
import { joinAddress, signInBaseUrl } from "#coordinator/adapters/reach.ts";

test("people sign in at the public address, or on this machine if that is plain HTTP", () => {
  const at = (reach: Parameters<typeof joinAddress>[0], secure = false) =>
    signInBaseUrl(joinAddress(reach, secure, 3000));
  expect(at({ publicUrl: "https://chorus.example" })).toBe("https://chorus.example");
  expect(at({ host: "192.168.1.5" }, true)).toBe("https://192.168.1.5:3000");
  expect(at({ host: "192.168.1.5" })).toBe("http://localhost:3000");
  expect(at({ publicUrl: "http://chorus.example:8080" })).toBe("http://localhost:8080");
  expect(at({ host: "127.0.0.1" })).toBe("http://localhost:3000");
});
