/** Name of the counter of a project's experiments. */
export function experimentCounter(projectId: string): string {
  return `tracking-experiment/${projectId}`;
}
