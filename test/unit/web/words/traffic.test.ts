import { expect, test } from "vitest";
import { trafficWords } from "#web/words/traffic.ts";

test("the masked update says how many numbers it has, once the task is known", () => {
  expect(trafficWords("input", 2_441).what).toBe("2,441 numbers that mean nothing alone");
  expect(trafficWords("input", null).what).toBe("numbers that mean nothing alone");
  expect(trafficWords("keys", 2_441)).toEqual({ name: "Keys", what: "public keys, signed" });
});
