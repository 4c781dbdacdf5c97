import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { z } from "zod";

const HELP = `npm run sbom [-- --out FILE]

Prints the software bill of materials of what runs in production, from package-lock.json: CycloneDX, JSON.

  --out FILE   writes it there instead
  --help`;

/** npm's mark on packages that only development needs. */
const DEVELOPMENT = "cdx:npm:package:development";
/** npm's lists of everything are long. */
const OUTPUT_BYTES_MAX = 64 * 2 ** 20;

const componentSchema = z.looseObject({
  "bom-ref": z.string(),
  properties: z.array(z.object({ name: z.string(), value: z.string() })).default([]),
});
const bomSchema = z.looseObject({
  metadata: z.looseObject({ component: z.looseObject({ name: z.string() }) }),
  components: z.array(componentSchema),
  dependencies: z.array(z.object({ ref: z.string(), dependsOn: z.array(z.string()).default([]) })),
});

const { values } = parseArgs({ options: { out: { type: "string" }, help: { type: "boolean" } } });
if (values.help === true) {
  console.log(HELP);
} else {
  const text = `${JSON.stringify(production(), null, 2)}\n`;
  if (values.out === undefined) process.stdout.write(text);
  else writeFileSync(values.out, text);
}

/** npm's own `--omit dev` also omits production packages that a development package needs, so this filters its whole list. */
function production(): object {
  const args = ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only"];
  const bom = bomSchema.parse(
    JSON.parse(execFileSync("npm", args, { encoding: "utf8", maxBuffer: OUTPUT_BYTES_MAX })),
  );
  const components = bom.components.filter(
    ({ properties }) => !properties.some(({ name, value }) => name === DEVELOPMENT && value === "true"),
  );
  const { component } = bom.metadata;
  const kept = new Set([...components.map((item) => item["bom-ref"]), component["bom-ref"]]);
  const dependencies = bom.dependencies
    .filter(({ ref }) => kept.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((target) => kept.has(target)) }));
  // npm names the component after the folder that it is in.
  const metadata = { ...bom.metadata, component: { ...component, name: "chorus" } };
  return { ...bom, metadata, components, dependencies };
}
