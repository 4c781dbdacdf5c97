import { fieldErrors } from "#shared/protocol/fields.ts";
import { type Gate, type PromotionRules, promotionRulesSchema } from "#shared/task/gates/index.ts";
import { measuresOf } from "#shared/task/measures/index.ts";
import { rowMeasuresOf } from "#shared/task/measures/of-rows/list.ts";
import { type OperatingPoint, operatingPointSchema } from "#shared/task/operating-point.ts";
import type { TaskSettingChanges } from "#shared/task/settings.ts";
import type { Target } from "#shared/task/target.ts";
import { capitalise } from "./format.ts";

/* The form that sets a task's gates and the costs of its errors: texts as they are typed, and what they mean. Pure. */

export type GateKind = Gate["kind"];

/** One number of a gate, as people type it. */
export interface GateField {
  /** Name in the gate. */
  readonly key: string;
  readonly label: string;
  readonly unit: string;
  /** What is typed times this is the value. */
  readonly factor: number;
}

/** A gate while it is edited. */
export interface GateDraft {
  readonly kind: GateKind;
  /** Of the measure; empty for other kinds. */
  readonly name: string;
  readonly texts: Readonly<Record<string, string>>;
}

export interface MeasureChoice {
  readonly name: string;
  readonly label: string;
  readonly unit: string;
  readonly better: "higher" | "lower";
}

export const GATE_KINDS: readonly { readonly kind: GateKind; readonly title: string }[] = [
  { kind: "measure", title: "A figure on the held-out rows" },
  { kind: "cohort", title: "Devices in every round" },
  { kind: "onnx-parity", title: "Parity of the ONNX file" },
  { kind: "size", title: "Size" },
  { kind: "latency", title: "Latency" },
];

export function kindTitle(kind: GateKind): string {
  return GATE_KINDS.find((one) => one.kind === kind)?.title ?? kind;
}

/** What a gate of this task may ask for, in the order of reports. */
export function measureChoices(target: Target): readonly MeasureChoice[] {
  const unitOf = (unit: string) => (unit === "label" && target.kind === "number" ? target.unit : unit);
  const all = [...rowMeasuresOf(target), ...measuresOf(target)];
  const names = [...new Set(all.map(({ name }) => name))];
  return names.flatMap((name) => {
    const found = all.find((measure) => measure.name === name);
    return found === undefined
      ? []
      : [{ name, label: capitalise(found.label), unit: unitOf(found.unit), better: found.better }];
  });
}

/** @param measure  Which one a gate of a figure asks for. */
export function gateFields(kind: GateKind, measure: MeasureChoice | undefined): readonly GateField[] {
  switch (kind) {
    case "measure": {
      const isShare = measure?.unit === "share";
      const factor = isShare ? 0.01 : 1;
      const unit = measure === undefined || measure.unit === "none" ? "" : isShare ? "%" : measure.unit;
      const bound = measure?.better === "lower" ? "At most" : "At least";
      const changed = "Better than the champion by at least";
      return [
        { key: "threshold", label: bound, unit, factor },
        { key: "minAbsoluteChange", label: changed, unit: isShare ? "points" : unit, factor },
        { key: "minRelativeChange", label: changed, unit: "% of its figure", factor: 0.01 },
      ];
    }
    case "cohort":
      return [{ key: "devicesMin", label: "At least", unit: "devices", factor: 1 }];
    case "onnx-parity":
      return [{ key: "tolerance", label: "Answers differ by at most", unit: "", factor: 1 }];
    case "size":
      return [{ key: "byteCountMax", label: "Weights take at most", unit: "kB", factor: 1_000 }];
    case "latency":
      return [{ key: "medianMsMax", label: "Median of one prediction, at most", unit: "ms", factor: 1 }];
  }
}

export function newDraft(kind: GateKind, choices: readonly MeasureChoice[]): GateDraft {
  return { kind, name: kind === "measure" ? (choices[0]?.name ?? "") : "", texts: {} };
}

export function draftOf(gate: PromotionRules["gates"][number], choices: readonly MeasureChoice[]): GateDraft {
  const name = gate.kind === "measure" ? gate.name : "";
  const values = new Map<string, unknown>(Object.entries(gate));
  const texts = fieldsOf({ kind: gate.kind, name }, choices).flatMap(({ key, factor }) => {
    const value = values.get(key);
    // Twelve digits hide what 0.01 and binary fractions do to each other.
    return typeof value === "number" ? [[key, String(Number((value / factor).toPrecision(12)))]] : [];
  });
  return { kind: gate.kind, name, texts: Object.fromEntries(texts) };
}

export function fieldsOf(
  { kind, name }: Pick<GateDraft, "kind" | "name">,
  choices: readonly MeasureChoice[],
): readonly GateField[] {
  return gateFields(
    kind,
    choices.find((choice) => choice.name === name),
  );
}

/** What is wrong, by field: "gates.0.threshold", "promoteByItself". */
export type Wrong = ReadonlyMap<string, string>;

export type SetRules = NonNullable<TaskSettingChanges["promotion"]>;

/** The rules that the form asks for, or what is wrong with it. */
export function rulesOf(
  drafts: readonly GateDraft[],
  promoteByItself: boolean,
  choices: readonly MeasureChoice[],
): { readonly rules: SetRules | null; readonly wrong: Wrong } {
  const gates = drafts.map((draft) => ({
    kind: draft.kind,
    ...(draft.kind === "measure" && { name: draft.name }),
    ...Object.fromEntries(
      fieldsOf(draft, choices).flatMap(({ key, factor }) => {
        const value = numberOf(draft.texts[key] ?? "");
        return value === undefined ? [] : [[key, Number((value * factor).toPrecision(12))]];
      }),
    ),
  }));
  const parsed = promotionRulesSchema.safeParse({ gates, promoteByItself });
  if (parsed.success) return { rules: parsed.data, wrong: new Map() };
  const errors = fieldErrors(parsed.error).toReversed();
  return { rules: null, wrong: new Map(errors.map(({ path, sentence }) => [path, sentence])) };
}

/** The costs as they are typed, the specificity in percent. */
export interface PointDraft {
  readonly falseAlarmCost: string;
  readonly missCost: string;
  readonly specificity: string;
}

export function pointDraft(point: OperatingPoint): PointDraft {
  return {
    falseAlarmCost: String(point.falseAlarmCost),
    missCost: String(point.missCost),
    specificity: String(Number((100 * point.specificity).toPrecision(12))),
  };
}

export function pointOf(draft: PointDraft): { readonly point: OperatingPoint | null; readonly wrong: Wrong } {
  const specificity = numberOf(draft.specificity);
  const parsed = operatingPointSchema.safeParse({
    falseAlarmCost: numberOf(draft.falseAlarmCost),
    missCost: numberOf(draft.missCost),
    specificity: specificity === undefined ? undefined : Number((specificity / 100).toPrecision(12)),
  });
  if (parsed.success) return { point: parsed.data, wrong: new Map() };
  const errors = fieldErrors(parsed.error).map(({ path, sentence }) =>
    path === "specificity"
      ? ([path, "Give a share from 50 to 99.9 %."] as const)
      : ([path, sentence] as const),
  );
  return { point: null, wrong: new Map(errors) };
}

/** Undefined for an empty text; NaN for what is no number. A comma counts as the point. */
function numberOf(text: string): number | undefined {
  const typed = text.trim().replace(",", ".");
  return typed === "" ? undefined : Number(typed);
}
