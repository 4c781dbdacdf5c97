import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { wallClock } from "#shared/node/system.ts";
import { VERSION } from "#shared/node/version.ts";
import { siteAddressFault } from "#shared/protocol/site-address.ts";
import type { TlsSetting } from "../adapters/tls/open-tls.ts";
import { webBuildState } from "../adapters/web-build.ts";
import { databaseUrlFault, runCommand, stateOptions } from "./command.ts";
import { type Finding, isHealthy, lineOf, summaryOf } from "./doctor/finding.ts";
import { judgeCertificate, judgePages, judgePort, judgeReached } from "./doctor/judge-doors.ts";
import { judgeNode } from "./doctor/judge-state.ts";
import {
  lookAtCertificate,
  lookAtCoordinator,
  lookAtOwnCertificate,
  lookAtPort,
} from "./doctor/look-doors.ts";
import { examineState } from "./doctor/look-state.ts";
import { doorOptions } from "./door-options.ts";

const HELP = `npm run doctor [-- options]

Looks at everything that a coordinator needs, and says what is wrong and what to do. It changes nothing, and shows no
secret. The coordinator may run meanwhile.

  --data DIR        its state; default .chorus, or CHORUS_DATA
  --database-url URL
                    its PostgreSQL database; or DATABASE_URL
  --port P          its port on this machine; default 3000, or CHORUS_PORT
  --host ADDRESS    where it listens; default every address, or CHORUS_HOST
  --tls             it makes its own certificate
  --tls-cert FILE, --tls-key FILE
                    its certificate; or CHORUS_TLS_CERT, CHORUS_TLS_KEY
  --public-url URL  address under which others reach it, for the certificate's name; or CHORUS_PUBLIC_URL
  --coordinator URL also ask a coordinator at this address whether it is ready
  --json            one line of JSON: { ok, findings: [{ level, about, says }] }
  --help

Each line is ok, look (it works, but look at it) or wrong. Exit code 0: nothing is wrong. 1: something is. 2: bad
options.`;

process.exitCode = await runCommand(HELP, readOptions, examine);

interface Options {
  readonly dataDir: string;
  readonly databaseUrl: string | undefined;
  readonly port: number;
  readonly host: string | undefined;
  readonly tls: TlsSetting | null;
  readonly publicHost: string | null;
  readonly coordinator: string | null;
  readonly json: boolean;
}

async function examine(options: Options): Promise<number> {
  const { port, host, tls, publicHost, coordinator } = options;
  const nowUnixMs = wallClock.nowUnixMs();
  const tlsKeyPath = tls === "own" ? undefined : tls?.keyPath;
  const state = await examineState({ ...options, tlsKeyPath, nowUnixMs });
  const findings: Finding[] = [judgeNode(process.versions.node), ...state.findings];
  findings.push(judgePort(port, await lookAtPort(port, host), state.isHeld));
  if (tls !== null) {
    const look =
      tls === "own"
        ? await lookAtOwnCertificate(options.dataDir, publicHost)
        : await lookAtCertificate(tls.certPath, tls.keyPath, publicHost);
    findings.push(judgeCertificate(look, nowUnixMs));
  }
  findings.push(judgePages(await webBuildState()));
  if (coordinator !== null) {
    const reached = await lookAtCoordinator(coordinator, wallClock.nowUnixMs);
    findings.push(...judgeReached(coordinator, reached, VERSION));
  }
  const ok = isHealthy(findings);
  if (options.json) console.log(JSON.stringify({ ok, findings }));
  else console.log([...findings.map(lineOf), summaryOf(findings)].join("\n"));
  return ok ? 0 : 1;
}

function readOptions(): Options | string {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    options: {
      data: text,
      "database-url": text,
      port: text,
      host: text,
      tls: { type: "boolean" },
      "tls-cert": text,
      "tls-key": text,
      "public-url": text,
      coordinator: text,
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return "help";
  const state = stateOptions(values);
  const fault = databaseUrlFault(state.databaseUrl);
  if (fault !== null) return fault;
  const doors = doorOptions(values);
  if (!doors.ok) return doors.error;
  const { publicUrl, tls } = doors.value;
  const { coordinator } = values;
  for (const [flag, url] of Object.entries({ "--public-url": publicUrl, "--coordinator": coordinator })) {
    const wrong = url === undefined ? null : siteAddressFault(flag, URL.parse(url));
    if (wrong !== null) return wrong;
  }
  return {
    ...state,
    dataDir: resolve(state.dataDir),
    ...doors.value,
    tls,
    publicHost: publicUrl === undefined ? null : new URL(publicUrl).hostname.replaceAll(/^\[|\]$/g, ""),
    coordinator: coordinator === undefined ? null : new URL(coordinator).origin,
    json: values.json,
  };
}
