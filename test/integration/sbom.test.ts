import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

interface Locked {
  readonly version: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
}
interface Bom {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly metadata: { readonly component: { readonly name: string; readonly "bom-ref": string } };
  readonly components: readonly {
    readonly "bom-ref": string;
    readonly purl: string;
    readonly version: string;
    readonly licenses?: readonly object[];
    readonly hashes?: readonly object[];
  }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

test("[O25] the bill of materials has every production package of the lock file, and no other", () => {
  const output = execFileSync(process.execPath, ["test/sbom.ts"], {
    cwd: ROOT,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  const bom = JSON.parse(output) as Bom;
  expect([bom.bomFormat, bom.metadata.component.name]).toEqual(["CycloneDX", "chorus"]);
  expect(bom.specVersion).toMatch(/^1\.[5-9]$/);

  const { packages } = JSON.parse(readFileSync(`${ROOT}/package-lock.json`, "utf8")) as {
    readonly packages: Readonly<Record<string, Locked>>;
  };
  const purlOf = (path: string, version: string) =>
    `pkg:npm/${path.replace(/^.*node_modules\//, "").replace("@", "%40")}@${version}`;
  const locked = Object.entries(packages).filter(([path]) => path !== "");
  const wanted = locked.filter(([, { dev }]) => dev !== true);
  expect(wanted.length).toBeGreaterThan(100);
  const purls = new Set(bom.components.map(({ purl }) => purl));
  expect(
    wanted.map(([path, { version }]) => purlOf(path, version)).filter((purl) => !purls.has(purl)),
  ).toEqual([]);
  const allowed = new Set(wanted.map(([path, { version }]) => purlOf(path, version)));
  expect([...purls].filter((purl) => !allowed.has(purl))).toEqual([]);

  // References are whole, and what the registry states is passed on.
  const refs = new Set([bom.metadata.component["bom-ref"], ...bom.components.map((item) => item["bom-ref"])]);
  for (const { ref, dependsOn } of bom.dependencies)
    expect([ref, ...dependsOn].filter((target) => !refs.has(target))).toEqual([]);
  const share = (has: (item: Bom["components"][number]) => boolean) =>
    bom.components.filter(has).length / bom.components.length;
  expect(share(({ licenses = [] }) => licenses.length > 0)).toBeGreaterThan(0.7);
});
