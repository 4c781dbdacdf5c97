import type { ReportMeasure } from "../../task/report/report.ts";
import {
  type CardSource,
  inputLines,
  limitsOf,
  originOf,
  outputLine,
  pipelineTagOf,
  privacyOf,
  titleOf,
} from "./source.ts";

/*
 * A model card as Markdown with the front matter of Hugging Face. Whoever makes a task chooses its texts, so none of them may
 * become a heading, a link or a key: in Markdown every character with a meaning is escaped, and in YAML every text is quoted as
 * in JSON, which YAML reads.
 */

/** The same source gives the same text. */
export function markdownCard(source: CardSource): string {
  const { task, model, report, heldOut } = source;
  const bullets = (lines: readonly string[]) => lines.map((line) => `- ${markdownText(line)}`).join("\n");
  return [
    frontMatter(source),
    `# ${markdownText(titleOf(task))}, version ${model.version}`,
    `A model that learns ${markdownText(task.learns)}. It was made by federated learning: round ${model.round} of run ${model.runNumber}. The rows that it learnt from never left their devices.`,
    "## Use",
    bullets([
      ...(task.purpose === undefined ? [] : [`Purpose: ${task.purpose}`]),
      ...(task.intendedUse === undefined ? [] : [`For: ${task.intendedUse}`]),
      ...(task.contact === undefined ? [] : [`Questions: ${task.contact}`]),
      `Out: ${outputLine(task)}`,
    ]),
    "## Data that it takes",
    bullets(inputLines(task)),
    "## Measures",
    report === null
      ? "It was not judged on held-out rows."
      : [
          `On ${report.rowCount} held-out rows, with 95 % intervals.`,
          measureTable(report.measures),
          ...(heldOut === null
            ? []
            : [
                bullets([
                  `Rows from: ${heldOut.source}`,
                  `Licence of the rows: ${heldOut.licence}`,
                  `Ground: ${heldOut.ground}`,
                  `Collected: ${heldOut.collected}`,
                ]),
              ]),
        ].join("\n\n"),
    "## Limits",
    bullets(limitsOf(source)),
    "## Privacy",
    bullets(privacyOf(source)),
    "## Where it comes from",
    bullets(originOf(source).map(([name, value]) => `${name}: ${value}`)),
    "",
  ].join("\n\n");
}

function measureTable(measures: readonly ReportMeasure[]): string {
  const rows = measures.map(({ label, value, low, high, unit }) => {
    const interval = low === null || high === null ? "none" : `${figure(low)} to ${figure(high)}`;
    const shown = value === null ? "none" : figure(value);
    return `| ${markdownText(label)} | ${shown} | ${interval} | ${markdownText(unit)} |`;
  });
  return ["| measure | value | interval | unit |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

function figure(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function frontMatter({ task, model, report }: CardSource): string {
  const tag = pipelineTagOf(task);
  const lines = [
    "---",
    "library_name: onnx",
    ...(tag === null ? [] : [`pipeline_tag: ${tag}`]),
    "tags:",
    "- federated-learning",
    "- secure-aggregation",
    "- chorus",
  ];
  if (report !== null && tag !== null) {
    lines.push(
      "model-index:",
      `- name: ${yamlText(`${task.slug}-v${model.version}`)}`,
      "  results:",
      "  - task:",
      `      type: ${tag}`,
      "    dataset:",
      `      name: ${yamlText(`Held-out rows of ${titleOf(task)}`)}`,
      `      type: ${yamlText(task.slug)}`,
      `      revision: ${yamlText(report.heldOutHash)}`,
      "    metrics:",
    );
    for (const { name, label, value } of report.measures) {
      if (value === null) continue;
      lines.push(
        `    - type: ${yamlText(name)}`,
        `      name: ${yamlText(label)}`,
        `      value: ${JSON.stringify(value)}`,
      );
    }
  }
  return [...lines, "---"].join("\n");
}

/** In double quotes as in JSON. The two separators are line breaks to older readers of YAML. */
function yamlText(text: string): string {
  return JSON.stringify(text)
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029")
    .replaceAll("\u0085", "\\u0085");
}

/** One line of plain text. Entities for what HTML reads, a backslash for what Markdown reads, also in bare addresses. */
export function markdownText(text: string): string {
  return text
    .replaceAll(/\s+/g, " ")
    .trim()
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll(/[\\`*_{}[\]#+!|~@=^$]|:(?=\S)/g, "\\$&")
    .replaceAll(/\b(www)\./gi, "$1\\.");
}
