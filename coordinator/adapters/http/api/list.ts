import { operationEndpoints } from "./operations.ts";
import { roundEndpoints } from "./rounds.ts";
import { runEndpoints } from "./runs.ts";
import { statusEndpoints } from "./status.ts";
import { taskEndpoints } from "./tasks.ts";
import { transcriptEndpoints } from "./transcripts.ts";
import { uploadEndpoints } from "./uploads.ts";

/**
 * Everything that answers over HTTP, except pages. What is mounted, described and tested follows from this list: a new
 * endpoint is one file and one entry (W13).
 */
export const ENDPOINTS = [
  statusEndpoints,
  taskEndpoints,
  runEndpoints,
  roundEndpoints,
  transcriptEndpoints,
  uploadEndpoints,
  operationEndpoints,
] as const;
