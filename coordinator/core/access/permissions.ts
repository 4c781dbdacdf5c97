import { type ErrorCode, type WireError, wireError } from "#shared/protocol/errors.ts";
import type { Principal } from "./principal.ts";

interface PermissionRow {
  readonly allows: string;
  readonly heldBy: readonly Principal["kind"][];
}

const EVERYONE = ["anyone", "device"] as const;

/**
 * Everything that a coordinator can be asked to do. Each endpoint and each socket message names one row (W13). Until there
 * are accounts, only a device's login tells one principal from another: everyone holds every permission, except the one
 * to take part in rounds.
 */
export const PERMISSIONS = {
  public: { allows: "what anyone may know and ask, with or without an account", heldBy: EVERYONE },
  "tasks.read": { allows: "list and read tasks", heldBy: EVERYONE },
  "tasks.create": { allows: "create a task or a new version of one", heldBy: EVERYONE },
  "tasks.settings": { allows: "change settings of a task, which no device agrees to", heldBy: EVERYONE },
  "runs.read": { allows: "list, read and watch runs, their rounds and their events", heldBy: EVERYONE },
  "runs.launch": { allows: "launch a run", heldBy: EVERYONE },
  "runs.act": { allows: "pause, resume and stop a run", heldBy: EVERYONE },
  "models.read": { allows: "download models and published sums", heldBy: EVERYONE },
  "transcripts.read": { allows: "read what is kept of a round for an auditor", heldBy: EVERYONE },
  // The slot's token and the device's signature say who sends; the core checks both before it reads the body.
  "inputs.send": { allows: "send the masked input of an upload slot", heldBy: EVERYONE },
  "operations.read": { allows: "read figures about the coordinator itself", heldBy: EVERYONE },
  "devices.log-in": { allows: "show that one holds a device's key", heldBy: EVERYONE },
  "rounds.take-part": { allows: "check in and send a device's messages of a round", heldBy: ["device"] },
} as const satisfies Readonly<Record<string, PermissionRow>>;

export type Permission = keyof typeof PERMISSIONS;

/** Null if `principal` holds `permission`; else NOT_AUTHENTICATED if a login may help, FORBIDDEN if it cannot. */
export function refusalOf(principal: Principal, permission: Permission): WireError | null {
  const { heldBy }: PermissionRow = PERMISSIONS[permission];
  if (heldBy.includes(principal.kind)) return null;
  const code: ErrorCode = principal.kind === "anyone" ? "NOT_AUTHENTICATED" : "FORBIDDEN";
  return wireError(code);
}
