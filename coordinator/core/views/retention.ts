import type { DataOf, RetentionRow } from "#shared/protocol/governance.ts";

/** What the operator chose about keeping. */
export interface RetentionChoices {
  /** Days for which ended invitations, API tokens and proposals are listed. */
  readonly endedRowsDays: number;
  /** Newest committed rounds of each task of which inputs, sealed shares and transcripts are kept; 0 for none. */
  readonly keptRounds: number;
}

type Fact = readonly [place: string, of: DataOf, holds: string, kept: string];

const WITH_PROJECT = "Until the project's data is deleted, which two admins decide.";
const FOR_GOOD = "As long as the coordinator. Nothing deletes it.";
const WITH_TRACKING = "Until the run, experiment or model is deleted for good, or the project's data is.";

/** Tables of which no option changes how long they are kept. */
const TABLES: readonly Fact[] = [
  ["counter", "nobody", "The next number of runs, models, events and uses of tokens.", FOR_GOOD],
  [
    "event",
    "people",
    "What happened in runs, rounds, projects and access, with the chosen name of whoever acted. Devices are in it by their keys.",
    `${WITH_PROJECT} Events of access stay as long as the coordinator, also the names of people who were erased.`,
  ],
  ["note", "nobody", "What people read about an event: counts, times, codes.", WITH_PROJECT],
  [
    "run",
    "people",
    "Each run's plan, state and figures, with the name of whoever launched it.",
    WITH_PROJECT,
  ],
  ["round", "nobody", "Each round's counts, times, traffic and hashes.", WITH_PROJECT],
  ["task", "people", "Versions of tasks, with the name of whoever published them.", WITH_PROJECT],
  ["task_settings", "people", "Settings of tasks, with the card of the held-out rows in use.", WITH_PROJECT],
  [
    "audit_leaf",
    "people",
    "What the public audit log says, where a person is a salted mark; beside it, and never public, the name of whoever decided it.",
    "The entries stay as long as the coordinator, since they are public. The name beside one goes when its person is erased or, unless the entry is about people, with the project's data.",
  ],
  ["log_head", "nobody", "Size and root of the audit log.", FOR_GOOD],
  ["model_offer", "nobody", "Whether a sum was ever opened for a model.", FOR_GOOD],
  ["model_use", "nobody", "Which runs have offered a model.", WITH_PROJECT],
  ["model_version", "nobody", "Hash, parent and figures of each model.", WITH_PROJECT],
  ["model_alias", "people", "Which model has which name, and who gave it.", WITH_PROJECT],
  ["upload_session", "nobody", "Size of a round's masked inputs.", WITH_PROJECT],
  ["upload_slot", "devices", "Hashes of the permissions to upload one input.", WITH_PROJECT],
  [
    "input",
    "devices",
    "Hash, size and signature of each masked input, by its place in the round; never the input.",
    WITH_PROJECT,
  ],
  [
    "material",
    "participants",
    "Sealed shares and opened shares of masks, while their round goes on.",
    "Until the round ends; then they are deleted at once.",
  ],
  [
    "enrolment",
    "devices",
    "Keys of devices that joined by a token, and when.",
    "Until the devices of the token are removed, the site is revoked, or the project's data is deleted.",
  ],
  ["device", "devices", "Keys of devices that logged in, and when they first did.", FOR_GOOD],
  ["setting", "nobody", "Small facts of this installation.", FOR_GOOD],
  ["tracking_document", "people", "Experiments, registered models and their descriptions.", WITH_TRACKING],
  ["tracking_run", "people", "Tracked runs, with the name of whoever logged them.", WITH_TRACKING],
  ["tracking_metric", "nobody", "Figures of tracked runs.", WITH_TRACKING],
  ["tracking_newest_metric", "nobody", "The newest figures of tracked runs.", WITH_TRACKING],
  ["tracking_param", "nobody", "Parameters of tracked runs.", WITH_TRACKING],
  ["tracking_tag", "people", "Tags of tracked runs, as their owners wrote them.", WITH_TRACKING],
  ["tracking_link", "nobody", "Data sets and models of tracked runs.", WITH_TRACKING],
  ["tracking_artifact", "nobody", "Names of files of tracked runs.", WITH_TRACKING],
  [
    "auth_user",
    "people",
    "Accounts: a chosen name and an id. No mail address is asked for.",
    "Until erased.",
  ],
  [
    "auth_session",
    "people",
    "Open sessions of browsers, by the hash of their secret. No address and no user agent.",
    "7 days at most, 12 hours without use, or until someone signs out.",
  ],
  [
    "auth_account",
    "people",
    "Password hashes, and accounts at an OpenID provider.",
    "Until the way to sign in is removed or the person is erased.",
  ],
  [
    "auth_verification",
    "people",
    "Challenges of sign-ins under way.",
    "Minutes; deleted with the next sign-in.",
  ],
  ["passkey", "people", "Public keys of passkeys.", "Until the passkey is removed or the person is erased."],
];

const FILES: readonly (readonly [kind: RetentionRow["kind"], ...Fact])[] = [
  [
    "folder",
    "blobs",
    "nobody",
    "Models, strategy states, published sums, reports and files of tracked runs, by their hash.",
    WITH_PROJECT,
  ],
  [
    "folder",
    "heldout",
    "held-out",
    "Rows that judge models, as the operator chose them. They are in the clear.",
    "Until they are replaced or removed, or the project's data is deleted. Uploads that stop are deleted after minutes.",
  ],
  ["folder", "log", "nobody", "The public audit log, as tiles and a checkpoint.", FOR_GOOD],
  ["folder", "tls", "nobody", "The coordinator's own certificate, if it makes one.", FOR_GOOD],
  ["file", "issuer.key", "nobody", "The key that certifies devices.", FOR_GOOD],
  ["file", "instance.json", "nobody", "Which database belongs to this folder.", FOR_GOOD],
  [
    "file",
    "last-backup.json",
    "nobody",
    "When the last backup was made, and its size.",
    "Until the next backup.",
  ],
];

/** Every table and folder: what it holds, of whom, how long and what ends it. Rule A83. */
export function retentionTable({ endedRowsDays, keptRounds }: RetentionChoices): readonly RetentionRow[] {
  const rows = TABLES.map((fact) => rowOf("table", fact));
  const files = FILES.map(([kind, ...fact]) => rowOf(kind, fact));
  return [...rows, ...accessRows(endedRowsDays), ...keptOfRounds(keptRounds), ...files];
}

function accessRows(days: number): readonly RetentionRow[] {
  const holds =
    "Projects, people with their roles and the salt of their marks, browsers that they signed in from as hashes, invitations, tokens as hashes, sites, proposals with their reasons.";
  const kept = `People until they are erased, sites until they are revoked and erased, join tokens until the project's data is deleted, and invitations, API tokens and proposals for ${days} days after their end.`;
  return [{ kind: "table", place: "access_row", holds, of: "people", kept, setting: "--keep-ended-days" }];
}

function keptOfRounds(rounds: number): readonly RetentionRow[] {
  const kept =
    rounds === 0
      ? "Until the round's sum is published or the round is given up; then deleted at once."
      : `Of the newest ${rounds === 1 ? "committed round" : `${rounds} committed rounds`} of each task; deleted once a newer one is kept.`;
  const facts: readonly Fact[] = [
    ["transcript", "devices", "Who signed what in a round, by key: what an auditor checks.", kept],
    ["sealed_opening", "participants", "Opening shares, sealed to the auditor's key.", kept],
    ["evidence", "participants", "The part of a sum that is not published, with its salt.", kept],
  ];
  const setting = "--keep-transcripts";
  return [
    ...facts.map((fact) => ({ ...rowOf("table", fact), setting })),
    { ...rowOf("folder", ["spool", "participants", "Masked inputs of rounds.", kept]), setting },
  ];
}

function rowOf(kind: RetentionRow["kind"], [place, of, holds, kept]: Fact): RetentionRow {
  return { kind, place, holds, of, kept, setting: null };
}
