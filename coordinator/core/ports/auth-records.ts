/*
 * What a sign-in library keeps: accounts, sessions, credentials and pending verifications. Models and fields are those of
 * Better Auth 1.7's core schema; passkeys are ours. Part of `Store`; every implementation passes its contract suite.
 *
 * A model, field or operator that is not listed here is a programmer's fault, so that no name from outside becomes SQL.
 */

/** `time` is Unix milliseconds. A name that ends with "?" may be null. */
type FieldType = "text" | "text?" | "count" | "flag" | "time" | "time?" | "bytes";

/** The fields of each model. */
export const AUTH_MODELS = {
  user: {
    id: "text",
    name: "text",
    /** Unique. */
    email: "text",
    emailVerified: "flag",
    image: "text?",
    createdAt: "time",
    updatedAt: "time",
  },
  session: {
    id: "text",
    /** A hash of the cookie's token. Unique. */
    token: "text",
    userId: "text",
    expiresAt: "time",
    createdAt: "time",
    updatedAt: "time",
    ipAddress: "text?",
    userAgent: "text?",
    /** Not of Better Auth's schema: when the person last proved who they are. */
    provedAt: "time?",
  },
  account: {
    id: "text",
    /** Unique within its provider. */
    accountId: "text",
    providerId: "text",
    userId: "text",
    accessToken: "text?",
    refreshToken: "text?",
    idToken: "text?",
    accessTokenExpiresAt: "time?",
    refreshTokenExpiresAt: "time?",
    scope: "text?",
    password: "text?",
    createdAt: "time",
    updatedAt: "time",
  },
  verification: {
    id: "text",
    identifier: "text",
    value: "text",
    expiresAt: "time",
    createdAt: "time",
    updatedAt: "time",
  },
  passkey: {
    /** Unique. */
    credentialId: "text",
    personId: "text",
    publicKey: "bytes",
    counter: "count",
    transports: "text",
    madeAt: "time",
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, FieldType>>>>;

export type AuthModel = keyof typeof AUTH_MODELS;
export type AuthField<Model extends AuthModel> = keyof (typeof AUTH_MODELS)[Model] & string;

interface FieldValues {
  readonly text: string;
  readonly "text?": string | null;
  readonly count: number;
  readonly flag: boolean;
  readonly time: number;
  readonly "time?": number | null;
  readonly bytes: Uint8Array;
}
type ValueOf<Type> = Type extends FieldType ? FieldValues[Type] : never;

/** One record of a model, with all of its fields. */
export type AuthRecord<Model extends AuthModel> = {
  readonly [Field in AuthField<Model>]: ValueOf<(typeof AUTH_MODELS)[Model][Field]>;
};

/** All conditions must hold. `lt` and `gt` are for times and counts; null only equals null. */
export type AuthCondition<Model extends AuthModel> = {
  readonly field: AuthField<Model>;
} & (
  | { readonly operator: "eq"; readonly value: string | number | boolean | null }
  | { readonly operator: "in"; readonly value: readonly (string | number)[] }
  | { readonly operator: "lt" | "gt"; readonly value: number }
);

export interface AuthSelection<Model extends AuthModel> {
  /** At least 1. */
  readonly limit: number;
  readonly offset?: number;
  readonly sortBy?: { readonly field: AuthField<Model>; readonly direction: "asc" | "desc" };
}

export interface AuthRecords {
  /** Errors: `exists` if a unique field has this value already; nothing is written then. */
  createAuthRecord<Model extends AuthModel>(
    model: Model,
    record: AuthRecord<Model>,
  ): Promise<"created" | "exists">;
  findAuthRecords<Model extends AuthModel>(
    model: Model,
    where: readonly AuthCondition<Model>[],
    selection: AuthSelection<Model>,
  ): Promise<readonly AuthRecord<Model>[]>;
  /** @returns The changed records. */
  updateAuthRecords<Model extends AuthModel>(
    model: Model,
    where: readonly AuthCondition<Model>[],
    changes: Partial<AuthRecord<Model>>,
  ): Promise<readonly AuthRecord<Model>[]>;
  /** @returns The deleted records. Of two callers at once, only one gets a record. */
  removeAuthRecords<Model extends AuthModel>(
    model: Model,
    where: readonly AuthCondition<Model>[],
  ): Promise<readonly AuthRecord<Model>[]>;
  countAuthRecords<Model extends AuthModel>(
    model: Model,
    where: readonly AuthCondition<Model>[],
  ): Promise<number>;
}
