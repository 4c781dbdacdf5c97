import { z } from "zod";

/**
 * What a complete run may skip, and why; the first line of a test's title, or its beginning. Everything else that a complete run
 * skips is a failure: it would be green without a part of the product having been tried.
 */
export const MAY_SKIP: readonly { readonly title: string; readonly needs: string }[] = [
  { title: "a full disk is reported, keeps what was complete", needs: "root, to mount a small disk" },
  { title: "that finds no room leaves nothing, and says so", needs: "root, to mount a small disk" },
  { title: "is waited for, ", needs: "root, to mount a small disk" },
  { title: "given a state folder ", needs: "root, to mount a small disk" },
  { title: "[M6] the MLflow folder of ", needs: "an index of Python packages" },
  { title: "[M6] mlflow models serve answers", needs: "an index of Python packages" },
  { title: "the lines of Python that the run's page shows for ", needs: "an index of Python packages" },
  { title: "[L8] makes every call ", needs: "an index of Python packages" },
  { title: "[L12] makes every call ", needs: "an index of npm packages" },
  { title: "[L6] [L7] [L8] makes nothing of Chorus", needs: "an index of Python packages" },
  { title: "[A32] Go's own libraries", needs: "Go with golang.org/x/mod, as Debian packages it" },
  { title: "[X11] the same coordinator, asked past its proxy", needs: "a network besides the loopback" },
];

const reportSchema = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      assertionResults: z.array(z.object({ title: z.string(), fullName: z.string(), status: z.string() })),
    }),
  ),
});

/** Skipped tests that `MAY_SKIP` does not name, with their files. @param report  Of vitest's JSON reporter. */
export function unnamedSkips(report: unknown): readonly string[] {
  return reportSchema.parse(report).testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === "skipped" || status === "pending" || status === "todo")
      .filter(({ title }) => !MAY_SKIP.some((named) => title.startsWith(named.title)))
      .map(({ fullName }) => `${name}: ${fullName.trim()}`),
  );
}
