import type { ColumnType } from "kysely";
import type { StreamId } from "#coordinator/core/store.ts";

/*
 * The tables, as migrations/ leaves them. Times are Unix milliseconds; hashes and ids are lower-case hex.
 *
 * Documents are text in SQLite and `json`, not `jsonb`, in PostgreSQL: nothing queries inside them, `json` gives back
 * the text that was written (audit leaves are canonical JSON), and it takes every escape that JSON.stringify makes,
 * while jsonb refuses U+0000.
 */

/** The text of JSON.stringify; see `toJson` and `fromJson`. */
type Json = string;
/** SQLite reads 0 or 1. */
type Flag = ColumnType<boolean | number, boolean, boolean>;

/** Numbers that are handed out inside a transaction, under the row's lock; a serial column would leave gaps. */
interface CounterTable {
  name: string;
  value: number;
}
interface EventTable {
  /** Order over all streams. */
  position: number;
  project_id: string;
  stream_kind: StreamId["kind"];
  stream_id: string;
  sequence: number;
  /** The run that the stream belongs to. */
  run_id: string | null;
  at: number;
  body: Json;
  /** Whether people may be shown it; of an old event this is not known and true. */
  shown: Flag;
}
interface RunTable {
  run_id: string;
  project_id: string;
  task: string;
  task_version: number;
  number: number;
  state: string;
  actor: string;
  created_at: number;
  view: Json;
  /** `RunRow.newest`. */
  newest: Json | null;
}
interface RoundTable {
  round_id: string;
  project_id: string;
  run_id: string;
  round: number;
  phase: string;
  view: Json;
}
interface TaskTable {
  project_id: string;
  slug: string;
  version: number;
  task_hash: string;
  body: Json;
  actor: string;
  created_at: number;
}
interface TaskSettingsTable {
  project_id: string;
  slug: string;
  /** Those that were set once; the schema fills the others in. */
  body: Json;
}
interface AuditLeafTable {
  sequence: number;
  project_id: string;
  kind: string;
  body: Json;
}
interface ModelOfferTable {
  model_hash: string;
  project_id: string;
  run_id: string;
  opened_sid: string | null;
}
interface ModelVersionTable {
  run_id: string;
  round: number;
  project_id: string;
  model_hash: string;
  parent_hash: string | null;
  strategy_state_hash: string | null;
  metrics: Json;
}
interface UploadSessionTable {
  sid: string;
  project_id: string;
  byte_count: number;
  open: Flag;
}
interface UploadSlotTable {
  sid: string;
  position: number;
  slot_hash: string;
}
interface InputTable {
  sid: string;
  position: number;
  project_id: string;
  sha256: string;
  root: string;
  signature: string;
  byte_count: number;
}
interface MaterialTable {
  sid: string;
  step: "share" | "unmask";
  position: number;
  project_id: string;
  bytes: Uint8Array;
}
interface TranscriptTable {
  sid: string;
  project_id: string;
  /** Order of keeping. */
  sequence: number;
  round_id: string;
  task: string;
  shard: number;
  bytes: Uint8Array;
}
interface SealedOpeningTable {
  sid: string;
  position: number;
  bytes: Uint8Array;
}
interface EvidenceTable {
  sid: string;
  project_id: string;
  salt: Uint8Array;
  words: Uint8Array;
  /** For the auditor; null until the round is committed. */
  sealed: Uint8Array | null;
}
interface JoinTokenTable {
  token_hash: string;
  project_id: string;
  uses_left: number;
  expires_at: number;
}
interface DeviceTable {
  identity: string;
  project_id: string;
  first_seen_at: number;
}
interface SettingTable {
  project_id: string;
  name: string;
  value: string;
}

export interface Database {
  counter: CounterTable;
  event: EventTable;
  run: RunTable;
  round: RoundTable;
  task: TaskTable;
  task_settings: TaskSettingsTable;
  audit_leaf: AuditLeafTable;
  model_offer: ModelOfferTable;
  model_version: ModelVersionTable;
  upload_session: UploadSessionTable;
  upload_slot: UploadSlotTable;
  input: InputTable;
  material: MaterialTable;
  transcript: TranscriptTable;
  sealed_opening: SealedOpeningTable;
  evidence: EvidenceTable;
  join_token: JoinTokenTable;
  device: DeviceTable;
  setting: SettingTable;
}
