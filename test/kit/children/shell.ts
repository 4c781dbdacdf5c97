import { openShell } from "../worlds/shell.ts";

/** The shell of ../worlds/shell.ts in its own process, which an attack may end. Sends its address. */
const shell = await openShell();
process.once("disconnect", () => process.exit(0));
process.send?.({ url: shell.url });
