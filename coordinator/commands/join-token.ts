import { parseArgs } from "node:util";
import { z } from "zod";
import { tokenPattern } from "#shared/access/tokens.ts";
import {
  type JoinTokenView,
  joinTokenMadeSchema,
  joinTokenViewSchema,
  siteMadeSchema,
  siteViewSchema,
} from "#shared/protocol/access-api.ts";
import { listSchema } from "#shared/protocol/api.ts";
import { siteAddressFault } from "#shared/protocol/site-address.ts";
import { CoordinatorApi } from "../adapters/coordinator-api.ts";
import { environment, runCommand } from "./command.ts";

const HELP = `npm run join-token -- --task ID [options]
npm run join-token -- --list
npm run join-token -- --revoke ID
npm run join-token -- --remove-devices ID

Makes, lists and revokes join tokens, with which devices join tasks by invitation. A token is printed once.

  --task ID         the task that it is for; without it, every task of the project
  --project ID      its project; default default
  --uses N          how many devices may join with it; default 1
  --days D          when it ends; default 30
  --site NAME       for the named site: the first device that brings the token becomes it. It is named if it is new;
                    otherwise its earlier tokens end, and without --task the new one is for the same task as before
  --list            tokens of your projects, newest first
  --revoke ID       no device joins with this token any more; those that have joined stay
  --remove-devices ID
                    ends the part of every device that has joined with this token, and revokes it
  --help

CHORUS_URL    the coordinator; default http://localhost:3000
CHORUS_TOKEN  an API token with the scope "tasks", and "read" to list (see your account's page)

Exit code 0: done. 1: the coordinator refused; the last line says why. 2: bad options.`;

const termsSchema = z.object({
  uses: z.coerce.number().int().min(1).max(100_000).default(1),
  days: z.coerce.number().int().min(1).max(90).default(30),
});

process.exitCode = await runCommand(HELP, readOptions, perform);

type Wanted =
  | { readonly type: "list" }
  | { readonly type: "revoke" | "remove-devices"; readonly id: string }
  | { readonly type: "site"; readonly name: string; readonly projectId: string; readonly task: string | null }
  | {
      readonly type: "make";
      readonly projectId: string;
      readonly task: string | null;
      readonly uses: number;
      readonly days: number;
    };

interface Options {
  readonly url: string;
  readonly token: string;
  readonly wanted: Wanted;
}

async function perform({ url, token, wanted }: Options): Promise<number> {
  const api = new CoordinatorApi(url, token);
  switch (wanted.type) {
    case "list": {
      const { items } = await api.get("/join-tokens", listSchema(joinTokenViewSchema));
      for (const one of items) console.log(lineOf(one));
      if (items.length === 0) console.log("There are no join tokens.");
      return 0;
    }
    case "revoke":
    case "remove-devices":
      console.log(
        lineOf(await api.post(`/join-tokens/${wanted.id}/${wanted.type}`, {}, joinTokenViewSchema)),
      );
      return 0;
    case "site":
      console.log(await siteToken(api, wanted));
      return 0;
    case "make": {
      const { type: _, ...terms } = wanted;
      const made = await api.post("/join-tokens", terms, joinTokenMadeSchema);
      console.log(made.token);
      // On stderr, so that a script reads the token alone.
      if (made.url !== null) console.error(`For a browser: ${made.url}`);
      return 0;
    }
  }
}

/** A token for the site of this name, which is named if there is none. A task that is not given stays as it was. */
async function siteToken(
  api: CoordinatorApi,
  { name, projectId, task }: Extract<Wanted, { type: "site" }>,
): Promise<string> {
  const { items } = await api.get("/sites", listSchema(siteViewSchema));
  const site = items.find(
    (one) => one.name === name && one.projectId === projectId && one.state !== "revoked",
  );
  const made =
    site === undefined
      ? await api.post("/sites", { name, projectId, task }, siteMadeSchema)
      : await api.post(`/sites/${site.siteId}/token`, task === null ? {} : { task }, siteMadeSchema);
  return made.token;
}

function lineOf(token: JoinTokenView): string {
  const { tokenId, shown, projectId, task, uses, used, endsAt, isRevoked, devicesRemoved } = token;
  const end = devicesRemoved
    ? "revoked, devices removed"
    : isRevoked
      ? "revoked"
      : `ends ${endsAt.slice(0, 10)}`;
  return `${tokenId}  ${shown}...  ${task ?? `all of ${projectId}`}  ${used} of ${uses} used  ${end}`;
}

/** Returns a sentence if an option is wrong, "help" if help was asked for. */
function readOptions(): Options | string {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    options: {
      task: text,
      project: text,
      uses: text,
      days: text,
      site: text,
      revoke: text,
      "remove-devices": text,
      list: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help === true) return "help";
  const url = environment("CHORUS_URL") ?? "http://localhost:3000";
  const fault = siteAddressFault("CHORUS_URL", URL.parse(url));
  if (fault !== null) return fault;
  const token = environment("CHORUS_TOKEN");
  if (token === undefined || !tokenPattern("api").test(token))
    return 'Set CHORUS_TOKEN to an API token (cht_...) with the scope "tasks". Your account\'s page makes one.';
  const { list, revoke, site, task = null, project: projectId = "default" } = values;
  if (list === true) return { url, token, wanted: { type: "list" } };
  for (const [type, id] of [
    ["revoke", revoke],
    ["remove-devices", values["remove-devices"]],
  ] as const) {
    if (id === undefined) continue;
    if (!/^[0-9a-f]{32}$/.test(id)) return `--${type} takes the 32 hex digits that --list shows first.`;
    return { url, token, wanted: { type, id } };
  }
  const terms = termsSchema.safeParse({ uses: values.uses, days: values.days });
  if (!terms.success) return "--uses takes 1 to 100000, and --days 1 to 90.";
  if (site === undefined) return { url, token, wanted: { type: "make", projectId, task, ...terms.data } };
  if (values.uses !== undefined || values.days !== undefined)
    return "A site's token is for one device and 30 days: leave --uses and --days out.";
  return { url, token, wanted: { type: "site", name: site, projectId, task } };
}
