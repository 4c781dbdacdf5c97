import { config } from "zod";

// Zod tests whether it may compile code, and the content security policy reports the attempt even though Zod can do
// without. Next runs this file before the modules of any page, and their schemas, are loaded.
config({ jitless: true });
