/* What the name of a column says, in the words that people use for headers. A guess that the person sees and may change. */

const PERSON = words(
  "patient|person|member|customer|client|insurance|ssn|nhs|mrn|passport|account|phone|telephone|mobile|iban|vin",
);
const NUMBER_OF = words("id|ids|nr|no|number|key|ref|reference|code|uuid|guid|index|row|serial");
const NAME_OF = words("name|surname|forename|firstname|lastname|fullname|familyname|author|doctor|physician");
const MAIL = words("mail|email");
const PLACE = words("site|clinic|hospital|center|centre|device|station|branch|school|ward|practice|company");
const LABEL = words(
  "label|class|target|outcome|y|deny|denied|diagnosis|default|churn|result|readmitted|died|survived|quality|response|earnings|wage|salary|price",
);
const PROTECTED = words(
  "sex|gender|race|ethnicity|ethnic|religion|nationality|disability|afam|black|orientation",
);

/** Suffixes of headers that are units, and how the unit is written. */
const UNITS: ReadonlyMap<string, string> = new Map([
  ...[
    "years",
    "months",
    "weeks",
    "days",
    "hours",
    "minutes",
    "seconds",
    "kg",
    "g",
    "mg",
    "cm",
    "mm",
    "m",
    "km",
  ].map((unit) => [unit, unit] as const),
  ["ms", "ms"],
  ["year", "years"],
  ["day", "days"],
  ["hour", "hours"],
  ["min", "minutes"],
  ["sec", "seconds"],
  ["pct", "%"],
  ["percent", "%"],
  ["usd", "dollars"],
  ["dollars", "dollars"],
  ["eur", "euros"],
  ["euros", "euros"],
  ["celsius", "°C"],
  ["mmhg", "mmHg"],
  ["bpm", "beats a minute"],
  ["hz", "Hz"],
  ["kwh", "kWh"],
  ["liters", "l"],
  ["litres", "l"],
]);

export type HeaderHint = "person" | "number-of" | "name" | "mail" | "place" | "label" | "protected";

/** What the words of a header hint at. */
export function hintsOf(header: string): ReadonlySet<HeaderHint> {
  const parts = wordsOf(header);
  const hints = new Set<HeaderHint>();
  const has = (list: ReadonlySet<string>) => parts.some((part) => list.has(part));
  if (has(PERSON)) hints.add("person");
  if (has(NUMBER_OF)) hints.add("number-of");
  if (has(NAME_OF)) hints.add("name");
  if (has(MAIL)) hints.add("mail");
  if (has(LABEL)) hints.add("label");
  if (has(PROTECTED)) hints.add("protected");
  const [first] = parts;
  if (first !== undefined && PLACE.has(first) && parts.length <= 2) hints.add("place");
  return hints;
}

/** A title for people and a unit, from a header such as `age_years`, `HbA1c (%)` or `stay days`. */
export function titleOf(header: string): { readonly title: string; readonly unit: string } {
  const bracketed = /^(.*\S)\s*[([]([^)\]]{1,20})[)\]]$/.exec(header.trim());
  if (bracketed !== null)
    return { title: spoken(bracketed[1] as string), unit: (bracketed[2] as string).trim() };
  const parts = header.trim().split(/[\s_.-]+/);
  const unit = parts.length > 1 ? UNITS.get((parts.at(-1) as string).toLowerCase()) : undefined;
  return unit === undefined
    ? { title: spoken(header), unit: "" }
    : { title: spoken(parts.slice(0, -1).join(" ")), unit };
}

function spoken(header: string): string {
  const text = header
    .replace(/[_.]+/g, " ")
    .replace(/([a-z])([A-Z])(?=[a-z])/g, "$1 $2")
    .replace(/\s+/g, " ")
    .trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function wordsOf(header: string): string[] {
  return header
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}]+/u)
    .filter((part) => part !== "");
}

function words(list: string): ReadonlySet<string> {
  return new Set(list.split("|"));
}
