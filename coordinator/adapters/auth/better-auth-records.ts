import type { BetterAuthOptions } from "better-auth";
import { createAdapterFactory } from "better-auth/adapters";
import { assert } from "#shared/kernel/assert.ts";
import {
  AUTH_MODELS,
  type AuthCondition,
  type AuthField,
  type AuthModel,
  type AuthRecord,
  type AuthRecords,
} from "../../core/ports/auth-records.ts";
import { hashOfToken, RecordExists } from "./stored.ts";

/*
 * Better Auth's database adapter over `AuthRecords`. Better Auth stores session tokens as they are; here a token is hashed
 * on its way in, in records and in conditions, so the store never has one (X10).
 */

/** A record as Better Auth has it: times are dates. */
type Loose = Readonly<Record<string, unknown>>;

/** One condition, as Better Auth's adapters receive it. */
interface Where {
  readonly field: string;
  readonly value: unknown;
  readonly operator: string | undefined;
  readonly connector: string | undefined;
}

const FOUND_COUNT_MAX = 10_000;

/** @param newId  Makes the id of a new record. */
export function betterAuthRecords(records: AuthRecords, newId: () => string) {
  const find = async (
    model: string,
    where: readonly Where[] | undefined,
    { limit, offset = 0, sortBy }: Selection,
  ): Promise<Loose[]> => {
    const known = modelOf(model);
    const found = await records.findAuthRecords(known, conditionsOf(known, where), {
      limit: Math.min(limit, FOUND_COUNT_MAX),
      offset,
      ...(sortBy === undefined
        ? {}
        : { sortBy: { field: fieldOf(known, sortBy.field), direction: sortBy.direction } }),
    });
    return found.map((record) => looseOf(known, record));
  };
  const update = async (model: string, where: readonly Where[], changes: Loose): Promise<Loose[]> => {
    const known = modelOf(model);
    const values = valuesOf(known, changes) as Partial<AuthRecord<AuthModel>>;
    const changed = await records.updateAuthRecords(known, conditionsOf(known, where), values);
    return changed.map((record) => looseOf(known, record));
  };
  const remove = async (model: string, where: readonly Where[]): Promise<number> => {
    const known = modelOf(model);
    return (await records.removeAuthRecords(known, conditionsOf(known, where))).length;
  };
  return createAdapterFactory({
    config: {
      adapterId: "chorus",
      supportsJSON: true,
      supportsDates: true,
      supportsBooleans: true,
      customIdGenerator: newId,
    },
    adapter: () => ({
      create: async ({ model, data }) => {
        const known = modelOf(model);
        const record = { ...emptyOf(known), ...valuesOf(known, data) } as AuthRecord<AuthModel>;
        const outcome = await records.createAuthRecord(known, record);
        if (outcome === "exists") throw new RecordExists(known);
        return data;
      },
      findOne: async ({ model, where }) => ((await find(model, where, { limit: 1 }))[0] ?? null) as never,
      findMany: async ({ model, where, ...selection }) => (await find(model, where, selection)) as never,
      update: async ({ model, where, update: changes }) =>
        ((await update(model, where, changes as Loose))[0] ?? null) as never,
      updateMany: async ({ model, where, update: changes }) => (await update(model, where, changes)).length,
      delete: async ({ model, where }) => void (await remove(model, where)),
      deleteMany: ({ model, where }) => remove(model, where),
      count: ({ model, where }) => {
        const known = modelOf(model);
        return records.countAuthRecords(known, conditionsOf(known, where));
      },
    }),
  }) satisfies (options: BetterAuthOptions) => unknown;
}

interface Selection {
  readonly limit: number;
  readonly offset?: number | undefined;
  readonly sortBy?: { readonly field: string; readonly direction: "asc" | "desc" } | undefined;
}

function modelOf(model: string): AuthModel {
  assert(Object.hasOwn(AUTH_MODELS, model), "a listed model");
  return model as AuthModel;
}

function fieldOf<Model extends AuthModel>(model: Model, field: string): AuthField<Model> {
  assert(Object.hasOwn(AUTH_MODELS[model], field), "a listed field");
  return field as AuthField<Model>;
}

function conditionsOf<Model extends AuthModel>(
  model: Model,
  where: readonly Where[] = [],
): readonly AuthCondition<Model>[] {
  return where.map(({ field, value, operator = "eq", connector = "AND" }) => {
    assert(connector === "AND" || where.length === 1, "conditions that must all hold");
    assert(["eq", "in", "lt", "gt"].includes(operator), "a listed operator");
    const stored = Array.isArray(value)
      ? value.map((one) => storedOf(model, field, one))
      : storedOf(model, field, value);
    return { field: fieldOf(model, field), operator, value: stored } as AuthCondition<Model>;
  });
}

function valuesOf(model: AuthModel, data: Loose): Loose {
  const values = Object.entries(data).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    values.map(([field, value]) => [fieldOf(model, field), storedOf(model, field, value)]),
  );
}

function storedOf(model: AuthModel, field: string, value: unknown): unknown {
  if (model === "session" && field === "token") {
    assert(typeof value === "string", "a token is text");
    return hashOfToken(value);
  }
  return value instanceof Date ? value.getTime() : value;
}

/** Null in every field that may be null. */
function emptyOf(model: AuthModel): Loose {
  const optional = Object.entries(AUTH_MODELS[model]).filter(([, type]) => type.endsWith("?"));
  return Object.fromEntries(optional.map(([field]) => [field, null]));
}

function looseOf(model: AuthModel, record: object): Loose {
  const types: Readonly<Record<string, string>> = AUTH_MODELS[model];
  return Object.fromEntries(
    Object.entries(record).map(([field, value]) => [
      field,
      types[field]?.startsWith("time") === true && typeof value === "number" ? new Date(value) : value,
    ]),
  );
}
