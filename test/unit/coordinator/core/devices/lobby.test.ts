import { expect, test } from "vitest";
import { Lobby } from "#coordinator/core/devices/lobby.ts";
import { STANDING } from "#coordinator/core/devices/standing.ts";
import type { RoundState } from "#shared/round/state.ts";
import { ManualClock } from "#test/kit/fakes/manual-clock.ts";
import { allCheckedIn, identity, play, presence } from "#test/kit/worlds/round-cast.ts";

/* The devices that a round expects when it opens. */

const TASK = "small";

function lobbyOf(...indices: number[]): Lobby {
  const lobby = new Lobby(new ManualClock(), () => {});
  for (const index of indices) lobby.enter(identity(index), TASK, null);
  return lobby;
}

test("[R3] a round expects the devices that have checked in for its version, even if they take part in another round", () => {
  const lobby = lobbyOf(1, 2, 3);
  expect(lobby.expectedCount(TASK, 2)).toBe(0);
  lobby.checkIn(identity(1), 2);
  lobby.checkIn(identity(2), 2);
  lobby.checkIn(identity(3), 1);
  expect(lobby.expectedCount(TASK, 2)).toBe(2);
  expect([1, 2, 3].map((version) => lobby.agreedCount(TASK, version))).toEqual([1, 2, 0]);
  expect(lobby.expectedCount("other", 2)).toBe(0);
  lobby.invited(identity(1));
  expect([lobby.ready(TASK, 2), lobby.expectedCount(TASK, 2)]).toEqual([[identity(2)], 2]);
  lobby.withdraw(identity(1));
  lobby.leave(identity(2));
  expect(lobby.expectedCount(TASK, 2)).toBe(0);
});

test("[R3] [R30] a round does not expect devices that are asked last", () => {
  const lobby = lobbyOf(1, 2, 3, 4);
  for (const index of [1, 2, 3, 4]) lobby.checkIn(identity(index), 1);
  for (let round = 0; round < STANDING.departures; round++) {
    expect(lobby.expectedCount(TASK, 1)).toBe(4);
    lobby.roundEnded(leftBy(4));
  }
  expect([lobby.ready(TASK, 1).length, lobby.expectedCount(TASK, 1)]).toEqual([4, 3]);
});

test("[R30] a device that withdraws its check-ins is asked last and delays no round; its address is not charged", () => {
  const lobby = new Lobby(new ManualClock(), () => {});
  for (const index of [1, 2]) lobby.enter(identity(index), TASK, "10.0.0.1");
  lobby.checkIn(identity(1), 1);
  // Without a check-in nothing is withdrawn.
  for (let time = 0; time < STANDING.departures; time++) lobby.withdraw(identity(2));
  for (let time = 0; time < STANDING.departuresOfAddress; time++) {
    lobby.checkIn(identity(2), 1);
    expect(lobby.expectedCount(TASK, 1)).toBe(time < STANDING.departures ? 2 : 1);
    lobby.withdraw(identity(2));
  }
  lobby.enter(identity(3), TASK, "10.0.0.1");
  lobby.checkIn(identity(3), 1);
  expect(lobby.expectedCount(TASK, 1)).toBe(2);
});

/** A round that ended because two of its four devices left: this one, and one outside the lobby. */
function leftBy(index: number): RoundState {
  const others = [11, 12, 13];
  const leaving = [index, 11].map((of) => presence("left", of, 2_100));
  const { state } = play([allCheckedIn([index, ...others], 2_000), ...leaving]);
  expect(state.phase).toBe("failed");
  return state;
}
