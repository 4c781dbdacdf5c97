import type { TaskView } from "#shared/protocol/api.ts";
import type {
  Operator,
  ProcessingActivity,
  ProcessingRecord,
  RetentionRow,
} from "#shared/protocol/governance.ts";

/** What the record is made from. */
export interface RecordSource {
  /** Unix milliseconds. */
  readonly at: number;
  readonly codeVersion: string;
  readonly address: string;
  readonly operator: Operator;
  readonly tasks: readonly TaskView[];
  readonly retention: readonly RetentionRow[];
  readonly database: "embedded" | "postgresql";
  readonly hasOpenId: boolean;
  readonly keptRounds: number;
}

/** Facts of this coordinator alone; what only its operator knows is named as a blank. Rule A84. */
export function processingRecord(source: RecordSource): ProcessingRecord {
  const { operator, tasks, retention } = source;
  return {
    version: 1,
    madeAt: new Date(source.at).toISOString(),
    codeVersion: source.codeVersion,
    address: source.address,
    operator,
    blanks: blanksOf(operator),
    activities: [...tasks.map((task) => learning(task, source)), accounts(source), auditLog()],
    retention: [...retention],
    measures: [...measures(source)],
  };
}

function blanksOf({ name, contact, protectionContact, legalGround }: Operator): ProcessingRecord["blanks"] {
  const settings = [
    [name, "Name of the controller", "--operator"],
    [contact, "How to reach the controller", "--operator-contact"],
    [protectionContact, "How to reach the data protection officer, if there is one", "--protection-contact"],
    [legalGround, "Legal ground of the processing", "--legal-ground"],
  ] as const;
  const open = settings.filter(([value]) => value === null).map(([, what, setting]) => ({ what, setting }));
  return [
    ...open,
    { what: "Where the machine stands, and transfers to third countries", setting: null },
    { what: "Who else can read the machine's disk and backups, such as a host", setting: null },
    { what: "How long backups and the log of the process are kept", setting: null },
  ];
}

function learning({ task, heldOut }: TaskView, { keptRounds }: RecordSource): ProcessingActivity {
  const { slug, title = slug, version, purpose, learns, aggregation, exampleNoun } = task;
  const kept =
    keptRounds === 0
      ? "Masked inputs, until the round's sum is published"
      : `Masked inputs, of the newest ${keptRounds} committed rounds of the task`;
  return {
    name: `Learning together: ${title} (${slug}, version ${version})`,
    purpose: purpose ?? `A model that learns ${learns}. The task says no further purpose.`,
    subjects: "Whoever's rows are on the devices that take part, and the people who use these devices",
    data: [
      `${exampleNoun.many}: on the devices only; none is sent`,
      `${kept}. One input says nothing without the masks; sums are over at least ${aggregation.cohortSizeMin} devices`,
      "Keys of devices, and when they took part",
      "Network addresses, in memory only, to bound requests",
      ...(heldOut == null ? [] : [`${heldOut.rowCount} held-out rows that judge models, in the clear`]),
    ],
    recipients: [
      "The coordinator: sums, counts and models",
      "Devices that take part, and whoever may read the project: models and figures",
    ],
    places: [
      "spool",
      "material",
      "input",
      "round",
      "model_version",
      "blobs",
      "device",
      "enrolment",
      "heldout",
    ],
  };
}

function accounts({ hasOpenId }: RecordSource): ProcessingActivity {
  return {
    name: "Accounts of the people who run it",
    purpose: "Letting people in, giving them roles, and saying who decided what",
    subjects: "Admins, researchers and auditors",
    data: [
      "A name that they chose, roles, password hash or public keys of passkeys, hashes of browsers, sessions",
      "What they decided, by that name",
      ...(hasOpenId ? ["Issuer and subject of an account at the OpenID provider"] : []),
    ],
    recipients: [
      "Whoever has a role in the project: names and what they decided",
      ...(hasOpenId ? ["The OpenID provider: that someone signs in"] : []),
    ],
    places: ["access_row", "auth_user", "auth_session", "auth_account", "passkey", "event"],
  };
}

function auditLog(): ProcessingActivity {
  return {
    name: "Public audit log",
    purpose: "Anyone can check that rounds went as agreed",
    subjects: "Admins, researchers and auditors, as salted marks; devices, as roots over many",
    data: [
      "What was decided and when. No name, address, label, free text or key of one device",
      "Beside an entry, not public: the name of whoever decided it",
    ],
    recipients: ["Anyone: the entries", "Whoever has a role in the project: the names"],
    places: ["audit_leaf", "log"],
  };
}

function measures({ address, database, hasOpenId }: RecordSource): readonly string[] {
  const isHttps = address.startsWith("https:");
  return [
    "Secure aggregation: the coordinator opens sums of masked inputs, never one input; each device checks how many are in the sum before it gives its shares.",
    isHttps
      ? "Devices and pages reach it over TLS."
      : "Devices and pages reach it over plain HTTP; nobody can sign in from another machine that way.",
    `Passwords are kept as hashes, tokens and session secrets as SHA-256.${hasOpenId ? " An OpenID provider may be used." : ""}`,
    "Deleting a project's data, giving and taking the role of admin, and passing a shut gate take two admins if there are two.",
    "Acts that change access take a fresh proof of who one is. Every decision leaves an event and an entry of the audit log.",
    `The database (${database === "embedded" ? "SQLite in the data folder" : "PostgreSQL"}) and the files are not encrypted by the coordinator. Whoever reads the disk reads held-out rows and models.`,
    "There is no differential privacy: what a sum or a model says about rows is not bounded.",
  ];
}

/** The record as Markdown. Texts of tasks cannot break out of their line. */
export function processingRecordMarkdown(record: ProcessingRecord): string {
  const { operator, blanks, activities, retention } = record;
  const blank = "**to be filled in**";
  const filled = (value: string | null) => (value === null ? blank : inLine(value));
  return [
    "# Record of processing activities",
    `Made on ${record.madeAt} by Chorus ${record.codeVersion} at ${record.address}, from its own facts, in the form of article 30 of the GDPR. It is no legal advice.`,
    "## Controller",
    list([
      `Name: ${filled(operator.name)}`,
      `Contact: ${filled(operator.contact)}`,
      `Data protection officer: ${filled(operator.protectionContact)}`,
      `Legal ground: ${filled(operator.legalGround)}`,
    ]),
    "## To be filled in",
    list(blanks.map(({ what, setting }) => (setting === null ? what : `${what} (\`${setting}\`)`))),
    ...activities.flatMap((activity) => [
      `## ${inLine(activity.name)}`,
      list([
        `Purpose: ${inLine(activity.purpose)}`,
        `Whose data: ${inLine(activity.subjects)}`,
        ...activity.data.map((data) => `Data: ${inLine(data)}`),
        ...activity.recipients.map((recipient) => `Recipients: ${inLine(recipient)}`),
        `Kept in: ${activity.places.map((place) => `\`${place}\``).join(", ")}`,
      ]),
    ]),
    "## How long",
    [
      "| Where | What | How long |",
      "| --- | --- | --- |",
      ...retention.map(({ place, holds, kept }) => `| \`${place}\` | ${holds} | ${kept} |`),
    ].join("\n"),
    "## Measures",
    list(record.measures.map(inLine)),
    "",
  ].join("\n\n");
}

const list = (lines: readonly string[]) => lines.map((line) => `- ${line}`).join("\n");

/** Text that people wrote, as it stands: no line break, markup or table cell of theirs counts. */
function inLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll(/[\\`*_{}[\]<>#|]/g, "\\$&");
}
