import type { IncomingMessage } from "node:http";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Clients } from "#coordinator/adapters/http/clients.ts";
import { readTrustedProxies } from "#coordinator/adapters/http/trusted-proxies.ts";
import { addressKey } from "#coordinator/core/access/address.ts";
import { assert } from "#shared/kernel/assert.ts";
import { err, ok } from "#shared/kernel/result.ts";

const PROXIES = "127.0.0.1, 10.1.0.0/16, fd00::/8";

function trust(text: string) {
  const proxies = readTrustedProxies(text);
  assert(proxies.ok, "a list of proxies");
  return proxies.value;
}

function clientOf(remoteAddress: string, headers: Record<string, string>, trusted = PROXIES) {
  const request = { socket: { remoteAddress }, headers: { host: "inner:3000", ...headers } };
  const clients = new Clients(trust(trusted), { strict: false });
  const { client, fault } = clients.judge(request as unknown as IncomingMessage);
  return fault === null ? ok(client) : err(fault);
}
const addressOf = (remoteAddress: string, forwarded: string) => {
  const client = clientOf(remoteAddress, { "x-forwarded-for": forwarded });
  return client.ok ? client.value.address : client.error;
};

describe("the client of a request", () => {
  test("[W16] is whoever connects, whatever headers claim, unless that is a trusted proxy", () => {
    const headers = {
      "x-forwarded-for": "198.51.100.9",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "evil.example",
      forwarded: "for=198.51.100.9",
    };
    const own = {
      address: "203.0.113.7",
      secure: false,
      strict: false,
      host: "inner:3000",
      isProxied: false,
    };
    expect(clientOf("203.0.113.7", headers)).toEqual({ ok: true, value: own });
    expect(clientOf("127.0.0.1", headers, "")).toEqual({ ok: true, value: { ...own, address: "127.0.0.1" } });
    expect(clientOf("203.0.113.7", { "x-forwarded-for": "no address" }).ok).toBe(true);
    // The positive control: the same headers count if the connection is a proxy's.
    expect(clientOf("127.0.0.1", headers)).toEqual({
      ok: true,
      value: { address: "198.51.100.9", secure: true, strict: true, host: "evil.example", isProxied: true },
    });
  });

  test.each([
    ["the only entry", "198.51.100.9", "198.51.100.9"],
    ["an entry with a port", "198.51.100.9:4711", "198.51.100.9"],
    ["an IPv6 entry, by its /64", "2001:db8:1:2:3::4", "2001:db8:1:2::"],
    ["an IPv6 entry with a port", "[2001:db8:1:2::9]:4711", "2001:db8:1:2::"],
    ["IPv4 written as IPv6", "::ffff:198.51.100.9", "198.51.100.9"],
    ["the entry before further proxies", "198.51.100.9, 10.1.2.3,  fd00::1", "198.51.100.9"],
    ["never one that the client made up", "127.0.0.1, 192.0.2.1, 198.51.100.9", "198.51.100.9"],
    ["whatever nonsense the client sent before it", "<script>, , 999.1.1.1, 198.51.100.9", "198.51.100.9"],
    ["the left-most, if all are proxies", "10.1.0.1, 10.1.0.2", "10.1.0.1"],
  ])("[W16] behind a trusted proxy is %s", (_what, forwarded, address) => {
    expect(addressOf("127.0.0.1", forwarded)).toBe(address);
    expect(addressOf("::ffff:10.1.9.9", forwarded)).toBe(address);
  });

  test("[W16] is the proxy itself if it names none, as in a health check", () => {
    const client = clientOf("10.1.0.1", {});
    expect(client).toMatchObject({ ok: true, value: { address: "10.1.0.1", host: "inner:3000" } });
  });

  test.each([
    ["x-forwarded-for", ""],
    ["x-forwarded-for", "unknown"],
    ["x-forwarded-for", "198.51.100.9, "],
    ["x-forwarded-for", "198.51.100.9, _hidden"],
    ["x-forwarded-for", "0x7f.1"],
    ["x-forwarded-for", "127.1"],
    ["x-forwarded-for", "010.0.0.1"],
    ["x-forwarded-for", "fe80::1%eth0"],
    ["x-forwarded-for", "[198.51.100.9]"],
    ["x-forwarded-for", Array.from({ length: 17 }, () => "10.1.0.1").join(",")],
    ["x-forwarded-proto", ""],
    ["x-forwarded-proto", "gopher"],
    ["x-forwarded-proto", "https://"],
    ["x-forwarded-host", ""],
    ["x-forwarded-host", "a b"],
    ["x-forwarded-host", "chorus.example.org/path"],
    ["x-forwarded-host", "chorus.example.org, "],
  ])(
    "[W16] is unknown if a trusted proxy sends %s: %j, and the sentence says what to change",
    (name, value) => {
      const client = clientOf("127.0.0.1", { [name]: value });
      expect(client.ok).toBe(false);
      expect(client.ok ? "" : client.error.toLowerCase()).toMatch(new RegExp(`${name}.*\\. .*let it`));
    },
  );

  test("[W16] the last value is the nearest proxy's, for the host and the protocol as well", () => {
    const client = clientOf("127.0.0.1", {
      "x-forwarded-proto": "https, http",
      "x-forwarded-host": "evil.example, chorus.example.org",
    });
    expect(client).toMatchObject({ ok: true, value: { secure: false, host: "chorus.example.org" } });
    expect(clientOf("127.0.0.1", { "x-forwarded-proto": "WSS" })).toMatchObject({ value: { secure: true } });
  });

  test("[W16] whatever a client puts before its address, it stays the one that the proxy appended", () => {
    const anything = fc.oneof(
      fc.string(),
      fc.ipV4(),
      fc.ipV6(),
      fc.constantFrom("127.0.0.1", "10.1.2.3", "::1", "[", "]", ":", "%", ",,", "unknown"),
    );
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 8 }), fc.oneof(fc.ipV4(), fc.ipV6()), (before, address) => {
        const appended = [...before, address].join(", ");
        const isProxy = trust(PROXIES).includes(address);
        if (!isProxy) expect(addressOf("127.0.0.1", appended)).toBe(addressKey(address));
        // Nothing throws, even if the walk has to go on.
        else expect(typeof addressOf("127.0.0.1", appended)).toBe("string");
        expect(addressOf("203.0.113.7", appended)).toBe("203.0.113.7");
      }),
    );
  });
});

describe("--trusted-proxy", () => {
  test.each([
    ["127.0.0.1", ["127.0.0.1", "::ffff:127.0.0.1"], ["127.0.0.2", "::1", "", "nobody"]],
    ["10.1.0.0/16,fd00::/8", ["10.1.255.255", "fdff::1"], ["10.2.0.0", "fe80::1", "2001:db8::1"]],
    ["", [], ["127.0.0.1", "::1"]],
  ])("[W16] %j trusts these addresses and no others", (text, trusted, others) => {
    const proxies = trust(text);
    for (const address of trusted) expect(proxies.includes(address), address).toBe(true);
    for (const address of others) expect(proxies.includes(address), address).toBe(false);
  });

  test.each([
    "proxy.local",
    "10.1.0.0/33",
    "10.1.0.0/-1",
    "10.1.0.0/08",
    "10.1",
    "::/129",
    "1.2.3.4/8/8",
    "*",
  ])("[W16] %j is refused with a sentence", (text) => {
    const read = readTrustedProxies(`127.0.0.1,${text}`);
    expect(read).toMatchObject({ ok: false, error: expect.stringContaining("is not an address or a range") });
  });

  test.each(["0.0.0.0/0", "::/0"])("[W16] %s is refused: anyone could claim any address", (text) => {
    const read = readTrustedProxies(text);
    expect(read).toMatchObject({ ok: false, error: expect.stringContaining("anyone could claim") });
  });
});
