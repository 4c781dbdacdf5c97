import { describe, expect, test } from "vitest";
import { isPermitted, nameOf, ownNames, permittedFor } from "#coordinator/adapters/tls/names.ts";

describe("names of a certificate", () => {
  test.each([
    ["LAPTOP.local", "laptop.local"],
    ["[FD00:0::1]", "fd00::1"],
    ["::ffff:192.168.0.7", "192.168.0.7"],
    ["192.168.0.7", "192.168.0.7"],
    ["my_laptop", null],
    ["*.local", null],
    ["a..b", null],
    ["", null],
    [`${"a".repeat(64)}.local`, null],
    ["laptop.local\n", null],
  ])("%j is spelled %j", (text, name) => expect(nameOf(text)).toBe(name));

  test("this machine's names include its loopback addresses, and all of them are spelled right", () => {
    expect(ownNames()).toEqual(expect.arrayContaining(["localhost", "127.0.0.1", "::1"]));
    for (const name of ownNames()) expect(nameOf(name)).toBe(name);
  });

  test("[O21] an authority may sign for local networks and for the names that it was made for, and for no others", () => {
    const permitted = permittedFor(["localhost", "192.168.0.7", "desk", "198.51.100.7", "2001:db8::7"]);
    const allowed = [
      "anything.local",
      "10.1.2.3",
      "172.31.0.1",
      "fd12::9",
      "desk",
      "198.51.100.7",
      "2001:db8::7",
    ];
    expect(allowed.filter((name) => !isPermitted(permitted, name))).toEqual([]);
    const refused = [
      "example.org",
      "evil-local",
      "172.32.0.1",
      "198.51.100.8",
      "2001:db8::8",
      "1.1.1.1",
      "desk2",
    ];
    expect(refused.filter((name) => isPermitted(permitted, name))).toEqual([]);
  });
});
