import { describe, expect, test } from "vitest";
import {
  clockSentence,
  destinationOf,
  invitedLead,
  nameProblem,
  newAccountProblem,
  passwordProblem,
  projectProblem,
  refusedSentence,
  setupEntry,
  setupLead,
  signInPath,
  signInProblem,
} from "#web/words/doors.ts";

const NOW = Date.parse("2026-07-08T14:28:00Z");

describe("[X20] where one lands after sign-in", () => {
  test.each([
    ["/admin", "/admin"],
    ["/runs/1?table=accuracy#two", "/runs/1?table=accuracy#two"],
    [null, "/"],
    ["", "/"],
  ])("%s leads to %s", (wanted, path) => expect(destinationOf(wanted)).toBe(path));

  test.each([
    "//elsewhere.example",
    "https://elsewhere.example/",
    "https:elsewhere.example",
    "/\\elsewhere.example",
    "\\\\elsewhere.example",
    "javascript:alert(1)",
    "/\t/elsewhere.example",
    "admin",
    "/..//elsewhere.example",
  ])("%s leads to the first page", (wanted) => expect(destinationOf(wanted)).toBe("/"));

  test.each(["/sign-in", "/sign-in?to=/admin", "/setup", "/invited#token=x"])(
    "%s is a door, which would lead back",
    (door) => expect(destinationOf(door)).toBe("/"),
  );

  test("a page that merely begins like a door is none", () =>
    expect(destinationOf("/sign-ins")).toBe("/sign-ins"));

  test("the way there and back is the same path", () => {
    const path = "/runs/1?table=accuracy&x=1#two";
    const to = new URL(signInPath(path), "http://localhost").searchParams.get("to");
    expect(destinationOf(to)).toBe(path);
    expect(signInPath("/")).toBe("/sign-in");
  });
});

describe("set-up and invitations", () => {
  test("say until when the link works, or how to get a new one", () => {
    expect(setupLead("2026-07-08T14:51:00Z", NOW)).toBe(
      "Whoever opened this link becomes the first. It works once, until 14:51 UTC; that is 23 minutes from now.",
    );
    expect(setupLead("2026-07-08T14:28:20Z", NOW)).toContain("1 minute from now");
    expect(setupLead("2026-07-08T14:27:00Z", NOW)).toContain("ran out at 14:27 UTC");
    expect(setupLead(null, NOW)).toContain("Start the coordinator again");
  });

  test("[X91] show the entry that the log will keep", () => {
    expect(setupEntry("k7f2", "readmission")).toBe("k7f2 set up this system and became its first admin.");
    expect(invitedLead({ role: "auditor", projectId: "readmission" }, "k7f2")).toBe(
      "k7f2 invites you to join as an auditor of readmission.",
    );
  });

  test.each([
    ["k7f2", null],
    ["", "Choose the name"],
    ["K7F2", "lower-case"],
    ["-k", "lower-case"],
    ["a".repeat(33), "at most 32"],
    ["coordinator", "stands for something else"],
  ])("the name %s", (name, problem) =>
    problem === null ? expect(nameProblem(name)).toBeNull() : expect(nameProblem(name)).toContain(problem),
  );

  test("say what a password or a project lacks", () => {
    expect(passwordProblem("short")).toBe("This has 5 characters; it takes at least 12.");
    expect(passwordProblem("x".repeat(12))).toBeNull();
    expect(passwordProblem("x".repeat(257))).toContain("longer than 256");
    expect(projectProblem("readmission")).toBeNull();
    expect(projectProblem("Read mission")).toContain("lower-case");
    expect(projectProblem("")).toContain("needs a name");
  });

  test("an error stands under what it is about", () => {
    expect(signInProblem("WRONG_CREDENTIALS", "wrong").under).toBe("credentials");
    expect(signInProblem("RATE_LIMITED", "too often").under).toBeNull();
    expect(newAccountProblem("CONFLICT", "taken").under).toBe("name");
    expect(newAccountProblem("TOKEN_ENDED", "ended").under).toBeNull();
  });
});

test("a clock is mentioned only if it is off by minutes, with its direction", () => {
  const here = (minutes: number) => clockSentence(new Date(NOW).toISOString(), NOW + minutes * 60_000);
  expect(here(9)).toContain("9 minutes fast");
  expect(here(-9)).toContain("9 minutes slow");
  expect(here(1)).toBeNull();
});

test("a refusal in the address is looked up, never shown as it is", () => {
  expect(refusedSentence("FORBIDDEN")).toContain("Nobody here signs in with that account");
  expect(refusedSentence("TOKEN_ENDED")).toContain("Ask for a new one");
  expect(refusedSentence("<b>Call this number</b>")).toBeNull();
  expect(refusedSentence(null)).toBeNull();
});
