import { parseArgs } from "node:util";
import { tokenPattern } from "#shared/access/tokens.ts";
import { fieldErrors } from "#shared/protocol/fields.ts";
import { taskSlugSchema } from "#shared/protocol/ids.ts";
import { siteAddressFault } from "#shared/protocol/site-address.ts";
import { type HeldOutCard, heldOutCardSchema } from "#shared/task/held-out.ts";
import { CoordinatorApi } from "../../adapters/coordinator-api.ts";
import { environment } from "../command.ts";

export const TASK_HELP = `npm run task -- check FILE
npm run task -- create FILE [--project ID]
npm run task -- hold-out TASK PATH --source S --licence L --ground G --collected C
npm run task -- hold-out TASK --remove
npm run task -- archive TASK [--yes]
npm run task -- list [--archived]

Makes tasks of files and looks after them. FILE is a task as JSON; examples/tasks/ has one, and shared/task/task.ts says
what each field means.

  check             says what is wrong with a file, field by field, or what its task is; needs no coordinator
  create            publishes the file's version of its task, and says how it differs from the version before
    --project ID    the project of a new task; needed if you have a role in several
  hold-out          has the rows at PATH judge the task's models from now on, once every row was checked: a CSV file, a
                    zip of pictures, an IDX pair or a CSV file, or a folder with an IDX pair. No device is asked again
    --source S      where the rows come from
    --licence L     under which licence they may be used
    --ground G      on what ground, such as a consent or the decision of an ethics board
    --collected C   when they were collected
    --remove        go without: devices alone judge the task's models
  archive           says what it would do; does it with --yes: the task is off the list and takes no devices, its active
                    run ends after its round, its models stay
  list              your tasks, the newest version of each
    --archived      archived ones too
  --help

CHORUS_URL    the coordinator; default http://localhost:3000
CHORUS_TOKEN  an API token with the scope "tasks", and "read" for lists (see your account's page)

Exit code 0: done. 1: the coordinator refused; the last lines say why. 2: bad options, or a file with something wrong.`;

export type TaskOptions =
  | { readonly verb: "check"; readonly file: string }
  | {
      readonly verb: "create";
      readonly file: string;
      readonly project: string | null;
      readonly api: CoordinatorApi;
    }
  | {
      readonly verb: "hold-out";
      readonly task: string;
      readonly path: string;
      readonly card: HeldOutCard;
      readonly api: CoordinatorApi;
    }
  | { readonly verb: "go-without"; readonly task: string; readonly api: CoordinatorApi }
  | {
      readonly verb: "archive";
      readonly task: string;
      readonly isSure: boolean;
      readonly api: CoordinatorApi;
    }
  | { readonly verb: "list"; readonly withArchived: boolean; readonly api: CoordinatorApi };

/** Returns a sentence if an option is wrong, "help" if help was asked for. */
export function readTaskOptions(args: readonly string[]): TaskOptions | string {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      project: text,
      source: text,
      licence: text,
      ground: text,
      collected: text,
      remove: flag,
      yes: flag,
      archived: flag,
      help: flag,
    },
  });
  if (values.help === true) return "help";
  const [verb, first, second, ...more] = positionals;
  if (more.length > 0) return `There is one word too many: ${more[0]}. See --help.`;
  if (verb === "check")
    return first === undefined || second !== undefined ? "check takes one file." : { verb, file: first };
  const api = readApi();
  if (typeof api === "string") return api;
  switch (verb) {
    case "create":
      if (first === undefined || second !== undefined) return "create takes one file.";
      return { verb, file: first, project: values.project ?? null, api };
    case "list":
      if (first !== undefined) return "list takes no name.";
      return { verb, withArchived: values.archived === true, api };
    case "archive":
    case "hold-out": {
      const task = taskSlugSchema.safeParse(first);
      if (!task.success) return `${verb} takes the name of a task, such as readmission.`;
      if (verb === "archive") return { verb, task: task.data, isSure: values.yes === true, api };
      if (values.remove === true)
        return second === undefined
          ? { verb: "go-without", task: task.data, api }
          : "--remove takes no path.";
      if (second === undefined) return "hold-out takes the name of a task and a path.";
      const { source, licence, ground, collected } = values;
      const card = heldOutCardSchema.safeParse({ source, licence, ground, collected });
      if (card.success) return { verb, task: task.data, path: second, card: card.data, api };
      return fieldErrors(card.error)
        .map(({ path, sentence }) => `--${path}: ${sentence}`)
        .join("\n");
    }
    default:
      return "Say check, create, hold-out, archive or list. See --help.";
  }
}

function readApi(): CoordinatorApi | string {
  const url = environment("CHORUS_URL") ?? "http://localhost:3000";
  const fault = siteAddressFault("CHORUS_URL", URL.parse(url));
  if (fault !== null) return fault;
  const token = environment("CHORUS_TOKEN");
  if (token === undefined || !tokenPattern("api").test(token))
    return 'Set CHORUS_TOKEN to an API token (cht_...) with the scope "tasks". Your account\'s page makes one.';
  return new CoordinatorApi(url, token);
}
