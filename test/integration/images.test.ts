import { execFileSync, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Copy, DockerfileParser, type Instruction } from "dockerfile-ast";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { exportOnnx } from "#shared/export/onnx/export-onnx.ts";
import { bundledCase } from "#test/kit/exports/cases.ts";

/* The images and the services, read as their tools read them. No container engine is needed: steps run in a plain folder. */

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const FILES = ["deploy/Dockerfile.coordinator", "deploy/Dockerfile.edge"];

const instructionsOf = (text: string) => DockerfileParser.parse(text).getInstructions();
const wordsOf = (instruction: Instruction) =>
  instruction.getArguments().map((argument) => argument.getValue());

/** What is wrong with a Dockerfile, in the order of its lines. */
function faultsOf(text: string): string[] {
  const faults: string[] = [];
  const stages = new Set<string>();
  const instructions = instructionsOf(text);
  let user: string | undefined;
  for (const instruction of instructions) {
    const [first = "", ...rest] = wordsOf(instruction);
    const text = instruction.getArgumentsContent() ?? "";
    switch (instruction.getKeyword()) {
      case "FROM":
        user = undefined;
        if (!stages.has(first) && !/:\d+\.\d+\.\d+/.test(first))
          faults.push(`the base ${first} is not pinned`);
        if (rest[0]?.toUpperCase() === "AS") stages.add(rest[1] ?? "");
        break;
      case "ADD":
        faults.push("ADD fetches and unpacks; use COPY");
        break;
      case "COPY":
        if (instruction instanceof Copy && instruction.getFromFlag() !== null) break;
        for (const source of [first, ...rest].slice(0, -1))
          if (!existsSync(join(ROOT, source))) faults.push(`COPY of ${source}, which does not exist`);
        break;
      case "USER":
        user = first;
        break;
      case "CMD":
      case "ENTRYPOINT":
        // A shell in between would not pass signals on.
        if (!text.trim().startsWith("[")) faults.push(`${instruction.getKeyword()} runs a shell`);
        break;
      case "RUN":
        if (/\bnpm (?:ci|install)\b/.test(text) && !text.includes("--ignore-scripts"))
          faults.push("npm runs install scripts");
        if (/\b(?:curl|wget|sudo)\b/.test(text)) faults.push(`RUN ${text}`);
        break;
    }
  }
  if (user === undefined || /^(?:root|0)\b/.test(user)) faults.push("the last stage runs as root");
  if (!instructions.some((item) => /^(?:CMD|ENTRYPOINT)$/.test(item.getKeyword())))
    faults.push("nothing to run");
  return faults;
}

describe("images", () => {
  test.each(FILES)("[O26] %s", (path) => {
    expect(faultsOf(read(path))).toEqual([]);
  });

  test("faults are found (positive control)", () => {
    const text = `FROM node:latest AS build
ADD https://example.org/x.tgz /
COPY nothing-here /app
RUN npm install && curl x
USER node
FROM build
CMD node x.ts`;
    expect(faultsOf(text)).toEqual([
      "the base node:latest is not pinned",
      "ADD fetches and unpacks; use COPY",
      "COPY of nothing-here, which does not exist",
      "npm runs install scripts",
      "RUN npm install && curl x",
      "CMD runs a shell",
      "the last stage runs as root",
    ]);
  });

  test("[O26] the images run the version of Node that the repository pins", () => {
    const lock = z
      .object({ packages: z.record(z.string(), z.looseObject({ version: z.string().optional() })) })
      .parse(JSON.parse(read("package-lock.json")));
    const pinned = lock.packages["node_modules/node"]?.version;
    for (const path of FILES) {
      const bases = [...read(path).matchAll(/^FROM node:([\d.]+)/gm)].map((match) => match[1]);
      expect(new Set(bases)).toEqual(new Set([pinned]));
    }
  });

  test("[O26] nothing private is part of a build's context", () => {
    const ignored = read(".dockerignore").split("\n");
    for (const name of [".git", ".chorus", "**/.env", "**/node_modules"]) expect(ignored).toContain(name);
  });
});

describe("steps in a plain folder", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "chorus-image-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /**
   * Copies what a stage copies from the context, and from other stages what the repository has in its place.
   *
   * @returns the stage's RUN steps.
   */
  function copyStage(path: string, stage: number): string[] {
    const runs: string[] = [];
    let current = -1;
    for (const instruction of instructionsOf(read(path))) {
      const words = wordsOf(instruction);
      if (instruction.getKeyword() === "FROM") current += 1;
      if (current !== stage) continue;
      if (instruction.getKeyword() === "RUN") runs.push(instruction.getArgumentsContent() ?? "");
      if (instruction.getKeyword() !== "COPY") continue;
      const target = words.at(-1) ?? "";
      for (const source of words.slice(0, -1).map((word) => word.replace(/^\/app\//, ""))) {
        const to = target.endsWith("/") ? join(folder, target, source) : join(folder, target);
        // The production packages are among the repository's.
        if (source === "node_modules") symlinkSync(join(ROOT, source), to);
        else cpSync(join(ROOT, source), to, { recursive: true, filter: isSource });
      }
    }
    return runs;
  }

  const isSource = (from: string) =>
    !/\/(?:node_modules|\.next|\.join)(?:\/|$)/.test(from.slice(ROOT.length - 1));

  test("[O26] the coordinator starts from what its image has, becomes ready, and ends on a signal", async () => {
    expect(copyStage("deploy/Dockerfile.coordinator", 2)).toEqual([
      expect.stringContaining("postgresql-client"),
      expect.stringContaining("chown node:node /data"),
    ]);
    for (const name of ["node_modules", "web", "package-lock.json"])
      expect(existsSync(join(folder, name))).toBe(true);
    const command = instructionsOf(read("deploy/Dockerfile.coordinator")).findLast(
      (item) => item.getKeyword() === "CMD",
    );
    const [, ...args] = z.array(z.string()).parse(JSON.parse(command?.getArgumentsContent() ?? ""));
    const env = { ...process.env, CHORUS_DATA: join(folder, "data"), CHORUS_PORT: "0", DATABASE_URL: "" };
    const child = spawn(process.execPath, [...args, "--api-only"], {
      cwd: folder,
      env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    try {
      let output = "";
      child.stderr.on("data", (chunk: Buffer) => {
        output += chunk.toString();
      });
      await expect.poll(() => output).toMatch(/Chorus on (\S+)\./);
      const url = /Chorus on (\S+)\./.exec(output)?.[1] ?? "";
      const ready = async () => (await fetch(`${url}/readyz`)).status;
      await expect.poll(ready).toBe(200);
      const ended = new Promise((done) => child.once("exit", done));
      child.kill("SIGTERM");
      expect(await ended).toBe(0);
    } finally {
      child.kill("SIGKILL");
    }
  });

  test("[M22] the coordinator's image keeps of onnxruntime-web what Node loads, and a model runs with that", () => {
    const [, prune = ""] = copyStage("deploy/Dockerfile.coordinator", 1);
    const packages = join(folder, "node_modules");
    for (const name of ["onnxruntime-web", "onnxruntime-common"])
      cpSync(join(ROOT, "node_modules", name), join(packages, name), { recursive: true });
    const byteCount = () => sizeOf(join(packages, "onnxruntime-web"));
    expect(byteCount()).toBeGreaterThan(100e6);
    execFileSync("sh", ["-c", prune.replaceAll("\\\n", " ")], { cwd: folder });
    expect(byteCount()).toBeLessThan(20e6);
    const { source } = bundledCase("digits");
    writeFileSync(join(folder, "digits.onnx"), exportOnnx(source));
    const script = `import { readFileSync } from "node:fs";
      import { InferenceSession, Tensor, env } from "onnxruntime-web";
      env.wasm.numThreads = 1;
      const session = await InferenceSession.create(readFileSync("digits.onnx"));
      const pixels = new Tensor("float32", new Float32Array(64), [1, 8, 8, 1]);
      const said = await session.run({ [session.inputNames[0]]: pixels });
      console.log(session.outputNames.every((name) => name in said));`;
    writeFileSync(join(folder, "run.mjs"), script);
    expect(execFileSync(process.execPath, ["run.mjs"], { cwd: folder, encoding: "utf8" }).trim()).toBe(
      "true",
    );
  });

  const sizeOf = (path: string): number =>
    readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);

  test("[O26] the pages are built with everything that their build needs, and run with what they were built from", () => {
    const runs = copyStage("deploy/Dockerfile.coordinator", 0);
    expect(runs).toEqual([
      expect.stringMatching(/^npm ci --ignore-scripts/),
      "node coordinator/commands/build-pages.ts",
    ]);
    expect(existsSync(join(folder, "coordinator/commands/build-pages.ts"))).toBe(true);
    // A start builds again if one of these differs from what the build had.
    const built = readdirSync(folder).filter((name) => name !== "coordinator");
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    copyStage("deploy/Dockerfile.coordinator", 2);
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(built));
  });

  test("[O26] the edge is packed from what its image's build has, without installed packages", () => {
    const [run = "", ...others] = copyStage("deploy/Dockerfile.edge", 0);
    expect(others).toEqual([]);
    const packed = join(folder, "packed");
    const path = `${resolve(process.execPath, "..")}:${process.env["PATH"]}`;
    execFileSync("sh", ["-c", run.replaceAll("/packed", packed)], {
      cwd: folder,
      env: { ...process.env, PATH: path },
      stdio: ["ignore", "pipe", "pipe"],
    });
    mkdirSync(packed, { recursive: true });
    expect(readdirSync(packed)).toEqual([expect.stringMatching(/^chorus-edge-\d+\.\d+\.\d+\.tgz$/)]);
  });
});

/** Major version of postgresql-client. Source: packages.debian.org. */
const POSTGRES_OF_DEBIAN: Readonly<Record<string, number>> = { bookworm: 15, trixie: 17 };

describe("services", () => {
  const serviceSchema = z.strictObject({
    image: z
      .string()
      .regex(/:\d+\.\d+/)
      .optional(),
    build: z.strictObject({ context: z.string(), dockerfile: z.string() }).optional(),
    environment: z.record(z.string(), z.string()),
    depends_on: z.record(z.string(), z.strictObject({ condition: z.literal("service_healthy") })).optional(),
    healthcheck: z.looseObject({ test: z.array(z.string()) }).optional(),
    networks: z.array(z.string()),
    volumes: z.array(z.string()),
    ports: z.array(z.string()).optional(),
    read_only: z.boolean().optional(),
    tmpfs: z.array(z.string()).optional(),
    cap_drop: z.array(z.string()).optional(),
    cap_add: z.array(z.string()).optional(),
    security_opt: z.array(z.string()).refine((options) => options.includes("no-new-privileges:true")),
    stop_grace_period: z.string().optional(),
    restart: z.literal("unless-stopped"),
  });
  const composeSchema = z.strictObject({
    name: z.string(),
    services: z.record(z.string(), serviceSchema),
    networks: z.record(z.string(), z.looseObject({}).nullable()),
    volumes: z.record(z.string(), z.null()),
  });
  const compose = composeSchema.parse(parse(read("deploy/compose.yaml")));

  test("[O26] the compose file is whole: what it names is there", () => {
    const services = Object.values(compose.services);
    for (const { build, depends_on: needs = {}, networks, volumes } of services) {
      if (build !== undefined)
        expect(existsSync(join(ROOT, "deploy", build.context, build.dockerfile))).toBe(true);
      for (const name of Object.keys(needs)) expect(Object.keys(compose.services)).toContain(name);
      for (const name of networks) expect(Object.keys(compose.networks)).toContain(name);
      for (const [source = ""] of volumes.map((volume) => volume.split(":"))) {
        if (source.startsWith(".")) expect(existsSync(join(ROOT, "deploy", source))).toBe(true);
        else expect(Object.keys(compose.volumes)).toContain(source);
      }
    }
  });

  test("[O26] only the proxy is reached from outside, and no password is written down", () => {
    const { coordinator, database, proxy } = compose.services;
    expect([coordinator?.ports, database?.ports]).toEqual([undefined, undefined]);
    expect(proxy?.ports).toEqual(["80:80", "443:443"]);
    expect(database?.networks).toEqual(["back"]);
    expect(compose.networks["back"]).toEqual({ internal: true });
    expect(database?.environment["POSTGRES_PASSWORD"]).toMatch(/^\$\{DATABASE_PASSWORD:\?/);
    expect(coordinator?.environment["DATABASE_URL"]).toMatch(
      /^postgres:\/\/chorus:\$\{DATABASE_PASSWORD:\?.*\}@database\/chorus$/,
    );
    expect(Number(coordinator?.stop_grace_period?.replace("s", ""))).toBeGreaterThan(30);
    expect(coordinator?.read_only).toBe(true);
    // The coordinator believes X-Forwarded-For of its own network's proxy alone.
    const { front } = compose.networks;
    expect(JSON.stringify(front)).toContain(String(coordinator?.environment["CHORUS_TRUSTED_PROXIES"]));
  });

  test("[O26] the coordinator's image has a pg_dump that is not older than the server", () => {
    const dockerfile = read("deploy/Dockerfile.coordinator");
    const last = dockerfile.slice(dockerfile.lastIndexOf("\nFROM "));
    const [, debian = ""] = /^\nFROM node:[\d.]+-(\w+)-slim$/m.exec(last) ?? [];
    expect(last).toMatch(/^RUN apt-get .*\bpostgresql-client\b/m);
    const server = Number(/^postgres:(\d+)\./.exec(compose.services["database"]?.image ?? "")?.[1]);
    expect(POSTGRES_OF_DEBIAN[debian]).toBeGreaterThanOrEqual(server);
  });

  test("[O26] the edge's unit ends for good on the exit codes that another start cannot mend", () => {
    const unit = read("deploy/chorus-edge.service");
    for (const line of [
      "DynamicUser=yes",
      "StateDirectory=chorus-edge",
      "Restart=on-failure",
      "KillSignal=SIGTERM",
    ])
      expect(unit.split("\n")).toContain(line);
    // 3, a coordinator that cannot be reached, is tried again.
    expect(unit).toMatch(/^RestartPreventExitStatus=2 4 5 6 7$/m);
    expect(unit).not.toMatch(/^Environment=.*(?:PASSWORD|TOKEN|PROXY)/m);
  });
});
