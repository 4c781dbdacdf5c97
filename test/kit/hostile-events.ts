/*
 * Events that a peer's own client would never send, as text of the socket.io protocol: every name that means something
 * to socket.io, to Node's emitters or to an object, with every argument that breaks code which makes a string of it,
 * looks a key up by it or walks it.
 */

/** Names that are no event of ours, or that socket.io and Node's emitters keep for themselves. */
export const RESERVED_NAMES = [
  "error",
  "connect",
  "connection",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
  "new_namespace",
  "initial_headers",
  "headers",
  "connection_error",
  "close",
  "data",
  "packet",
  "message",
  "uncaughtException",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
] as const;

/** JSON of one argument each. */
export const HOSTILE_ARGUMENTS = [
  '{"toString":null}',
  '{"toString":1}',
  '{"toString":null,"valueOf":null}',
  '{"toJSON":1}',
  '{"message":{"toString":null},"stack":1}',
  '{"then":1}',
  '{"__proto__":{"toString":null}}',
  '{"constructor":{"prototype":null}}',
  '{"_placeholder":true,"num":0}',
  '{"_placeholder":true,"num":"__proto__"}',
  '{"length":1e9}',
  "null",
  "1e400",
  '"\\ud800"',
  `${"[".repeat(300)}${"]".repeat(300)}`,
] as const;

/** Longer than any text of ours: these end the connection. */
export const HOSTILE_LONG_ARGUMENTS = [
  `${"[".repeat(100_000)}${"]".repeat(100_000)}`,
  `{${Array.from({ length: 40_000 }, (_, index) => `"${index}":0`).join(",")}}`,
  `"${"x".repeat(900_000)}"`,
] as const;

/** Event names that are no text. */
export const HOSTILE_NAMES = [
  "1",
  "null",
  '{"toString":null}',
  '["error"]',
  '{"_placeholder":true,"num":0}',
] as const;
