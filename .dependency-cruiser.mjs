/*
 * The layers of the house. Each rule has a planted violation in test/tidy/layers.test.ts that it must catch.
 * dependency-cruiser does not read TypeScript 7 and would pass silently; the swc parser does, and test/tidy/layers.test.ts
 * guards the number of modules seen.
 */
/** Rooms of the coordinator's core, lowest first: a room imports those before it. create-coordinator.ts stands above. */
const CORE_ROOMS = [
  "ports",
  "audit",
  "access",
  "tasks",
  "devices",
  "views",
  "models",
  "rounds",
  "runs",
  "tracking",
  "desks",
];

/** Rooms of shared/ through which rules are agreed to and rounds run, lowest first: each imports those before it. */
const SHARED_ROOMS = [
  "protocol/(ids|limits|fields|errors)\\.ts$",
  "cohort/",
  "(task|strategy|vector)/",
  "data/",
  "protocol/(?!(ids|limits|fields|errors|api)\\.ts$)",
  "secagg/",
  "(round|transcript|project|registry|model)/",
  "audit/",
  "protocol/api\\.ts$",
];

export default {
  forbidden: [
    {
      name: "shared-imports-nothing-of-ours",
      comment: "shared/ is the platform-free core.",
      severity: "error",
      from: { path: "^shared/" },
      to: { path: "^(coordinator|client|web|test)/" },
    },
    {
      name: "shared-has-no-platform",
      severity: "error",
      from: { path: "^shared/(?!node/)" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "shared-knows-no-api",
      comment: "The API shows what machines and protocol are; they do not depend on how they are shown.",
      severity: "error",
      from: { path: "^shared/" },
      to: { path: "^shared/protocol/api\\.ts$" },
    },
    {
      name: "engine-only-from-adapters",
      comment: "shared/engine has platform types.",
      severity: "error",
      from: { pathNot: "^(shared/engine|client/adapters|coordinator/adapters|test)/" },
      to: { path: "^shared/engine/" },
    },
    {
      name: "tfjs-only-in-the-engine",
      comment: "The rest of the house sees the port in shared/task/engine.ts.",
      severity: "error",
      from: { pathNot: "^(shared/engine|test)/" },
      to: { path: "node_modules/@tensorflow/" },
    },
    {
      name: "layers-import-kernel-only",
      comment: "A layer is written in the operations of shared/layers/ops.ts, whatever runs them.",
      severity: "error",
      from: { path: "^shared/layers/" },
      to: { path: "^shared/(?!layers/|kernel/)" },
    },
    {
      name: "archive-and-pictures-import-kernel-only",
      comment: "A file is unpacked and a picture decoded whatever the task is; shared/data knows the task.",
      severity: "error",
      from: { path: "^shared/(archive|pictures)/" },
      to: { path: "^shared/(?!(archive|pictures|kernel)/)" },
    },
    {
      name: "node-only-from-the-edges",
      comment: "shared/node has Node's types and does I/O.",
      severity: "error",
      from: {
        pathNot:
          "^(shared/node|(client|coordinator)/(adapters|commands)|test)/|^(coordinator/main|client/node|web/join/vite\\.config)\\.ts$",
      },
      to: { path: "^shared/node/" },
    },
    {
      name: "crypto-imports-kernel-only",
      severity: "error",
      from: { path: "^shared/crypto/" },
      to: { path: "^shared/(?!crypto/|kernel/)" },
    },
    {
      name: "kernel-imports-nothing",
      severity: "error",
      from: { path: "^shared/kernel/" },
      to: { path: "^shared/(?!kernel/)" },
    },
    {
      name: "coordinator-imports-shared-only",
      severity: "error",
      from: { path: "^coordinator/" },
      to: { path: "^(client|web|test)/" },
    },
    {
      name: "client-imports-shared-only",
      severity: "error",
      from: { path: "^client/" },
      to: { path: "^(coordinator|web|test)/" },
    },
    {
      name: "web-uses-the-doors",
      comment:
        "web/ reaches the client through client/index.ts and the coordinator over HTTP and the socket.",
      severity: "error",
      from: { path: "^web/" },
      to: { path: "^(coordinator/|test/|client/(?!index\\.ts$))" },
    },
    {
      name: "web-words-draw-nothing",
      comment: "web/words/ says how things stand, from views of the API; it neither draws nor fetches.",
      severity: "error",
      from: { path: "^web/words/" },
      to: { path: "^web/(app|ui|chart|features|data)/|\\.tsx$|node_modules/(react|next)/" },
    },
    {
      name: "web-parts-know-no-feature",
      comment: "What every page draws with does not depend on a page.",
      severity: "error",
      from: { path: "^web/(ui|chart|score|data)/" },
      to: { path: "^web/(app|features)/" },
    },
    {
      name: "core-never-imports-adapters",
      severity: "error",
      from: { path: "^(coordinator|client)/core/" },
      to: {
        path: "^(coordinator|client)/(adapters|commands)/|^(coordinator/main|client/(index|node))\\.ts$",
      },
    },
    ...CORE_ROOMS.map((room, index) => {
      const above = [...CORE_ROOMS.slice(index + 1).map((name) => `${name}/`), "create-coordinator\\.ts$"];
      return {
        name: "core-rooms-in-order",
        comment: `${room}/ imports only the rooms of the coordinator's core that come before it.`,
        severity: "error",
        from: { path: `^coordinator/core/${room}/` },
        to: { path: `^coordinator/core/(${above.join("|")})` },
      };
    }),
    {
      name: "core-rooms-are-known",
      comment: "A new room of the coordinator's core takes its place in CORE_ROOMS.",
      severity: "error",
      from: { path: "^coordinator/" },
      to: { path: `^coordinator/core/(?!(${CORE_ROOMS.join("|")})/)[^/]+/` },
    },
    ...SHARED_ROOMS.slice(0, -1).map((room, index) => ({
      name: "shared-rooms-in-order",
      comment:
        "What is agreed to does not depend on how it is sent, nor that on what a session or a round does with it.",
      severity: "error",
      from: { path: `^shared/${room}` },
      to: { path: SHARED_ROOMS.slice(index + 1).map((above) => `^shared/${above}`) },
    })),
    {
      name: "sample-is-for-makers",
      comment: "What helps to make a task is no part of what a task is or of how rounds run.",
      severity: "error",
      from: { path: "^(shared/(?!sample/)|coordinator/)" },
      to: { path: "^shared/sample/" },
    },
    {
      name: "cohort-imports-kernel-only",
      comment: "Graphs and thresholds follow from numbers alone.",
      severity: "error",
      from: { path: "^shared/cohort/" },
      to: { path: "^shared/(?!cohort/|kernel/)" },
    },
    {
      name: "privacy-imports-kernel-only",
      comment: "What noise costs follows from numbers alone.",
      severity: "error",
      from: { path: "^shared/privacy/" },
      to: { path: "^shared/(?!privacy/|kernel/)" },
    },
    {
      name: "no-cycles",
      comment: "Circles of type-only imports count too: they tie files together for readers.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "web/\\.(next|join)|\\.as\\.ts$" },
    parser: "swc",
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default"],
      extensions: [".ts", ".tsx", ".mjs", ".js", ".json"],
    },
  },
};
