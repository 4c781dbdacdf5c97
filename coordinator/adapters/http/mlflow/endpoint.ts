import { z } from "@hono/zod-openapi";
import type { AccessDesk } from "../../../core/access/desk.ts";
import { type Permission, readableBy } from "../../../core/access/permissions.ts";
import { actorOf, type Principal } from "../../../core/access/principal.ts";
import type { Tracking } from "../../../core/tracking/tracking.ts";
import { MLFLOW, named } from "../dialect.ts";
import { type Endpoint, jsonEndpoint } from "../endpoint.ts";
import type { ApiContext, Fields, Parsed } from "../gate.ts";
import { TRACKING_BODY } from "../json-body.ts";
import { problem } from "../problem.ts";
import { projectNamedBy } from "./address.ts";

/* What the endpoints of MLflow's clients share. Their shapes are those of MLflow's `service.proto`. Rule L5. */

export interface MlflowPorts {
  readonly tracking: Tracking;
  readonly accessDesk: Pick<AccessDesk, "book">;
  /** The project that the coordinator was started for. */
  readonly status: () => { readonly projectId: string };
}

export type TrackingPermission = Extract<Permission, "tracking.read" | "tracking.write">;

interface MlflowEndpoint<Params extends Fields, Query extends Fields, Body extends z.ZodType | undefined> {
  readonly method: "get" | "post" | "patch" | "delete";
  /** After /api/2.0/mlflow. */
  readonly path: string;
  readonly summary: string;
  readonly permission: TrackingPermission;
  readonly params?: Params;
  readonly query?: Query;
  readonly lists?: readonly string[];
  readonly body?: Body;
  /** As of a JSON endpoint. */
  isTrial?(body: Parsed<Body>): boolean;
  handle(input: {
    readonly projectId: string;
    readonly actor: string;
    /** Whether the asker holds this permission, too, in the project. */
    readonly may: (permission: Permission) => boolean;
    readonly params: Parsed<Params>;
    readonly query: Parsed<Query>;
    readonly body: Parsed<Body>;
  }): Promise<object>;
}

/** MLflow's answers have shapes of their own, which its clients read leniently. */
const answer = named(z.looseObject({}), "MlflowAnswer");

export function mlflowEndpoint<
  Params extends Fields = undefined,
  Query extends Fields = undefined,
  Body extends z.ZodType | undefined = undefined,
>(ports: MlflowPorts, endpoint: MlflowEndpoint<Params, Query, Body>): Endpoint {
  const { method, path, summary, permission, params, query, lists, body } = endpoint;
  return jsonEndpoint<Params, Query, Body, typeof answer>({
    method,
    path: `/api/2.0/mlflow${path}`,
    summary,
    dialect: MLFLOW,
    permission,
    ...(params === undefined ? {} : { params }),
    ...(query === undefined ? {} : { query }),
    ...(lists === undefined ? {} : { lists }),
    ...(body === undefined ? {} : { body }),
    bounds: TRACKING_BODY,
    nullIsAbsent: true,
    writes: "tracking",
    ...(permission === "tracking.read" && { isRead: true }),
    isTrial: (asked) => endpoint.isTrial?.(asked) === true,
    answer,
    handle: async (input) => {
      const projectId = projectOf(ports, input, permission);
      const may = (asked: Permission) => isHeldIn(projectId, input.principal, asked);
      const shown = await endpoint.handle({ ...input, projectId, actor: actorOf(input.principal), may });
      return shown as z.output<typeof answer>;
    },
  });
}

function isHeldIn(projectId: string, principal: Principal, permission: Permission): boolean {
  const { projects } = readableBy(principal, permission);
  return projects === "all" || projects.includes(projectId);
}

/**
 * The project that the address names, or the asker's own.
 *
 * @throws Problem NOT_FOUND if there is no such project, or the asker has no role in it.
 */
export function projectOf(
  { accessDesk, status }: Pick<MlflowPorts, "accessDesk" | "status">,
  { context, principal }: { readonly context: ApiContext; readonly principal: Principal },
  permission: TrackingPermission,
): string {
  const { projects } = readableBy(principal, permission);
  const home = status().projectId;
  const named = projectNamedBy(context.env.incoming);
  if (named === null) {
    if (projects === "all" || projects.includes(home)) return home;
    const [first] = [...projects].sort();
    if (first === undefined) throw problem("FORBIDDEN", "None of your roles allows this in any project.");
    return first;
  }
  const isHeld =
    projects === "all" ? accessDesk.book.get("project", named) !== null : projects.includes(named);
  if (!isHeld) throw problem("NOT_FOUND", "There is no such project, or you have no role in it.");
  return named;
}
