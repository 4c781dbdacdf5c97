import type { ColumnType } from "kysely";
import type { AccessRowKind } from "#coordinator/core/ports/access-store.ts";
import type { StreamId } from "#coordinator/core/ports/store.ts";
import type { RunLink, RunStatus, TrackingKind } from "#coordinator/core/ports/tracking-store.ts";
import type { Position } from "#shared/kernel/places.ts";
import type { Alias } from "#shared/protocol/aliases.ts";

/*
 * The tables after all migrations, except those of auth-records.ts. Times are Unix milliseconds; hashes and ids are lower-case hex.
 *
 * Documents are text in SQLite and `json` in PostgreSQL, because nothing queries inside them. `json` returns
 * the text as written (audit leaves are canonical JSON) and accepts every escape of JSON.stringify, while
 * `jsonb` refuses U+0000.
 */

/** Output of JSON.stringify; see `toJson` and `fromJson`. */
type Json = string;
/** SQLite returns 0 or 1. */
type Flag = ColumnType<boolean | number, boolean, boolean>;

/** Numbers taken inside a transaction under the row's lock. A serial column would leave gaps. */
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
  at: number;
  body: Json;
}
/** What people read of an event. Position, stream, sequence and time are those of the event. */
interface NoteTable {
  position: number;
  project_id: string;
  stream_kind: StreamId["kind"];
  stream_id: string;
  sequence: number;
  /** The stream's run. */
  run_id: string | null;
  at: number;
  body: Json;
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
  /** Blob of the published sum. */
  sum_hash: string | null;
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
  /** Those that were ever set. The schema fills in the others. */
  body: Json;
  /** `joining` of the settings in effect. */
  joining: string;
  /** True if the settings have `archived`. */
  archived: Flag;
}
interface AuditLeafTable {
  sequence: number;
  project_id: string;
  kind: string;
  body: Json;
  /** Null in leaves of earlier versions, as `subject` is then. */
  at: number | null;
  /** What it is about: see `leafSubject`. */
  subject: string | null;
  /** Who decided what it says; null if nobody did, if it is not known, or if that person was erased. */
  actor: string | null;
}
/** One row, once something is signed. */
interface LogHeadTable {
  id: number;
  size: number;
  root: string;
  note: string;
}
interface ModelOfferTable {
  model_hash: string;
  project_id: string;
  run_id: string;
  opened_sid: string | null;
}
/** Each run that has offered the model. */
interface ModelUseTable {
  model_hash: string;
  run_id: string;
  project_id: string;
}
interface ModelVersionTable {
  run_id: string;
  round: number;
  project_id: string;
  model_hash: string;
  parent_hash: string | null;
  strategy_state_hash: string | null;
  metrics: Json;
  /** These three are null for models that no committed round made. */
  task: string | null;
  /** Among the models of its task. */
  number: number | null;
  made_at: number | null;
}
interface ModelAliasTable {
  project_id: string;
  task: string;
  alias: Alias;
  number: number;
  moved_at: number;
  moved_by: string;
}
interface UploadSessionTable {
  sid: string;
  project_id: string;
  byte_count: number;
  open: Flag;
}
interface UploadSlotTable {
  sid: string;
  position: Position;
  slot_hash: string;
}
interface InputTable {
  sid: string;
  position: Position;
  project_id: string;
  sha256: string;
  root: string;
  signature: string;
  byte_count: number;
}
interface MaterialTable {
  sid: string;
  step: "share" | "unmask";
  position: Position;
  project_id: string;
  bytes: Uint8Array;
}
interface TranscriptTable {
  sid: string;
  project_id: string;
  /** Order in which transcripts were kept. */
  sequence: number;
  round_id: string;
  task: string;
  shard: number;
  bytes: Uint8Array;
}
interface SealedOpeningTable {
  sid: string;
  position: Position;
  bytes: Uint8Array;
}
interface EvidenceTable {
  sid: string;
  project_id: string;
  salt: Uint8Array;
  words: Uint8Array;
  /** Sealed for the auditor; null until the round is committed. */
  sealed: Uint8Array | null;
}
/** A row that access reads at its start, by kind and id. */
interface AccessRowTable {
  kind: AccessRowKind;
  id: string;
  body: Json;
}
interface EnrolmentTable {
  token_id: string;
  identity: string;
  project_id: string;
  task: string | null;
  site_id: string | null;
  enrolled_at: number;
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
/** `TrackingDocument`, one for each experiment, registered model, version and logged model. */
interface TrackingDocumentTable {
  project_id: string;
  kind: TrackingKind;
  id: string;
  name: string;
  body: Json;
}
interface TrackingRunTable {
  run_id: string;
  project_id: string;
  experiment_id: string;
  name: string;
  user_id: string;
  status: RunStatus;
  start_time: number;
  end_time: number | null;
  artifact_uri: string;
  is_deleted: Flag;
  is_own: Flag;
}
/** SQLite has no NaN: the value is 0 then. */
interface TrackingMetricTable {
  run_id: string;
  key: string;
  step: number;
  timestamp: number;
  value: number;
  is_nan: Flag;
}
interface TrackingEntryTable {
  run_id: string;
  key: string;
  value: string;
}
interface TrackingLinkTable {
  run_id: string;
  kind: RunLink["kind"];
  id: string;
  name: string;
  digest: string;
  context: string;
  body: Json;
}
interface TrackingArtifactTable {
  project_id: string;
  path: string;
  blob_hash: string;
  byte_count: number;
}

export interface Database {
  counter: CounterTable;
  event: EventTable;
  note: NoteTable;
  run: RunTable;
  round: RoundTable;
  task: TaskTable;
  task_settings: TaskSettingsTable;
  audit_leaf: AuditLeafTable;
  log_head: LogHeadTable;
  model_offer: ModelOfferTable;
  model_use: ModelUseTable;
  model_version: ModelVersionTable;
  model_alias: ModelAliasTable;
  upload_session: UploadSessionTable;
  upload_slot: UploadSlotTable;
  input: InputTable;
  material: MaterialTable;
  transcript: TranscriptTable;
  sealed_opening: SealedOpeningTable;
  evidence: EvidenceTable;
  access_row: AccessRowTable;
  enrolment: EnrolmentTable;
  device: DeviceTable;
  setting: SettingTable;
  tracking_document: TrackingDocumentTable;
  tracking_run: TrackingRunTable;
  tracking_metric: TrackingMetricTable;
  tracking_newest_metric: TrackingMetricTable;
  tracking_param: TrackingEntryTable;
  tracking_tag: TrackingEntryTable;
  tracking_link: TrackingLinkTable;
  tracking_artifact: TrackingArtifactTable;
}
