import type { AccessDesk } from "#coordinator/core/access/desk.ts";
import { present } from "#shared/kernel/assert.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import type { Result } from "#shared/kernel/result.ts";
import { randomBytes } from "#shared/node/system.ts";

const DAY_MS = 86_400_000;

/**
 * Adds this many people to a coordinator that has an admin. Each is a researcher of its first project and has an API
 * token, and there are as many join tokens as people.
 *
 * @returns The API tokens.
 */
export async function addCrowd(desk: AccessDesk, count: number): Promise<readonly string[]> {
  const actor = present(desk.book.admins()[0], "an admin").name;
  const { projectId } = present(desk.book.list("project")[0], "a project");
  const tokens: string[] = [];
  for (let index = 0; index < count; index++) {
    const invited = done(await desk.invite({ role: "researcher", projectId }, "", actor));
    const newcomer = {
      personId: bytesToHex(randomBytes(16)),
      name: `person-${index}`,
      signsInWith: "password",
    } as const;
    const person = done(await desk.useInvitation(invited.token, newcomer));
    const terms = { label: "a crowd", scopes: ["read"], days: 1 } as const;
    tokens.push(done(await desk.makeApiToken(person, terms)).token);
    const joining = { projectId, task: null, siteId: null, uses: 1, lifeMs: DAY_MS };
    done(await desk.makeJoinToken({ ...joining, actor }));
  }
  return tokens;
}

function done<Value>(result: Result<Value, { readonly message: string }>): Value {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}
