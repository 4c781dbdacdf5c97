import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
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

const lockSchema = z.object({
  packages: z.record(z.string(), z.object({ version: z.string().optional(), dev: z.boolean().optional() })),
});

const { values } = parseArgs({ options: { out: { type: "string" }, help: { type: "boolean" } } });
if (values.help === true) {
  console.log(HELP);
} else {
  const text = `${JSON.stringify(production(), null, 2)}\n`;
  if (values.out === undefined) process.stdout.write(text);
  else writeFileSync(values.out, text);
}

/**
 * npm's own `--omit dev` also omits production packages that a development package needs, so this filters its whole list. That
 * names a package once, even if it is installed for both, so the lock file says which are for production.
 */
function production(): object {
  const args = ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only"];
  const bom = bomSchema.parse(
    JSON.parse(execFileSync("npm", args, { encoding: "utf8", maxBuffer: OUTPUT_BYTES_MAX })),
  );
  const needed = neededInProduction();
  const components = bom.components
    .filter((item) => needed.has(item["bom-ref"]))
    .map((item) => ({ ...item, properties: item.properties.filter(({ name }) => name !== DEVELOPMENT) }));
  const { component } = bom.metadata;
  const kept = new Set([...components.map((item) => item["bom-ref"]), component["bom-ref"]]);
  const dependencies = bom.dependencies
    .filter(({ ref }) => kept.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((target) => kept.has(target)) }));
  // npm names the component after the folder that it is in.
  const metadata = { ...bom.metadata, component: { ...component, name: "chorus" } };
  return { ...bom, metadata, components, dependencies };
}

/** As npm refers to them: name@version. */
function neededInProduction(): ReadonlySet<string> {
  const { packages } = lockSchema.parse(JSON.parse(readFileSync("package-lock.json", "utf8")));
  const needed = Object.entries(packages).filter(([path, { dev }]) => path !== "" && dev !== true);
  return new Set(needed.map(([path, { version }]) => `${path.replace(/^.*node_modules\//, "")}@${version}`));
}
