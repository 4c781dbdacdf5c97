import type { BrowserContext } from "playwright";
import { addAuthenticator } from "../browser.ts";
import { type CoordinatorProcess, until } from "./coordinator-process.ts";
import { openPage } from "./web-pages.ts";

/** Makes ada the admin of a coordinator that has none: follows its printed link with a passkey, at its own address. */
export async function signUp(context: BrowserContext, coordinator: CoordinatorProcess): Promise<void> {
  const link = await until(
    "the set-up link",
    60_000,
    async () => /http:\/\/\S+\/setup#token=\S+/.exec(coordinator.said())?.[0],
  );
  const { page } = await openPage(context, link);
  await addAuthenticator(context, page);
  await page.getByLabel("Your name in the log").fill("ada");
  await page.getByLabel("First project").fill("ward");
  await page.getByRole("button", { name: "Make a passkey" }).click();
  await page.waitForURL(`${coordinator.url}/`);
  await page.close();
}
