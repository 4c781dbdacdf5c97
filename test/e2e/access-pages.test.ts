import { type Browser, type BrowserContext, chromium, type Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunView } from "#shared/protocol/api.ts";
import { addAuthenticator, CHROMIUM_FLAGS, ensureChromium, openContext } from "#test/kit/browser.ts";
import { FAKE_PASSWORD } from "#test/kit/worlds/fake-access.ts";
import {
  axeFindings,
  buildPages,
  type FakeApi,
  openPage,
  overflowOf,
  startFakeApi,
} from "#test/kit/worlds/web-pages.ts";

/*
 * The doors and the admin page in a real browser, over the coordinator's own desk and doors and a store in memory. Passkeys
 * are made and used by Chromium's virtual authenticator.
 */

let browser: Browser;
let api: FakeApi;

beforeAll(async () => {
  await buildPages();
  api = await startFakeApi("--doors");
  browser = await chromium.launch({
    executablePath: await ensureChromium(console.log),
    args: [...CHROMIUM_FLAGS],
  });
});

afterAll(async () => {
  await browser?.close();
  api?.child.kill();
});

/** A new browser at `path`, where `name` signs in and goes on. */
async function signedIn(name: string, path: string): Promise<{ context: BrowserContext; page: Page }> {
  const context = await openContext(browser);
  const page = await context.newPage();
  await page.goto(api.base + path);
  await signIn(page, name);
  await page.waitForURL(api.base + path);
  return { context, page };
}

async function signIn(page: Page, name: string): Promise<void> {
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(FAKE_PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("You have not signed in from this browser before.").waitFor();
  await page.getByRole("button", { name: "Go on" }).click();
}

const section = (page: Page, name: string) => page.getByRole("region", { name, exact: true });

describe("signing in", () => {
  test("[X90] leads back to where one wanted to go, says what is wrong, and keeps what was typed", async () => {
    const context = await openContext(browser);
    const page = await context.newPage();
    await page.goto(`${api.base}/admin`);
    await page.waitForURL(`${api.base}/sign-in?to=%2Fadmin`);
    await page.getByLabel("Name").fill("k7f2");
    await page.getByLabel("Password").fill("a wrong password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("The name or the password is wrong. 4 tries are left").waitFor();
    for (const label of ["Name", "Password"])
      expect(await page.getByLabel(label).getAttribute("aria-invalid")).toBe("true");
    expect(await page.getByLabel("Name").inputValue()).toBe("k7f2");
    expect(await axeFindings(page)).toEqual([]);
    await signIn(page, "k7f2");
    await page.waitForURL(`${api.base}/admin`);
    await page.getByText("Signed in as", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL(`${api.base}/sign-in`);
    await page.goto(`${api.base}/admin`);
    await page.waitForURL(/sign-in/);
    await context.close();
  });

  test("[X20] never leads to another host", async () => {
    const context = await openContext(browser);
    const page = await context.newPage();
    await page.goto(`${api.base}/sign-in?to=${encodeURIComponent("//elsewhere.example/admin")}`);
    await signIn(page, "b42s");
    await page.waitForURL(`${api.base}/`);
    await context.close();
  });

  test("with a passkey that was added before", async () => {
    const { context, page } = await signedIn("b42s", "/account");
    await addAuthenticator(context, page);
    await page.getByRole("button", { name: "Add a passkey…" }).click();
    await page.getByText("“b42s set a new passkey.”").waitFor();
    await page.getByRole("button", { name: "Add a passkey", exact: true }).click();
    await page.getByText("This passkey works from now on.").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("button", { name: "Use a passkey" }).click();
    await page.waitForURL(`${api.base}/`);
    await page.getByText("Signed in as", { exact: true }).waitFor();
    await context.close();
  });
});

describe("[X93] what one may not do", () => {
  /** What starts, changes or ends something that is not one's own. */
  const VERB =
    /^(Launch|Pause|Resume|Stop run|New task|New version|Make a|Make one|Name a site|Upload held-out|Replace|Go without|Archive|Revoke|Remove)/;

  interface Controls {
    /** What one can press or fill in on the page, below the top bar. */
    readonly verbs: readonly string[];
    /** Choices and controls that are off. */
    readonly off: readonly string[];
  }

  async function controlsOf(page: Page, path: string): Promise<Controls> {
    await page.goto(api.base + path);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.getByText("Signed in as", { exact: true }).waitFor();
    await page.waitForLoadState("networkidle");
    const found = await page.locator("main").evaluate((main) => {
      const controls = [...main.querySelectorAll("a, button, select, input, fieldset")].filter((control) =>
        control.checkVisibility(),
      );
      const words = (control: Element) =>
        (
          control.textContent ||
          control.getAttribute("aria-label") ||
          control.closest("label")?.textContent ||
          ""
        ).trim();
      return {
        all: controls.map(words),
        off: controls
          .filter((control) => control.matches(":disabled, input[type=radio]"))
          .map((control) => `${control.tagName} ${words(control)}`),
      };
    });
    return { verbs: found.all.filter((text) => VERB.test(text)), off: found.off };
  }

  const NOTHING: Controls = { verbs: [], off: [] };
  const run = async (task: string, state: string): Promise<string> => {
    const { items } = (await (await fetch(`${api.base}/api/v1/runs`)).json()) as { items: RunView[] };
    const found = items.find((one) => one.task === task && one.state === state);
    if (found === undefined) throw new Error(`no ${state} run of ${task}`);
    return `/runs/${found.runId}`;
  };
  const roundOf = async (path: string): Promise<string> => {
    const view = (await (await fetch(`${api.base}/api/v1${path}`)).json()) as RunView;
    return `/rounds/${view.currentRound?.roundId}`;
  };
  const noPage = (page: Page) => page.getByText("There is no page for you at this address.");

  test("is on no page of an auditor, in no state of a run", async () => {
    const { context, page } = await signedIn("t19c", "/");
    const bar = page.getByRole("navigation", { name: "Main" });
    await expect
      .poll(() => bar.getByRole("link").allTextContents())
      .toEqual(["Runs", "Tasks", "Models", "Experiments", "Audit"]);
    const live = await run("hmda", "running");
    const runs = [
      live,
      await run("hmda", "waiting"),
      await run("hmda", "queued"),
      await run("fashion-mnist", "paused"),
    ];
    for (const path of ["/", "/tasks", "/tasks/hmda", "/tasks/digits", ...runs, await roundOf(live), "/api"])
      expect(await controlsOf(page, path), path).toEqual(NOTHING);
    for (const path of ["/admin", "/devices", "/tasks/new", "/tasks/new?from=hmda"]) {
      await page.goto(api.base + path);
      await noPage(page).waitFor();
    }
    await context.close();
  });

  test("is absent for a task of another project, whatever one may do in one's own", async () => {
    // b42s researches readmission, which hmda belongs to, and audits digits.
    const { context, page } = await signedIn("b42s", "/devices");
    const bar = page.getByRole("navigation", { name: "Main" });
    await expect
      .poll(() => bar.getByRole("link").allTextContents())
      .toEqual(["Runs", "Tasks", "Models", "Experiments", "Audit", "Devices"]);
    expect((await controlsOf(page, "/devices")).verbs).not.toContain("Name a site…");
    await page.goto(`${api.base}/admin`);
    await noPage(page).waitFor();
    const other = await run("digits", "running");
    for (const path of ["/tasks/digits", other, await roundOf(other)])
      expect(await controlsOf(page, path), path).toEqual(NOTHING);
    // The control: in one's own project it is all there.
    const own = await controlsOf(page, "/tasks/hmda");
    expect(own.verbs).toEqual(
      expect.arrayContaining(["Launch a run…", "New version…", "Replace…", "Go without…", "Archive hmda…"]),
    );
    expect(own.off.filter((text) => text.startsWith("INPUT"))).toHaveLength(2);
    const { verbs } = await controlsOf(page, await run("hmda", "running"));
    expect(verbs).toEqual(expect.arrayContaining(["Stop run…"]));
    expect((await controlsOf(page, "/")).verbs).toContain("Launch run");
    const offered = await page.getByLabel("Task", { exact: true }).locator("option").allTextContents();
    expect(offered.length).toBeGreaterThan(0);
    expect(offered.filter((text) => text.startsWith("digits"))).toEqual([]);
    await context.close();
  });
});

describe("set-up", () => {
  test("[X81] makes the first admin with a passkey, once", async () => {
    const fresh = await startFakeApi("--unclaimed");
    const context = await openContext(browser, {
      viewport: { width: 375, height: 900 },
      colorScheme: "dark",
    });
    const { page, complaints } = await openPage(context, fresh.link);
    await addAuthenticator(context, page);
    await page.getByText("Whoever opened this link becomes the first.").waitFor();
    expect(new URL(page.url()).hash).toBe("");
    expect(await axeFindings(page)).toEqual([]);
    await page.setViewportSize({ width: 320, height: 900 });
    await expect.poll(() => overflowOf(page)).toBeLessThanOrEqual(0);
    await page.getByRole("button", { name: "Make a passkey" }).click();
    await page.getByText("Choose the name that the log will show.").waitFor();
    await page.getByText("A project needs a name").waitFor();
    await page.getByLabel("Your name in the log").fill("k7f2");
    await page.getByLabel("First project").fill("readmission");
    await page.getByText("“k7f2 set up this system and became its first admin.”").waitFor();
    expect(complaints).toEqual([]);
    await page.getByRole("button", { name: "Make a passkey" }).click();
    await page.waitForURL(`${fresh.base}/`);
    await page.goto(fresh.link);
    await page.getByRole("heading", { name: "This system is set up" }).waitFor();
    await page.getByText("If that was not you, stop the coordinator now").waitFor();
    await context.close();
    fresh.child.kill();
  });
});

describe("the admin page", () => {
  test("[X82] [X92] an invitation is shown once, used once, and leads to its role", async () => {
    const admin = await signedIn("k7f2", "/admin");
    const invitations = section(admin.page, "Invitations");
    await invitations.getByText("“k7f2 invited a researcher of readmission.”").waitFor();
    await invitations.getByRole("button", { name: "Make an invitation" }).click();
    const link = (await invitations.getByText("/invited#token=chi_").textContent()) ?? "";
    await invitations.getByRole("button", { name: "Done" }).click();
    expect(await admin.page.getByText("chi_").count()).toBe(0);

    const context = await openContext(browser);
    const { page, complaints } = await openPage(context, link);
    await page.getByText("k7f2 invites you to join as a researcher of readmission.").waitFor();
    expect(new URL(page.url()).hash).toBe("");
    expect(await axeFindings(page)).toEqual([]);
    await page.getByLabel("Your name in the log").fill("c55w");
    await page.getByLabel("Password, at least 12 characters").fill("too short");
    await page.getByRole("button", { name: "Use the password" }).click();
    await page.getByText("This has 9 characters; it takes at least 12.").waitFor();
    expect(complaints).toEqual([]);
    await page.getByLabel("Password, at least 12 characters").fill(FAKE_PASSWORD);
    await page.getByRole("button", { name: "Use the password" }).click();
    await page.waitForURL(`${api.base}/`);
    await page.goto(link);
    await page.getByText("This link or token has been used").waitFor();
    await invitations.getByText("used by c55w").waitFor();
    await Promise.all([context.close(), admin.context.close()]);
  });

  test("[X84] [X91] one person proposes and another agrees; nobody agrees to their own", async () => {
    const one = await signedIn("m03a", "/admin");
    const projects = section(one.page, "Projects");
    await projects.getByRole("button", { name: "Propose to delete its data… digits" }).click();
    await projects.getByText("“m03a proposed to delete all data of the project digits.”").waitFor();
    await projects.getByRole("button", { name: "Propose", exact: true }).click();
    await projects.getByText("Say why. Whoever agrees reads it").waitFor();
    await projects.getByLabel("Reason").fill("The trial is over.");
    await projects.getByRole("button", { name: "Propose", exact: true }).click();
    const title = "Delete all data of the project digits.";
    const own = one.page.getByRole("article").filter({ hasText: title });
    await own.getByRole("button", { name: "Withdraw" }).waitFor();
    expect(await own.getByRole("button", { name: "Agree…" }).count()).toBe(0);

    const other = await signedIn("k7f2", "/admin");
    const waiting = other.page.getByRole("article").filter({ hasText: title });
    await waiting.getByText("“k7f2 agreed to delete all data of the project digits.”").waitFor();
    await waiting.getByText("Reason: “The trial is over.”").waitFor();
    await waiting.getByRole("button", { name: "Agree…" }).click();
    await waiting.getByRole("button", { name: "Agree", exact: true }).click();
    await section(other.page, "Two people").getByText("Agreed. It is done.").waitFor();
    await other.page.getByText("agreed to by you").first().waitFor();
    await Promise.all([one.context.close(), other.context.close()]);
  });

  test("[X91] a change of roles asks again who one is, and then goes on with what was begun", async () => {
    const { context, page } = await signedIn("k7f2", "/admin");
    await fetch(`${api.base}/fake/later?ms=${11 * 60_000}`);
    const people = section(page, "People");
    await people.getByRole("button", { name: "Change roles t19c" }).press("Enter");
    const roles = people.getByRole("group", { name: "Roles of t19c" });
    await roles.getByLabel("researcher").first().press("Space");
    await people.getByText("“k7f2 made t19c a researcher of").waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await people.getByRole("button", { name: "Change", exact: true }).press("Enter");
    const proof = page.getByRole("region", { name: "This needs a fresh proof of who you are." });
    await proof.waitFor();
    expect(await proof.evaluate((box) => box === document.activeElement)).toBe(true);
    await proof.getByLabel("Your password").fill("a wrong password");
    await proof.getByRole("button", { name: "Use the password" }).press("Enter");
    await proof.getByText("is wrong").waitFor();
    await proof.getByLabel("Your password").fill(FAKE_PASSWORD);
    await proof.getByLabel("Your password").press("Enter");
    await people.getByText("The roles of t19c are changed.").waitFor();
    // The focus is back where the change began.
    const focused = () => page.evaluate(() => document.activeElement?.textContent);
    await expect.poll(focused).toBe("Change roles t19c");
    await context.close();
  });

  test("[X92] an API token is shown once, and one's choice is kept while one is wrong", async () => {
    const { context, page } = await signedIn("k7f2", "/admin");
    const tokens = section(page, "API tokens");
    await tokens.getByRole("button", { name: "Make an API token…" }).click();
    await tokens.getByLabel("launch and stop runs").check();
    await tokens.getByLabel("Days, at most 90").fill("400");
    await tokens.getByRole("button", { name: "Make it" }).click();
    await tokens.getByText("Say what it is for").waitFor();
    await tokens.getByText("A whole number from 1 to 90.").waitFor();
    expect(await tokens.getByLabel("launch and stop runs").isChecked()).toBe(true);
    await tokens.getByLabel("What it is for").fill("nightly export");
    await tokens.getByLabel("Days, at most 90").fill("10");
    await tokens.getByText("“k7f2 made an API token that may read, and launch and stop runs.”").waitFor();
    await tokens.getByRole("button", { name: "Make it" }).click();
    const token = (await tokens.getByText(/^cht_[\w-]{43}$/).textContent()) ?? "";
    expect(token).toMatch(/^cht_/);
    await tokens.getByRole("button", { name: "Done" }).click();
    expect(await page.content()).not.toContain(token);
    await page.reload();
    await tokens.getByText("nightly export, you").waitFor();
    expect(await page.content()).not.toContain(token);
    await context.close();
  });

  test("a join token comes with its link and its command; revoking says what the log will keep", async () => {
    const { context, page } = await signedIn("k7f2", "/admin");
    const tokens = section(page, "Join tokens");
    await tokens.getByRole("button", { name: "Make a join token…" }).click();
    await tokens.getByLabel("Task").selectOption("digits");
    await tokens.getByLabel("Devices that may use it").fill("3");
    await tokens.getByText("“k7f2 made a join token for 3 devices of digits.”").waitFor();
    await tokens.getByRole("button", { name: "Make it" }).click();
    await tokens.getByText(/\/join\/digits#token=chj_/).waitFor();
    await tokens.getByText(/^CHORUS_TOKEN=chj_\S+ npm run edge -- --coordinator http/).waitFor();
    await tokens.getByRole("button", { name: "Done" }).click();
    await tokens
      .getByRole("button", { name: /^Revoke…/ })
      .first()
      .click();
    await tokens.getByText("“k7f2 revoked a join token.”").waitFor();
    await tokens.getByRole("button", { name: "Revoke", exact: true }).click();
    await tokens.getByText("Revoked. Nobody joins with it any more.").waitFor();
    await tokens
      .getByRole("button", { name: /^Remove its devices…/ })
      .first()
      .click();
    await tokens
      .getByText("“k7f2 removed the devices that had joined by one token, and revoked it.”")
      .waitFor();
    await tokens.getByRole("button", { name: "Remove its devices", exact: true }).click();
    await tokens.getByText(/^Removed\. Devices that joined with this token take part no more/).waitFor();
    await context.close();
  });

  test("[A81] [A83] a person is erased after a question; what is kept is a table, and the record a download", async () => {
    const { context, page } = await signedIn("k7f2", "/admin");
    const people = section(page, "People");
    await people.getByRole("button", { name: "Erase… t19c" }).click();
    await people.getByText("“k7f2 erased the account of t19c.”").waitFor();
    await people.getByText(/The name stays in the events that they caused/).waitFor();
    await people.getByRole("button", { name: "Erase", exact: true }).click();
    await people.getByText("Erased. The audit log says that one was, and not which.").waitFor();
    await people.getByRole("button", { name: "Erase… t19c" }).waitFor({ state: "detached" });
    expect(await people.getByText("t19c", { exact: true }).count()).toBe(0);
    // Admins lose the role first.
    expect(await people.getByRole("button", { name: "Erase… m03a" }).count()).toBe(0);

    const data = section(page, "Data");
    await data.getByText(/tables and \d+ folders and files\. .* Show all/).click();
    await data.getByText("sealed_opening", { exact: true }).waitFor();
    const link = data.getByRole("link", { name: "Download as Markdown" });
    expect(await link.getAttribute("href")).toBe("/api/v1/processing-record/markdown");
    expect(await axeFindings(page)).toEqual([]);
    await page.setViewportSize({ width: 375, height: 800 });
    expect(await overflowOf(page)).toBeLessThanOrEqual(0);
    await context.close();
  });
});
