import { config } from "zod";

// Zod tries whether it may compile code and goes on without; the content security policy reports the attempt all the
// same. Next runs this file before any page's own modules, and with them their schemas, are loaded.
config({ jitless: true });
