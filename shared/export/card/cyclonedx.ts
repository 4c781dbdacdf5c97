import { canonicalJson } from "../../codec/canonical-json.ts";
import { sha256Sync } from "../../crypto/sha256-sync.ts";
import { bytesToHex, utf8 } from "../../kernel/bytes.ts";
import { targetOf } from "../../task/target.ts";
import { type CardSource, inputLines, limitsOf, originOf, outputLine, privacyOf, titleOf } from "./source.ts";

/**
 * A model card as a CycloneDX bill of materials with one component. The same source gives the same text. Its serial number
 * comes from all the rest, because two texts of one number must have different versions, and a card counts none: a new
 * report or a newer Chorus makes another document.
 *
 * Source: CycloneDX 1.6, ECMA-424, `serialNumber` and `modelCard`.
 */
export function cyclonedxCard(source: CardSource): string {
  const content = contentOf(source);
  const hash = bytesToHex(sha256Sync(utf8(canonicalJson(content))));
  return canonicalJson({ ...content, serialNumber: `urn:uuid:${uuidOf(hash)}` });
}

function contentOf(source: CardSource) {
  const { task, model, codeVersion } = source;
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      timestamp: model.madeAt,
      tools: { components: [{ type: "application", name: "Chorus", version: codeVersion }] },
    },
    components: [
      {
        type: "machine-learning-model",
        "bom-ref": model.modelHash,
        name: task.slug,
        version: String(model.version),
        description: `${titleOf(task)}: learns ${task.learns}`,
        hashes: [{ alg: "SHA-256", content: model.modelHash }],
        modelCard: modelCard(source),
        properties: originOf(source).map(([name, value]) => ({ name: `chorus:${name}`, value })),
      },
    ],
  };
}

function modelCard(source: CardSource) {
  const { task, report, heldOut } = source;
  const layers = task.model.layers.map(({ className }) => className).join(", ");
  return {
    modelParameters: {
      approach: { type: "supervised" },
      task: targetOf(task.features).kind === "number" ? "regression" : "classification",
      modelArchitecture: layers,
      inputs: inputLines(task).map((format) => ({ format })),
      outputs: [{ format: outputLine(task) }],
      datasets: [
        {
          type: "dataset",
          name: `${task.exampleNoun.many} of the devices`,
          description: "They never left the devices, and nobody has seen them.",
        },
        ...(report === null
          ? []
          : [
              {
                type: "dataset",
                name: `held-out ${task.exampleNoun.many}`,
                description:
                  heldOut === null
                    ? `${report.rowCount} rows, SHA-256 ${report.heldOutHash}`
                    : `${report.rowCount} rows, SHA-256 ${report.heldOutHash}. ${heldOut.source} Licence: ${heldOut.licence} Ground: ${heldOut.ground} Collected: ${heldOut.collected}`,
              },
            ]),
      ],
    },
    quantitativeAnalysis: { performanceMetrics: performanceMetrics(source) },
    considerations: {
      ...(task.intendedUse === undefined ? {} : { users: [task.intendedUse] }),
      ...(task.purpose === undefined ? {} : { useCases: [task.purpose] }),
      technicalLimitations: [...limitsOf(source)],
      ethicalConsiderations: privacyOf(source).map((line, index) => ({
        name: PRIVACY_NAMES[index] ?? "Privacy",
        mitigationStrategy: line,
      })),
    },
  };
}

/** Of the lines of `privacyOf`. */
const PRIVACY_NAMES = ["Updates of single devices", "Rows that a model may reveal", "Who took part"];

function performanceMetrics({ report }: CardSource) {
  return (report?.measures ?? []).flatMap(({ name, value, low, high }) => {
    if (value === null) return [];
    const ends =
      low === null || high === null
        ? {}
        : { confidenceInterval: { lowerBound: String(low), upperBound: String(high) } };
    return [{ type: name, value: String(value), ...ends }];
  });
}

/** The first 16 bytes of a hash in the form of a UUID of version 8, which is for such uses (RFC 9562). */
function uuidOf(hash: string): string {
  const [a, b, c, d, e] = [
    hash.slice(0, 8),
    hash.slice(8, 12),
    hash.slice(13, 16),
    hash.slice(17, 20),
    hash.slice(20, 32),
  ];
  return `${a}-${b}-8${c}-8${d}-${e}`;
}
