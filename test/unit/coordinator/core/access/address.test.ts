import { expect, test } from "vitest";
import { addressKey, isLoopback, siteKey } from "#coordinator/core/access/address.ts";

test("[W5] an address is counted by what one host controls", () => {
  const same = [
    ["10.1.2.3", "::ffff:10.1.2.3", "::ffff:a01:203"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::9", "2001:DB8:1:2::", "2001:0db8:0001:0002::1%eth0"],
    ["2001:db8::9", "2001:db8:0:0:1::"],
    ["fe80::1%eth0", "fe80::2"],
  ].map((addresses) => new Set(addresses.map(addressKey)));
  expect(same.map(({ size }) => size)).toEqual([1, 1, 1, 1]);
  expect(new Set(same.flatMap((keys) => [...keys])).size).toBe(4);
  expect(addressKey("10.1.2.3")).not.toBe(addressKey("10.1.2.4"));
  expect(addressKey("2001:db8:1:2::")).not.toBe(addressKey("2001:db8:1:3::"));
});

test("[W12] a site is the /48 of an address or of its key", () => {
  const site = siteKey("2001:db8:1:2::9");
  expect(siteKey("2001:db8:1:3::9")).toBe(site);
  expect(siteKey(addressKey("2001:db8:1:3::9"))).toBe(site);
  expect(siteKey("2001:db8:2:2::9")).not.toBe(site);
  expect(siteKey("::ffff:10.1.2.3")).toBe(siteKey("10.1.2.3"));
  expect(siteKey("10.1.2.3")).not.toBe(siteKey("10.1.2.4"));
});

test("anything that is not an address is its own key", () => {
  for (const text of ["", "a b", "1.2.3.4.5", "2001:db8"])
    expect([addressKey(text), siteKey(text)]).toEqual([text, text]);
});

test("[W12] the machine itself is recognised by any of its loopback addresses", () => {
  for (const own of ["127.0.0.1", "127.8.0.1", "::1", "::ffff:127.0.0.1"])
    expect(isLoopback(own), own).toBe(true);
  for (const other of ["", "10.0.0.1", "::2", "::", "localhost"])
    expect(isLoopback(other), other).toBe(false);
});
