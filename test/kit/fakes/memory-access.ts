import { PEOPLE_KINDS } from "#coordinator/core/access/leaf.ts";
import type { AccessStore, ProjectData } from "#coordinator/core/ports/access-store.ts";
import {
  AUTH_MODELS,
  type AuthCondition,
  type AuthModel,
  type AuthRecord,
  type AuthRecords,
} from "#coordinator/core/ports/auth-records.ts";
import type { Place, Placed, Readable, StreamId, TaskStore } from "#coordinator/core/ports/store.ts";
import { assert } from "#shared/kernel/assert.ts";
import { taskSettingsSchema } from "#shared/task/settings.ts";
import type { MemoryDatabase } from "./memory-database.ts";

type Turn = () => Promise<void>;
type MemoryAccess = AccessStore & AuthRecords & Pick<TaskStore, "findPlaces" | "countTasks">;

const HOME = "default";

/** The part of `memoryStore` that keeps people, tokens and what belongs to whom. */
export function memoryAccess(db: MemoryDatabase, turn: Turn): MemoryAccess {
  return {
    listAccessRows: async () => {
      await turn();
      return [...db.accessRows].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, row]) => row);
    },
    enrol: async (tokenId, usesMax, enrolment) => {
      await turn();
      assert(usesMax >= 1, "a token has a use");
      const { identity } = enrolment;
      if (db.enrolments.some((row) => row.tokenId === tokenId && row.identity === identity))
        return "enrolled";
      const uses = db.joins.get(tokenId) ?? 0;
      if (uses >= usesMax) return "spent";
      db.joins.set(tokenId, uses + 1);
      db.enrolments.push({ ...enrolment, tokenId });
      return "enrolled";
    },
    findEnrolments: async (identity) => {
      await turn();
      return db.enrolments
        .filter((row) => row.identity === identity)
        .sort((left, right) => left.enrolledAt - right.enrolledAt || (left.tokenId < right.tokenId ? -1 : 1))
        .map((row) => ({ ...row }));
    },
    deleteEnrolments: async (of) => {
      await turn();
      removeWhere(db.enrolments, (row) => {
        if ("siteId" in of) return row.siteId === of.siteId;
        return "tokenId" in of ? row.tokenId === of.tokenId : row.identity === of.identity;
      });
    },
    noteSite: async (siteId, body) => {
      await turn();
      for (const [key, row] of db.accessRows)
        if (row.kind === "site" && row.id === siteId) db.accessRows.set(key, { ...row, body });
    },
    countJoins: async () => {
      await turn();
      return new Map(db.joins);
    },
    findPlaces: async (of) => {
      await turn();
      return placesOf(db, of);
    },
    countTasks: async () => {
      await turn();
      const slugs = new Map<string, Set<string>>();
      for (const { projectId, task } of db.tasks)
        slugs.set(projectId, (slugs.get(projectId) ?? new Set()).add(task.slug));
      return new Map([...slugs].map(([projectId, { size }]) => [projectId, size]));
    },
    findProjectData: async (projectId) => {
      await turn();
      return findProjectData(db, projectId);
    },
    deleteProjectData: async (projectId) => {
      await turn();
      deleteProjectData(db, projectId);
    },
    ...memoryAuthRecords(db, turn),
  };
}

/** As the database's `streamProjects` says. */
export function projectOfStream(db: MemoryDatabase, { kind, id }: StreamId): string {
  if (kind === "project") return id;
  if (kind === "registry") return db.tasks.find(({ task }) => task.slug === id)?.projectId ?? HOME;
  const runId = kind === "round" ? db.rounds.get(id)?.runId : id;
  return db.runs.get(runId ?? "")?.projectId ?? HOME;
}

export function isReadable(
  db: MemoryDatabase,
  { projects, orPublic }: Readable,
  of: { readonly projectId: string; readonly slug: string },
): boolean {
  if (projects === "all" || projects.includes(of.projectId)) return true;
  return orPublic && joiningOf(db, of.slug) === "public";
}

function joiningOf(db: MemoryDatabase, slug: string): Place["joining"] {
  return taskSettingsSchema.parse(db.taskSettings.get(slug) ?? {}).joining;
}

function placesOf(db: MemoryDatabase, { type, id }: Placed): readonly Place[] {
  if (type === "task") {
    const task = db.tasks.find((row) => row.task.slug === id);
    return task === undefined ? [] : [{ projectId: task.projectId, slug: id, joining: joiningOf(db, id) }];
  }
  const ofModel = [...db.versions, ...db.uses].filter(({ modelHash }) => modelHash === id);
  const runIds = {
    run: [id],
    round: [db.rounds.get(id)?.runId ?? ""],
    model: ofModel.map(({ runId }) => runId),
  }[type];
  const places = new Map<string, Place>();
  for (const runId of runIds) {
    const run = db.runs.get(runId);
    if (run === undefined) continue;
    const { projectId, task: slug } = run;
    places.set(`${projectId} ${slug}`, { projectId, slug, joining: joiningOf(db, slug) });
  }
  return [...places.values()].sort((left, right) => (left.slug < right.slug ? -1 : 1));
}

function idsOf(db: MemoryDatabase, projectId: string) {
  const slugs = new Set<string>(
    db.tasks.filter((row) => row.projectId === projectId).map((row) => row.task.slug),
  );
  const runIds = new Set([...db.runs].filter(([, row]) => row.projectId === projectId).map(([id]) => id));
  const roundIds = new Set([...db.rounds].filter(([, row]) => runIds.has(row.runId)).map(([id]) => id));
  const ofRounds = [...db.transcripts.values()].filter(({ roundId }) => roundIds.has(roundId));
  const ofProject = [...db.projects].filter(([, project]) => project === projectId).map(([sid]) => sid);
  const sids = new Set([...ofProject, ...ofRounds.map(({ sid }) => sid)]);
  return { slugs, runIds, roundIds, sids };
}

function findProjectData(db: MemoryDatabase, projectId: string): ProjectData {
  const { slugs, runIds, roundIds, sids } = idsOf(db, projectId);
  const blobs = blobsNamed(db, (runId) => runIds.has(runId));
  const named = blobsNamed(db, (runId) => !runIds.has(runId));
  return {
    taskCount: slugs.size,
    runCount: runIds.size,
    roundCount: roundIds.size,
    sids: [...sids],
    slugs: [...slugs].sort(),
    blobHashes: [...blobs].filter((hash) => !named.has(hash)).sort(),
  };
}

function deleteProjectData(db: MemoryDatabase, projectId: string): void {
  const { slugs, runIds, roundIds, sids } = idsOf(db, projectId);
  const isOfStream = ({ kind, id }: StreamId) =>
    (kind === "project" && id === projectId) ||
    (kind === "registry" && slugs.has(id)) ||
    (kind === "run" && runIds.has(id)) ||
    (kind === "round" && roundIds.has(id));

  removeWhere(db.log, ({ stream }) => isOfStream(stream));
  for (const [index, act] of db.leafActs) {
    const kind = db.leaves[index]?.kind ?? "";
    const isOfAccess = PEOPLE_KINDS.includes(kind) && kind !== "deletion.performed";
    if (act.projectId === projectId && !isOfAccess) db.leafActs.set(index, { ...act, actor: null });
  }
  removeWhere(db.notes, ({ stream }) => isOfStream(stream));
  removeWhere(db.tasks, (row) => row.projectId === projectId);
  removeWhere(db.versions, ({ runId }) => runIds.has(runId));
  removeWhere(db.numbers, ({ task }) => slugs.has(task));
  removeWhere(db.aliases, ({ task }) => slugs.has(task));
  removeWhere(db.uses, ({ runId }) => runIds.has(runId));
  removeWhere(db.enrolments, (row) => row.projectId === projectId);
  for (const kept of [db.tracking.documents, db.tracking.artifacts])
    for (const key of kept.keys()) if (key.startsWith(`${projectId} `)) kept.delete(key);
  for (const [runId, { run }] of db.tracking.runs)
    if (run.projectId === projectId) db.tracking.runs.delete(runId);
  for (const slug of slugs) db.taskSettings.delete(slug);
  for (const runId of runIds) db.runs.delete(runId);
  for (const roundId of roundIds) db.rounds.delete(roundId);
  for (const sid of sids) {
    for (const kept of [db.sessions, db.transcripts, db.openings, db.evidence, db.projects]) kept.delete(sid);
    for (const kept of [db.inputs, db.material])
      for (const key of kept.keys()) if (key.startsWith(`${sid} `)) kept.delete(key);
  }
  for (const [key, { kind, id, body }] of db.accessRows) {
    if (kind !== "join-token" || (body as { projectId?: string }).projectId !== projectId) continue;
    db.accessRows.delete(key);
    db.joins.delete(id);
  }
}

function blobsNamed(db: MemoryDatabase, isOf: (runId: string) => boolean): ReadonlySet<string> {
  const hashes: (string | null | undefined)[] = [];
  for (const version of db.versions)
    if (isOf(version.runId)) hashes.push(version.modelHash, version.strategyStateHash);
  for (const use of db.uses) if (isOf(use.runId)) hashes.push(use.modelHash);
  for (const { runId, view } of db.rounds.values()) {
    const { detail }: Partial<typeof view> = view;
    if (isOf(runId)) hashes.push(detail?.sumHash);
  }
  for (const { stream, body } of db.log) {
    const { fact } = (JSON.parse(body) ?? {}) as { fact?: { reportHash?: string } };
    if (stream.kind === "run" && isOf(stream.id)) hashes.push(fact?.reportHash);
  }
  return new Set(hashes.filter((hash) => typeof hash === "string"));
}

const UNIQUE: Readonly<Record<AuthModel, readonly (readonly string[])[]>> = {
  user: [["id"], ["email"]],
  session: [["id"], ["token"]],
  account: [["id"], ["providerId", "accountId"]],
  verification: [["id"]],
  passkey: [["credentialId"]],
};

function memoryAuthRecords(db: MemoryDatabase, turn: Turn): AuthRecords {
  const rowsOf = <Model extends AuthModel>(model: Model): AuthRecord<Model>[] => {
    const rows = db.authRecords.get(model) ?? [];
    db.authRecords.set(model, rows);
    return rows as AuthRecord<Model>[];
  };
  const isListed = (model: AuthModel, field: string) =>
    assert(Object.hasOwn(AUTH_MODELS, model) && Object.hasOwn(AUTH_MODELS[model], field), "a listed field");
  const matching = <Model extends AuthModel>(model: Model, where: readonly AuthCondition<Model>[]) => {
    assert(Object.hasOwn(AUTH_MODELS, model), "a listed model");
    for (const { field, operator } of where) {
      isListed(model, field);
      assert(["eq", "in", "lt", "gt"].includes(operator), "a listed operator");
    }
    return rowsOf(model).filter((row) => where.every((condition) => holds(row, condition)));
  };
  return {
    createAuthRecord: async (model, record) => {
      await turn();
      const rows = rowsOf(model);
      const isTaken = UNIQUE[model].some((fields) =>
        rows.some((row) => fields.every((field) => fieldValue(row, field) === fieldValue(record, field))),
      );
      if (isTaken) return "exists";
      rows.push({ ...record });
      return "created";
    },
    findAuthRecords: async (model, where, { limit, offset = 0, sortBy }) => {
      await turn();
      const rows = [...matching(model, where)];
      if (sortBy !== undefined) {
        isListed(model, sortBy.field);
        const sign = sortBy.direction === "asc" ? 1 : -1;
        const valueIn = (row: object) => fieldValue(row, sortBy.field) as string | number;
        rows.sort((left, right) => (valueIn(left) < valueIn(right) ? -sign : sign));
      }
      return rows.slice(offset, offset + limit).map((row) => ({ ...row }));
    },
    updateAuthRecords: async (model, where, changes) => {
      await turn();
      for (const field of Object.keys(changes)) isListed(model, field);
      const found = matching(model, where);
      for (const row of found) Object.assign(row, changes);
      return found.map((row) => ({ ...row }));
    },
    removeAuthRecords: async (model, where) => {
      await turn();
      const found = new Set(matching(model, where));
      removeWhere(rowsOf(model), (row) => found.has(row));
      return [...found];
    },
    countAuthRecords: async (model, where) => {
      await turn();
      return matching(model, where).length;
    },
  };
}

function fieldValue(row: object, field: string): unknown {
  return (row as Readonly<Record<string, unknown>>)[field];
}

function holds<Model extends AuthModel>(row: object, condition: AuthCondition<Model>): boolean {
  const value = fieldValue(row, condition.field);
  switch (condition.operator) {
    case "eq":
      return value === condition.value;
    case "in":
      return condition.value.some((one) => one === value);
    case "lt":
      return typeof value === "number" && value < condition.value;
    case "gt":
      return typeof value === "number" && value > condition.value;
  }
}

function removeWhere<Item>(items: Item[], isRemoved: (item: Item) => boolean): void {
  const kept = items.filter((item) => !isRemoved(item));
  items.splice(0, items.length, ...kept);
}
