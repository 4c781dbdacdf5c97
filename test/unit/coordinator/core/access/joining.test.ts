import { describe, expect, test } from "vitest";
import { LIMITS } from "#shared/protocol/limits.ts";
import { identityOf, newDevice, oneOfMany, openJoinWorld } from "#test/kit/worlds/join-world.ts";

/* Who may join which task, and with which token. */

const DAY_MS = 86_400_000;

describe("the table of joining", () => {
  /** What a device is told that comes for the task, by what it brings. */
  const TABLE = {
    "no token": { open: "welcome", closed: "BY_INVITATION", nowhere: "UNKNOWN_TASK" },
    "a token of the task": { open: "TOKEN_ENDED", closed: "welcome", nowhere: "UNKNOWN_TASK" },
    "a token of the project": { open: "welcome", closed: "welcome", nowhere: "UNKNOWN_TASK" },
    "a token of another task": { open: "TOKEN_ENDED", closed: "TOKEN_ENDED", nowhere: "UNKNOWN_TASK" },
    "a token of another project": { open: "TOKEN_ENDED", closed: "TOKEN_ENDED", nowhere: "UNKNOWN_TASK" },
    "a token that was used": { open: "welcome", closed: "TOKEN_ENDED", nowhere: "UNKNOWN_TASK" },
    "a token that has run out": { open: "welcome", closed: "TOKEN_ENDED", nowhere: "UNKNOWN_TASK" },
    "a token that was revoked": { open: "welcome", closed: "TOKEN_ENDED", nowhere: "UNKNOWN_TASK" },
    "an unknown token": { open: "welcome", closed: "TOKEN_ENDED", nowhere: "UNKNOWN_TASK" },
    "no token at all": { open: "welcome", closed: "TOKEN_ENDED", nowhere: "UNKNOWN_TASK" },
    "an earlier enrolment": { open: "welcome", closed: "welcome", nowhere: "UNKNOWN_TASK" },
    "an enrolment of another task": { open: "welcome", closed: "BY_INVITATION", nowhere: "UNKNOWN_TASK" },
    "an enrolment of a revoked site": { open: "REVOKED", closed: "REVOKED", nowhere: "REVOKED" },
  } as const;
  const BRINGS = Object.keys(TABLE) as (keyof typeof TABLE)[];

  async function bring(what: keyof typeof TABLE) {
    const world = await openJoinWorld();
    const device = newDevice();
    switch (what) {
      case "no token":
        return { world, device, token: undefined };
      case "a token of the task":
        return { world, device, ...(await world.token({ task: "closed" })) };
      case "a token of the project":
        return { world, device, ...(await world.token({})) };
      case "a token of another task":
        return { world, device, ...(await world.token({ task: "other" })) };
      case "a token of another project":
        return { world, device, ...(await world.token({ projectId: "lab" })) };
      case "a token that was used": {
        const { token } = await world.token({});
        expect(await world.comes(newDevice(), "closed", { token })).toBe("welcome");
        return { world, device, token };
      }
      case "a token that has run out": {
        const { token } = await world.token({ lifeMs: 1_000 });
        world.now += 1_000;
        return { world, device, token };
      }
      case "a token that was revoked": {
        const { token, tokenId } = await world.token({});
        await world.desk.revokeJoinToken(tokenId, "ada");
        return { world, device, token };
      }
      case "an unknown token":
        return { world, device, token: `chj_${"A".repeat(43)}` };
      case "no token at all":
        return { world, device, token: "\ud800" };
      case "an earlier enrolment": {
        const { token } = await world.token({ task: "closed" });
        expect(await world.comes(device, "closed", { token })).toBe("welcome");
        return { world, device, token: undefined };
      }
      case "an enrolment of another task": {
        const { token } = await world.token({ task: "other" });
        expect(await world.comes(device, "other", { token })).toBe("welcome");
        return { world, device, token: undefined };
      }
      case "an enrolment of a revoked site": {
        const siteId = await world.site("Clinic North");
        const { token } = await world.token({ siteId });
        expect(await world.comes(device, "closed", { token })).toBe("welcome");
        await world.desk.revokeSite(siteId, "ada");
        return { world, device, token: undefined };
      }
    }
  }

  test.each(BRINGS)("[X60] %s", async (what) => {
    for (const task of ["open", "closed", "nowhere"] as const) {
      const { world, device, token } = await bring(what);
      const coming = token === undefined ? {} : { token };
      expect(`${task}: ${await world.comes(device, task, coming)}`).toBe(`${task}: ${TABLE[what][task]}`);
      // Another start of the coordinator says the same of all that is stored.
      const again = await openJoinWorld(world.db);
      again.now = world.now;
      expect(`${task}: ${await again.comes(device, task, coming)}`).toBe(`${task}: ${TABLE[what][task]}`);
    }
  });

  test("[X60] a task that becomes one by invitation takes strangers no more, from the next login on", async () => {
    const world = await openJoinWorld();
    const device = newDevice();
    expect(await world.comes(device, "open")).toBe("welcome");
    world.db.taskSettings.set("open", { joining: "invitation" });
    expect(await world.comes(device, "open")).toBe("BY_INVITATION");
  });
});

describe("a join token", () => {
  test("[X61] enrols as many devices as it has uses, although many come at once with it", async () => {
    const world = await openJoinWorld();
    const { token, tokenId } = await world.token({ task: "closed", uses: 3 });
    const devices = Array.from({ length: 20 }, newDevice);
    const told = await Promise.all(devices.map((device) => world.comes(device, "closed", { token })));
    expect(told.filter((code) => code === "welcome")).toHaveLength(3);
    expect(told.filter((code) => code === "TOKEN_ENDED")).toHaveLength(17);
    // Those that it enrolled come again with it or without it, and use nothing.
    const again = await Promise.all(
      devices.map((device, index) => world.comes(device, "closed", index % 2 === 0 ? { token } : {})),
    );
    expect(again.map((code) => code === "welcome")).toEqual(told.map((code) => code === "welcome"));
    expect(world.db.joins.get(tokenId)).toBe(3);
  });

  test("[X61] that is revoked enrols nobody, and those that it enrolled stay", async () => {
    const world = await openJoinWorld();
    const { token, tokenId } = await world.token({ task: "closed", uses: 10 });
    const device = newDevice();
    expect(await world.comes(device, "closed", { token })).toBe("welcome");
    await world.desk.revokeJoinToken(tokenId, "ada");
    expect(await world.comes(newDevice(), "closed", { token })).toBe("TOKEN_ENDED");
    expect(await world.comes(device, "closed", { token })).toBe("welcome");
  });

  describe("[X70] whose devices are removed", () => {
    test("enrols nobody, and they are out of what it let them into, also after a restart", async () => {
      const world = await openJoinWorld();
      const { token, tokenId } = await world.token({ uses: 10 });
      const [device, other, anyone] = [newDevice(), newDevice(), newDevice()];
      await world.connects(device, "closed", { token });
      await world.connects(other, "closed", await world.token({}));
      await world.connects(anyone, "open");
      expect(await world.desk.removeJoinedDevices(tokenId, "ada")).toMatchObject({ ok: true });
      expect(world.dropped).toEqual([`TOKEN_ENDED ${identityOf(device)}`]);
      const [ofDevice, ofOther] = world.passes;
      expect(await world.access.deviceOf(ofDevice ?? "")).toBeNull();
      expect(await world.access.deviceOf(ofOther ?? "")).not.toBeNull();
      for (const told of [world, await openJoinWorld(world.db)]) {
        expect(await told.comes(device, "closed")).toBe("BY_INVITATION");
        expect(await told.comes(device, "closed", { token })).toBe("TOKEN_ENDED");
        expect(await told.comes(newDevice(), "closed", { token })).toBe("TOKEN_ENDED");
        expect(await told.comes(other, "closed")).toBe("welcome");
      }
      // The device may be invited anew, and comes to a public task like anyone.
      expect(await world.comes(device, "open")).toBe("welcome");
      expect(await world.comes(device, "closed", await world.token({}))).toBe("welcome");
    });

    test("stays refused if its rows cannot be deleted, or are written while it is being removed", async () => {
      const world = await openJoinWorld();
      const { token, tokenId } = await world.token({ uses: 10 });
      const device = newDevice();
      expect(await world.comes(device, "closed", { token })).toBe("welcome");
      const rows = [...world.db.enrolments];
      await world.desk.removeJoinedDevices(tokenId, "ada");
      world.db.enrolments.push(...rows);
      const again = await openJoinWorld(world.db);
      expect(await again.comes(device, "closed")).toBe("BY_INVITATION");
    });

    test("is refused if it logged in while they were removed", async () => {
      const world = await openJoinWorld();
      const { token, tokenId } = await world.token({ uses: 10 });
      const opened = await world.login(newDevice(), "closed", { token });
      const caller = opened.ok ? opened.value.caller : null;
      if (caller === null) throw new Error("it logged in");
      expect(world.access.revocationOf(caller)).toBeNull();
      await world.desk.removeJoinedDevices(tokenId, "ada");
      expect(world.access.revocationOf(caller)).toBe("TOKEN_ENDED");
    });
  });

  test("[X62] nothing is looked up or used before the device has signed", async () => {
    const world = await openJoinWorld();
    const { token } = await world.token({ task: "closed" });
    const device = newDevice();
    expect(await world.comes(device, "closed", { token, forged: true })).toBe("BAD_SIGNATURE");
    expect(world.calls).toEqual([]);
    expect(await world.comes(device, "closed", { token })).toBe("welcome");
    // Positive control: a login that was signed does look things up.
    expect(world.calls).toContain("enrol");
  });

  test("[X62] that is wrong too often shuts its address out of tasks by invitation for a while", async () => {
    const world = await openJoinWorld();
    const wrong = { token: `chj_${"A".repeat(43)}` };
    for (let times = 0; times < LIMITS.joinsBurstPerAddress; times++)
      expect(await world.comes(oneOfMany(), "closed", wrong)).toBe("TOKEN_ENDED");
    await world.comes(oneOfMany(), "closed", wrong);
    const { token } = await world.token({ task: "closed" });
    const device = newDevice();
    expect(await world.comes(device, "closed", { token })).toBe("RATE_LIMITED");
    expect(await world.comes(device, "closed", { token, address: "203.0.113.8" })).toBe("welcome");
  });

  test("[X62] that is spent costs its address as a wrong one does", async () => {
    const world = await openJoinWorld();
    const { token } = await world.token({ task: "closed" });
    const told: string[] = [];
    for (let times = 0; times < LIMITS.joinsBurstPerAddress + 3; times++)
      told.push(await world.comes(oneOfMany(), "closed", { token }));
    expect(new Set(told.slice(1, -1))).toEqual(new Set(["TOKEN_ENDED"]));
    expect(told.at(-1)).toBe("RATE_LIMITED");
  });

  test("[X62] an enrolled device is not shut out for good while its address may look up nothing", async () => {
    const world = await openJoinWorld();
    const { token } = await world.token({ task: "closed" });
    const device = newDevice();
    await world.comes(device, "closed", { token });
    const again = await openJoinWorld(world.db);
    for (let times = 0; times < LIMITS.deviceLookUpsBurstPerAddress; times++)
      await again.comes(oneOfMany(), "closed");
    expect(await again.comes(device, "closed")).toBe("RATE_LIMITED");
    expect(await again.comes(device, "closed", { token })).toBe("welcome");
    expect(await again.comes(newDevice(), "closed", { address: "203.0.113.8" })).toBe("BY_INVITATION");
  });

  test("[X61] an enrolment ends with the project's data", async () => {
    const world = await openJoinWorld();
    const { token } = await world.token({ task: "closed" });
    const device = newDevice();
    expect(await world.comes(device, "closed", { token })).toBe("welcome");
    const act = { type: "delete-project-data", projectId: "ward" } as const;
    const proposed = await world.desk.propose(act, "the study is over", "ada");
    if (!proposed.ok) throw new Error("it is proposed");
    expect((await world.desk.agree(proposed.value.proposalId, "ada")).ok).toBe(true);
    world.db.tasks.push({ projectId: "ward", task: { slug: "closed" } } as (typeof world.db.tasks)[number]);
    world.db.taskSettings.set("closed", { joining: "invitation" });
    expect(await world.comes(device, "closed")).toBe("BY_INVITATION");
  });
});

describe("a named site", () => {
  test("[X63] is the first device that brings its token, and no other, even for a public task", async () => {
    const world = await openJoinWorld();
    const siteId = await world.site("Clinic North");
    const { token } = await world.token({ siteId });
    const both = [newDevice(), newDevice()] as const;
    const told = await Promise.all(both.map((device) => world.comes(device, "closed", { token })));
    expect(told.toSorted()).toEqual(["TOKEN_ENDED", "welcome"]);
    const [first, second] = told[0] === "welcome" ? both : [both[1], both[0]];
    expect(await world.comes(second, "open", { token })).toBe("TOKEN_ENDED");
    expect(await world.comes(first, "open", { token })).toBe("welcome");
    expect(world.desk.book.get("site", siteId)?.identity).toBe(identityOf(first));
    // A new token of the site is for the same device.
    const later = await world.token({ siteId });
    expect(await world.comes(second, "closed", later)).toBe("TOKEN_ENDED");
    expect(await world.comes(first, "closed", later)).toBe("welcome");
  });

  test("[X63] is one of its device alone: the device becomes no second site", async () => {
    const world = await openJoinWorld();
    const device = newDevice();
    const north = await world.token({ siteId: await world.site("North") });
    const south = await world.token({ siteId: await world.site("South") });
    expect(await world.comes(device, "closed", north)).toBe("welcome");
    expect(await world.comes(device, "closed", south)).toBe("CONFLICT");
  });

  test("[X63] may be a device that joined without a name before", async () => {
    const world = await openJoinWorld();
    const device = newDevice();
    expect(await world.comes(device, "closed", await world.token({}))).toBe("welcome");
    const siteId = await world.site("North");
    expect(await world.comes(device, "closed", await world.token({ siteId }))).toBe("welcome");
    expect(world.desk.book.get("site", siteId)?.identity).toBe(identityOf(device));
  });

  test("[X64] that is revoked is disconnected and stays out, its token too", async () => {
    const world = await openJoinWorld();
    const siteId = await world.site("North");
    const { token } = await world.token({ siteId, uses: 5 });
    const device = newDevice();
    await world.comes(device, "closed", { token });
    await world.desk.revokeSite(siteId, "ada");
    expect(world.dropped).toEqual([`REVOKED ${identityOf(device)}`]);
    for (const task of ["open", "closed"]) expect(await world.comes(device, task)).toBe("REVOKED");
    expect(await world.comes(device, "closed", await world.token({}))).toBe("REVOKED");
    const again = await world.token({ siteId: await world.site("North") });
    expect(await world.comes(device, "closed", again)).toBe("REVOKED");
    expect(await world.comes(newDevice(), "closed", { token })).toBe("TOKEN_ENDED");
    expect(world.db.enrolments.filter((row) => row.siteId === siteId)).toEqual([]);
    // Positive control: a new device is the site's next one.
    expect(await world.comes(newDevice(), "closed", again)).toBe("welcome");
  });

  test("[X65] is seen with its task and version, and remembered over a restart", async () => {
    const world = await openJoinWorld();
    const siteId = await world.site("North");
    const device = newDevice();
    const { token } = await world.token({ siteId });
    const rowOf = ({ desk }: typeof world) => {
      const row = desk.book.get("site", siteId);
      if (row === null) throw new Error("no site");
      return row;
    };
    const opened = await world.login(device, "closed", { token, version: "0.9.1" });
    if (!opened.ok || opened.value.caller === null) throw new Error("it is let in");
    const { identity } = opened.value.caller;
    world.access.came(opened.value.caller);
    world.now += DAY_MS;
    expect(await world.access.presenceOf(rowOf(world))).toMatchObject({
      task: "closed",
      lastSeenAt: world.now,
    });
    world.access.went(identity);
    const leftAt = world.now;
    world.now += 60_000;
    expect(await world.access.presenceOf(rowOf(world))).toMatchObject({ task: null, lastSeenAt: leftAt });
    await expect.poll(() => rowOf(world)).toMatchObject({ version: "0.9.1", lastSeenAt: leftAt });
    const again = await openJoinWorld(world.db);
    expect(rowOf(again)).toMatchObject({ version: "0.9.1", lastSeenAt: leftAt, identity });
    expect(await again.access.presenceOf(rowOf(again))).toMatchObject({ task: null, lastSeenAt: leftAt });
    // Devices without a name leave nothing.
    again.access.came({ ...opened.value.caller, identity: identityOf(newDevice()) });
    expect(again.desk.book.list("site")).toHaveLength(1);
  });
});

test("[X69] the devices of a project leave with its data, and their passes end", async () => {
  const world = await openJoinWorld();
  const come = (task: string, coming = {}) => world.connects(newDevice(), task, coming);
  const enrolled = await come("closed", await world.token({ task: "closed" }));
  const anyone = await come("open");
  const gone = await come("open");
  world.access.went(gone);
  await come("foreign", await world.token({ projectId: "lab" }));
  const act = { type: "delete-project-data", projectId: "ward" } as const;
  const proposed = await world.desk.propose(act, "the study is over", "ada");
  if (!proposed.ok) throw new Error("it is proposed");
  expect((await world.desk.agree(proposed.value.proposalId, "ada")).ok).toBe(true);
  expect(world.dropped.toSorted()).toEqual([`UNKNOWN_TASK ${enrolled}`, `UNKNOWN_TASK ${anyone}`].toSorted());
  const [ofClosed, , , ofForeign] = world.passes;
  expect(await world.access.deviceOf(ofClosed ?? "")).toBeNull();
  expect(await world.access.deviceOf(ofForeign ?? "")).toMatchObject({ task: "foreign" });
});

describe("[X68] the pass of an enrolled device", () => {
  test("is that device's for its task, until its next login or the end of its site", async () => {
    const world = await openJoinWorld();
    const siteId = await world.site("North");
    const device = newDevice();
    const { token, tokenId } = await world.token({ siteId });
    await world.comes(device, "closed", { token });
    await world.desk.revokeJoinToken(tokenId, "ada");
    await world.comes(device, "open");
    const [first = null, second = null] = world.passes;
    if (first === null || second === null) throw new Error("an enrolled device has a pass");
    expect(await world.access.deviceOf(first)).toBeNull();
    const principal = { kind: "device", identity: identityOf(device), task: "open" };
    expect(await world.access.deviceOf(second)).toEqual(principal);
    expect(
      await world.access.deviceOf(`${second.slice(0, -1)}${second.endsWith("A") ? "B" : "A"}`),
    ).toBeNull();
    await world.desk.revokeSite(siteId, "ada");
    expect(await world.access.deviceOf(second)).toBeNull();
  });

  test("is not given to a device that anyone could be", async () => {
    const world = await openJoinWorld();
    await world.comes(newDevice(), "open");
    expect(world.passes).toEqual([null]);
  });
});
