/*
 * The layers of the house. Each rule has a planted violation in test/tidy/layers.test.ts that it must catch.
 * dependency-cruiser does not read TypeScript 7 and would pass silently; the swc parser does, and test/tidy/layers.test.ts
 * guards the number of modules seen.
 */
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
      name: "node-only-from-the-edges",
      comment: "shared/node has Node's types and does I/O.",
      severity: "error",
      from: {
        pathNot:
          "^(shared/node|(client|coordinator)/(adapters|commands)|test)/|^(coordinator/main|client/node)\\.ts$",
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
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "web/\\.next|\\.as\\.ts$" },
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
