import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LIMITS } from "#shared/protocol/limits.ts";
import { hearCode } from "#test/kit/adversary/bad-input/run-socket.ts";
import {
  HOSTILE_ARGUMENTS,
  HOSTILE_LONG_ARGUMENTS,
  HOSTILE_NAMES,
  RESERVED_NAMES,
} from "#test/kit/adversary/hostile-events.ts";
import { joinRawSocket, openRawSocket } from "#test/kit/adversary/raw-socket.ts";
import { plant } from "#test/kit/planted.ts";
import { openShell, type Shell } from "#test/kit/worlds/shell.ts";

/*
 * Every reserved name with every hostile argument, on each namespace: a refusal as for any unknown event, or the end of
 * that connection, and the process lives. The control shows that the same attack ends a coordinator that turns a peer's
 * input into a string.
 */

const NAMESPACES = ["/device", "/dash"] as const;
const CHILD = "test/kit/children/shell.ts";
const ROOT = fileURLToPath(new URL("../../../../..", import.meta.url));

let shell: Shell;
beforeAll(async () => {
  shell = await openShell();
});
afterAll(() => shell.close());

/** Sends each name with each argument once, a few per connection so that the rate limit does not refuse them. */
async function sayAll(url: string, namespace: string, events: readonly string[]): Promise<(string | null)[]> {
  const codes: (string | null)[] = [];
  for (let first = 0; first < events.length; first += LIMITS.socketEventsPerSecond) {
    const socket = await joinRawSocket(url, namespace);
    for (const [index, event] of events.slice(first, first + LIMITS.socketEventsPerSecond).entries()) {
      // Once without an acknowledgement, which gets no answer.
      socket.say(`2${namespace},${event}`);
      socket.say(`2${namespace},${index}${event}`);
      codes.push(await hearCode(socket, namespace, index));
    }
    socket.close();
  }
  return codes;
}

const EVENTS = [
  ...RESERVED_NAMES.flatMap((name) => HOSTILE_ARGUMENTS.map((argument) => `["${name}",${argument}]`)),
  ...RESERVED_NAMES.map((name) => `["${name}"]`),
  ...HOSTILE_NAMES.flatMap((name) => [`[${name}]`, `[${name},{"toString":null}]`]),
];

describe("reserved names and hostile arguments", () => {
  test.each(NAMESPACES)("[W2] %s refuses each like any unknown event", async (namespace) => {
    const codes = await sayAll(shell.url, namespace, EVENTS);
    expect(codes.map((code, index) => [EVENTS[index], code])).toEqual(
      EVENTS.map((event) => [event, "BAD_MESSAGE"]),
    );
    expect(shell.core.writes).toEqual([]);
  });

  test.each(NAMESPACES)("[W2] %s refuses a hostile argument of its own event", async (namespace) => {
    const name = namespace === "/dash" ? "watch" : "frame";
    const events = HOSTILE_ARGUMENTS.map((argument) => `["${name}",${argument}]`);
    for (const code of await sayAll(shell.url, namespace, events)) {
      expect(["BAD_MESSAGE", "BAD_FRAME"]).toContain(code);
    }
  });

  test.each(NAMESPACES)("[W2] %s counts them: a sender that is too fast is told so", async (namespace) => {
    const socket = await joinRawSocket(shell.url, namespace);
    for (let sent = 0; sent < 3 * LIMITS.socketEventsPerSecond; sent++) {
      socket.say(`2${namespace},${sent}["error",{"toString":null}]`);
    }
    const codes: (string | null)[] = [];
    for (let id = 0; id < 3 * LIMITS.socketEventsPerSecond; id++)
      codes.push(await hearCode(socket, namespace, id));
    expect(codes[0]).toBe("BAD_MESSAGE");
    expect(codes.at(-1)).toBe("RATE_LIMITED");
    socket.close();
  });

  test.each(NAMESPACES)("[W3] %s ends a connection whose text is too long, unread", async (namespace) => {
    for (const argument of HOSTILE_LONG_ARGUMENTS) {
      const socket = await joinRawSocket(shell.url, namespace);
      socket.say(`2${namespace},["error",${argument}]`);
      await socket.ended;
    }
  });

  test("[W2] the default namespace, one that nobody joined, and packets that only a server sends", async () => {
    for (const packet of [
      '2["error",{"toString":null}]',
      '2/dash,["error",{"toString":null}]',
      '0{"toString":null}',
      '0/dash,{"pid":{"toString":null},"offset":{"toString":null}}',
      '3/dash,1[{"toString":null}]',
      '4/dash,{"message":{"toString":null}}',
      '61-/dash,1[{"_placeholder":true,"num":0}]',
      '52-/dash,["watch",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
      `0/${"n".repeat(900)},`,
      "0/__proto__,",
      "0/toString,",
    ]) {
      const socket = await openRawSocket(shell.url);
      socket?.say(packet);
      socket?.say('2/dash,["error",{"toString":null}]');
      socket?.say("2/dash,[]");
      await socket?.ended;
    }
  });

  test("[W2] bytes inside an argument stay bytes: none of our events has any there", async () => {
    const socket = await joinRawSocket(shell.url, "/device");
    socket.say('51-/device,1["frame",[{"_placeholder":true,"num":0}]]');
    socket.sayBytes(Uint8Array.of(0x80));
    expect(await hearCode(socket, "/device", 1)).toBe("BAD_FRAME");
    socket.say('51-/device,2["frame",{"_placeholder":true,"num":7}]');
    socket.sayBytes(Uint8Array.of(0x80));
    expect(await hearCode(socket, "/device", 2)).toBe("BAD_MESSAGE");
    socket.close();
  });

  test("none of it was reported as a fault of ours", () => {
    expect(shell.complaints.filter((line) => !line.startsWith("a socket failed"))).toEqual([]);
  });
});

describe("control", () => {
  /** The exit code after the attack; null if the process still answers. */
  async function attackProcess(root: string): Promise<number | null> {
    const child = fork(`${root}/${CHILD}`, { cwd: root, stdio: ["ignore", "ignore", "ignore", "ipc"] });
    const exited = once(child, "exit").then(([code]) => code as number);
    const begun = exited.then((code) =>
      Promise.reject(new Error(`it ended with ${code} before it listened`)),
    );
    const [{ url }] = (await Promise.race([once(child, "message"), begun])) as [{ url: string }];
    begun.catch(() => undefined);
    const socket = await joinRawSocket(url, "/dash");
    socket.say('2/dash,["error",{"toString":null}]');
    socket.say('2/dash,1["watch",null]');
    const answered = await hearCode(socket, "/dash", 1);
    socket.close();
    if (answered === null) return await exited;
    expect(answered).toBe("BAD_MESSAGE");
    child.disconnect();
    await exited;
    return null;
  }

  test("[W2] one such event ends a coordinator that hands events to listeners, and not this one", async () => {
    const planted = await plant(
      [
        {
          file: "coordinator/adapters/socket/guard.ts",
          find: "socket.use(([event, ...args]: unknown[]) => {",
          replace: "socket.onAny((event: unknown, ...args: unknown[]) => {",
        },
        {
          file: "coordinator/adapters/socket/guard.ts",
          find: 'return error instanceof Error ? error.message : "";',
          replace: "return String(error);",
        },
      ],
      ["coordinator/adapters", "coordinator/data", "coordinator/open-access.ts", "test/kit"],
    );
    try {
      expect(await attackProcess(planted.folder)).toBe(1);
    } finally {
      await planted.remove();
    }
    expect(await attackProcess(ROOT)).toBe(null);
  });
});
