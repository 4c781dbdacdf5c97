import { mlflowEndpoints } from "../mlflow/list.ts";
import { auditorPassEndpoints } from "./auditor-pass.ts";
import { authorityEndpoints } from "./authority.ts";
import { deviceEndpoints } from "./devices.ts";
import { doorEndpoints } from "./doors.ts";
import { experimentEndpoints } from "./experiments.ts";
import { exportEndpoints } from "./exports.ts";
import { governanceEndpoints } from "./governance.ts";
import { heldOutEndpoints } from "./held-out.ts";
import { logEndpoints } from "./log.ts";
import { operationEndpoints } from "./operations.ts";
import { peopleEndpoints } from "./people.ts";
import { proposalEndpoints } from "./proposals.ts";
import { publicLogEndpoints } from "./public-log.ts";
import { registryEndpoints } from "./registry.ts";
import { reportEndpoints } from "./reports.ts";
import { roundEndpoints } from "./rounds.ts";
import { runFileEndpoints } from "./run-files.ts";
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
  // Before the route with a version of a task.
  reportEndpoints,
  registryEndpoints,
  taskEndpoints,
  runEndpoints,
  roundEndpoints,
  logEndpoints,
  exportEndpoints,
  runFileEndpoints,
  experimentEndpoints,
  transcriptEndpoints,
  publicLogEndpoints,
  uploadEndpoints,
  operationEndpoints,
  governanceEndpoints,
  doorEndpoints,
  sessionEndpoints,
  peopleEndpoints,
  tokenEndpoints,
  deviceEndpoints,
  proposalEndpoints,
  authorityEndpoints,
  auditorPassEndpoints,
  mlflowEndpoints,
] as const;
