import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Answer, CookieJar, DoorWorld } from "./door-world.ts";

/* What tests of signing in do again and again, in the world of the test that runs. */

export const PASSWORD = "an ordinary sentence";
export const credential = { type: "password", password: PASSWORD } as const;

export const codeOf = ({ body }: Answer) => body?.error?.code;

/** @param now  The world, and the browser of its first admin. */
export function doorHelpers(now: () => { readonly world: DoorWorld; readonly admin: CookieJar }) {
  /** Claims the coordinator for ada. */
  async function setUp(): Promise<Answer> {
    const { world, admin } = now();
    const token = world.doors.openSetUp();
    const body = { token, name: "ada", projectId: "ward", credential };
    return world.ask("POST", "/api/v1/setup", { body, jar: admin });
  }

  const signIn = (password: string, jar?: CookieJar, name = "ada") =>
    now().world.ask("POST", "/api/v1/session", {
      body: { name, password },
      ...(jar === undefined ? {} : { jar }),
    });
  const own = (jar: CookieJar) => now().world.ask("GET", "/api/v1/session", { jar });

  /** Everything in the data folder, as bytes. */
  async function stored(): Promise<Buffer> {
    const names = await readdir(now().world.dataDir, { recursive: true, withFileTypes: true });
    const files = names.filter((name) => name.isFile());
    return Buffer.concat(await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name)))));
  }

  /** Invites someone; the token. */
  async function invitation(role: "auditor" | "researcher" = "researcher"): Promise<string> {
    const made = await now().world.desk.invite({ role, projectId: "ward" }, "", "ada");
    if (!made.ok) throw new Error(made.error.message);
    return made.value.token;
  }

  return { setUp, signIn, own, stored, invitation };
}
