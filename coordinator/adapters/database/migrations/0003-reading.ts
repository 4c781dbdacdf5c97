import type { Statement } from "./statement.ts";

/**
 * Lets a page of a list cost one query: a run's row has its newest model, and an event's row says whether
 * people are shown it. Frozen, as 0001.
 */
export const reading: readonly Statement[] = [
  `alter table run add column newest json`,
  {
    // SQLite databases have existed only since this version.
    sqlite: null,
    postgresql: `update run set newest = json_build_object(
        'modelHash', view->'modelHash',
        'accuracy', view->'history'->-1->'accuracy'
      ) where (view->>'roundsCommitted')::integer > 0`,
  },
  `create index run_of_task on run (project_id, task, created_at desc, run_id desc)`,
  `create index run_with_model on run (project_id, task, created_at desc, run_id desc) where newest is not null`,
  // Unknown for older events, so their readers decide.
  `alter table event add column shown boolean not null default true`,
  `create index event_shown on event (run_id, position desc) where shown`,
];
