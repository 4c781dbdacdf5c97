/*
 * Names that the API's description gives to operations, for programs that are made from it. They follow from method and
 * address alone, so they are as stable as these.
 */

interface Tag {
  readonly name: string;
  readonly description: string;
  /** First parts of the addresses, after /api/v1/ if they are there. */
  readonly parts: readonly string[];
}

/** In the order in which people read them. */
export const TAGS: readonly Tag[] = [
  {
    name: "Tasks",
    description: "What to learn and under which rules. Versions never change; settings may.",
    parts: ["tasks"],
  },
  {
    name: "Runs",
    description: "Launching a task, watching it, pausing and stopping it.",
    parts: ["runs", "experiments"],
  },
  {
    name: "Rounds and models",
    description: "What came out: rounds, published sums, models as safetensors.",
    parts: ["rounds", "models", "load.js"],
  },
  {
    name: "Audit",
    description: "What an outsider needs to check a round.",
    parts: ["transcript", "auditor-pass", "log"],
  },
  {
    name: "Devices",
    description: "Who may take part: join tokens and sites, and the uploads of devices.",
    parts: ["join-tokens", "sites", "uploads"],
  },
  {
    name: "People",
    description: "Accounts, projects, roles, invitations, and what takes two people.",
    parts: ["people", "projects", "invitations", "proposals"],
  },
  { name: "API tokens", description: "Tokens with which programs ask.", parts: ["api-tokens"] },
  {
    name: "Signing in",
    description: "For the pages: sessions in a cookie, passkeys, passwords, OpenID.",
    parts: ["session", "setup"],
  },
  {
    name: "MLflow",
    description:
      "Experiments, runs, models and their files, for MLflow's clients. Below /p/{project} of one project.",
    parts: ["api", "health", "version"],
  },
  {
    name: "The coordinator",
    description: "What runs here, its limits, its health, and this description.",
    parts: [
      "status",
      "limits",
      "operations",
      "retention",
      "processing-record",
      "livez",
      "readyz",
      "metrics",
      "ca.crt",
      "openapi.json",
    ],
  },
];

/** The tag of an address; of a family of endpoints that has none yet, "Other". */
export function tagOf(path: string): string {
  const parts = partsOf(path);
  // A round's transcript lies under the round and is read by other people.
  const first = parts.includes("transcript") ? "transcript" : (parts[0] ?? "");
  return TAGS.find((tag) => tag.parts.includes(first))?.name ?? "Other";
}

/** GET /api/v1/tasks/{slug}/settings is getTasksBySlugSettings. */
export function operationId(method: string, path: string): string {
  const words = partsOf(path).map((part) => {
    const name = part.startsWith("{") ? `by-${part.slice(1, -1)}` : part;
    return name
      .split(/[^A-Za-z0-9]+/)
      .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
      .join("");
  });
  return method + words.join("");
}

function partsOf(path: string): readonly string[] {
  return path
    .replace(/^\/api\/v1\//, "/")
    .split("/")
    .filter((part) => part !== "");
}
