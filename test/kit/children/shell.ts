import { openShell } from "../shell.ts";

/** The shell of ../shell.ts in a process of its own, which an attack may end. Sends its address. */
const shell = await openShell();
process.once("disconnect", () => process.exit(0));
process.send?.({ url: shell.url });
