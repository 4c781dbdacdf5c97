import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSocketLink } from "#client/adapters/socket-link.ts";
import type { LinkState } from "#client/core/ports.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { type CoordinatorProcess, freePort, spawnCoordinator } from "#test/kit/worlds/coordinator-process.ts";

/* A device and a real coordinator, with a network between them that drops everything without closing anything. */

let folder: string;
let coordinator: CoordinatorProcess;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "chorus-silent-"));
  coordinator = await spawnCoordinator({ port: await freePort(), dataDir: folder });
});
afterAll(async () => {
  await coordinator?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Forwards bytes until it is told to hold them. */
async function openSilencer(port: number) {
  const sockets = new Set<Socket>();
  let holds = false;
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("data", (bytes) => to.write(bytes));
      from.on("close", () => to.destroy());
      from.on("error", () => to.destroy());
      if (holds) from.pause();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    hold: () => {
      holds = true;
      for (const socket of sockets) socket.pause();
    },
    release: () => {
      holds = false;
      for (const socket of sockets) socket.resume();
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

test("[W21] a connection that goes silent is noticed, kept, and heard again", async () => {
  expect(LIMITS.socketSilentMsMax).toBeLessThan(10_000);
  const silencer = await openSilencer(Number(new URL(coordinator.url).port));
  const link = openSocketLink(silencer.url);
  const states: LinkState[] = [];
  link.onState((state) => void states.push(state));
  try {
    link.connect();
    await expect.poll(() => states).toEqual(["up"]);
    // Control: pings alone are enough to be heard.
    await new Promise((resolve) => setTimeout(resolve, LIMITS.socketSilentMsMax + LIMITS.socketPingMs));
    expect(states).toEqual(["up"]);
    silencer.hold();
    await expect.poll(() => states).toEqual(["up", "silent"]);
    silencer.release();
    await expect.poll(() => states).toEqual(["up", "silent", "heard"]);
    // For good, it is noticed again, and the connection ends at last.
    silencer.hold();
    await expect.poll(() => states).toEqual(["up", "silent", "heard", "silent", "down"]);
  } finally {
    link.close();
    silencer.close();
  }
});

test("[W21] what the browser calls offline cuts the connection at once, to localhost too, and online ends the pause", async () => {
  const network = new EventTarget();
  const silencer = await openSilencer(Number(new URL(coordinator.url).port));
  const link = openSocketLink(silencer.url, { network });
  const states: LinkState[] = [];
  link.onState((state) => void states.push(state));
  try {
    network.dispatchEvent(new Event("offline"));
    // Nobody wants a connection yet.
    expect(states).toEqual([]);
    link.connect();
    await expect.poll(() => states).toEqual(["up"]);
    silencer.hold();
    network.dispatchEvent(new Event("offline"));
    expect(states).toEqual(["up", "down", "cut"]);
    // An attempt hangs in the held network. Once the browser is online, another one is made at once.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    silencer.release();
    network.dispatchEvent(new Event("online"));
    await expect.poll(() => states, { timeout: 2_000 }).toEqual(["up", "down", "cut", "up"]);
    // Where no network is needed, the connection comes back without the browser's word.
    network.dispatchEvent(new Event("offline"));
    await expect.poll(() => states.slice(4), { timeout: 5_000 }).toEqual(["down", "cut", "up"]);
    // Afterwards nobody listens.
    link.close();
    const count = states.length;
    network.dispatchEvent(new Event("offline"));
    expect(states).toHaveLength(count);
  } finally {
    link.close();
    silencer.close();
  }
});
