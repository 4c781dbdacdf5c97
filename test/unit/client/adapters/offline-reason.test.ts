import { describe, expect, test } from "vitest";
import { extraAuthorities, useProxy } from "#client/adapters/edge-way.ts";
import { offlineReason } from "#client/adapters/offline-reason.ts";
import { offlineSentence, type Way } from "#client/adapters/offline-words.ts";

const fetchFailed = (cause: object) =>
  new TypeError("fetch failed", { cause: Object.assign(new Error("it failed"), cause) });

describe("why a request got no answer", () => {
  test("names of a certificate are passed on only if they are names", () => {
    const subjectaltname =
      'DNS:desk.local, DNS:"a, b", URI:http://x, IP Address:fd00::7, DNS:*.lan, DNS:\u001b[31m, DNS:a..';
    const reason = offlineReason(
      fetchFailed({ code: "ERR_TLS_CERT_ALTNAME_INVALID", cert: { subjectaltname } }),
    );
    expect(reason).toEqual({
      type: "certificate",
      fault: "name",
      code: "ERR_TLS_CERT_ALTNAME_INVALID",
      names: ["desk.local", "fd00::7", "*.lan"],
    });
    const many = Array.from({ length: 99 }, (_, index) => `DNS:a${index}.local`).join(", ");
    expect(
      offlineReason(fetchFailed({ code: "ERR_TLS_CERT_ALTNAME_INVALID", cert: { subjectaltname: many } })),
    ).toMatchObject({ names: ["a0.local", "a1.local", "a2.local", "a3.local", "a4.local"] });
  });

  test.each([
    ["a string", "x"],
    ["null", null],
    ["an error without a code", fetchFailed({})],
    ["an error with a strange code", fetchFailed({ code: { toString: null } })],
    ["a code of Object's", fetchFailed({ code: "constructor" })],
  ])("%s says nothing", (_name, error) => expect(offlineReason(error)).toBeUndefined());

  test("a circle of causes ends", () => {
    const error = new Error("round");
    error.cause = error;
    expect(offlineReason(error)).toBeUndefined();
  });

  test("the first of several addresses counts", () => {
    const refused = Object.assign(new Error("refused"), { code: "ECONNREFUSED", address: "::1", port: 9 });
    expect(offlineReason(new TypeError("fetch failed", { cause: new AggregateError([refused]) }))).toEqual({
      type: "unreachable",
      code: "ECONNREFUSED",
      host: "::1",
      port: 9,
    });
  });
});

describe("what the owner of an edge reads", () => {
  const way: Way = {
    coordinatorUrl: "https://chorus.example.org",
    proxy: { variable: "HTTPS_PROXY", host: "proxy.example", port: 3128 },
    extraAuthorities: null,
  };
  const unreachable = (host: string, port: number | null) =>
    ({ type: "unreachable", code: "ENOTFOUND", host, port }) as const;

  test("a proxy is blamed only for its own address", () => {
    expect(offlineSentence(unreachable("proxy.example", null), way)).toContain("Check HTTPS_PROXY");
    expect(offlineSentence(unreachable("192.0.2.1", 3128), way)).toContain("Check HTTPS_PROXY");
    expect(offlineSentence(unreachable("chorus.example.org", null), way)).toContain("No coordinator answers");
    expect(offlineSentence(unreachable("proxy.example", null), { ...way, proxy: null })).toContain(
      "No coordinator",
    );
    expect(offlineSentence(undefined, way)).toContain("No coordinator answers");
  });
});

describe("the settings of a proxy", () => {
  test("none is none", () => {
    expect(useProxy("https:", {})).toEqual({ ok: true, value: null });
    expect(useProxy("https:", { HTTPS_PROXY: "" })).toEqual({ ok: true, value: null });
    // For the other scheme.
    expect(useProxy("https:", { HTTP_PROXY: "http://proxy.example" })).toEqual({ ok: true, value: null });
  });

  test.each([
    "proxy.example:3128",
    "socks5://u:pw@proxy.example",
    "http://",
    "//proxy.example",
    "u:pw@proxy.example",
  ])("%s is refused without being shown", (value) => {
    const used = useProxy("https:", { HTTPS_PROXY: value });
    expect(used.ok).toBe(false);
    expect(JSON.stringify(used)).not.toContain("pw");
  });

  test("authorities that cannot be read are known", () => {
    expect(extraAuthorities({})).toBeNull();
    expect(extraAuthorities({ NODE_EXTRA_CA_CERTS: "/nowhere/ca.pem" })).toMatchObject({ readable: false });
  });
});
