import type { IncomingMessage } from "node:http";

/*
 * Addresses of MLflow's clients. All of these mean one endpoint:
 *
 * | address                       | is                                            |
 * | ----------------------------- | --------------------------------------------- |
 * | /api/2.0/mlflow/...           | the endpoint's own                            |
 * | /ajax-api/2.0/mlflow/...      | the same, as MLflow's pages ask               |
 * | /api/2.0/preview/mlflow/...   | the same, as earlier clients ask              |
 * | /get-artifact, ...            | the same below /api/2.0/mlflow, as MLflow's pages ask for files |
 * | /p/{project}/api/2.0/...      | the same, for this project                    |
 * | /version, /health             | what clients and probes ask of any server     |
 */

const projects = new WeakMap<IncomingMessage, string>();

/** Gives a request its endpoint's own address, and notes the project that it named. */
export function rewriteAddress(request: IncomingMessage): void {
  const { url = "" } = request;
  const [, project, rest] = /^\/p\/([^/?]+)(\/.*)$/.exec(url) ?? [];
  const inner = (rest ?? url)
    .replace(/^\/{2,}/, "/")
    .replace(/^\/ajax-api\//, "/api/")
    .replace(/^\/(?:model-versions\/)?(?:get-artifact|graphql)(?=\?|$)/, "/api/2.0/mlflow$&")
    .replace(/^\/api\/2\.0\/preview\/mlflow\//, "/api/2.0/mlflow/");
  if (!isTrackingAddress(inner.split("?", 1)[0] ?? "")) return;
  if (project !== undefined) projects.set(request, project);
  request.url = inner;
}

/** The project that the request's address named, as it was written; null if it named none. */
export function projectNamedBy(request: IncomingMessage): string | null {
  return projects.get(request) ?? null;
}

/** @param path  Without the query. */
export function isTrackingAddress(path: string): boolean {
  return (
    /^\/api\/[23]\.0\/mlflow(?:-artifacts)?(?:\/|$)/.test(path) || path === "/version" || path === "/health"
  );
}
