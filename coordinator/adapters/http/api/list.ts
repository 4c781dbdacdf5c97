import { auditorPassEndpoints } from "./auditor-pass.ts";
import { authorityEndpoints } from "./authority.ts";
import { deviceEndpoints } from "./devices.ts";
import { doorEndpoints } from "./doors.ts";
import { exportEndpoints } from "./exports.ts";
import { heldOutEndpoints } from "./held-out.ts";
import { operationEndpoints } from "./operations.ts";
import { peopleEndpoints } from "./people.ts";
import { proposalEndpoints } from "./proposals.ts";
import { roundEndpoints } from "./rounds.ts";
import { runEndpoints } from "./runs.ts";
import { sessionEndpoints } from "./sessions.ts";
import { statusEndpoints } from "./status.ts";
import { taskEndpoints } from "./tasks.ts";
import { tokenEndpoints } from "./tokens.ts";
import { transcriptEndpoints } from "./transcripts.ts";
import { uploadEndpoints } from "./uploads.ts";

/**
 * Every HTTP endpoint, pages excepted. Mounting, the description and the tests all follow this list. A new
 * endpoint takes one file and one entry (W13).
 */
export const ENDPOINTS = [
  statusEndpoints,
  heldOutEndpoints,
  taskEndpoints,
  runEndpoints,
  roundEndpoints,
  exportEndpoints,
  transcriptEndpoints,
  uploadEndpoints,
  operationEndpoints,
  doorEndpoints,
  sessionEndpoints,
  peopleEndpoints,
  tokenEndpoints,
  deviceEndpoints,
  proposalEndpoints,
  authorityEndpoints,
  auditorPassEndpoints,
] as const;
