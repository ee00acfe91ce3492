// JSON shapes of the RPC: one value reads what came from outside, writes what goes out, and says its JSON schema, so
// that server, client and the OpenRPC document cannot disagree.
import { toHex } from "@causeway/primitives";
import type { Reader } from "../ledger/genesis-reader.ts";
import { below, decimal, hex, integer, list, mistake, oneOf } from "../ledger/genesis-reader.ts";
import { fields, hexMax, optional } from "./wire.ts";

/** JSON Schema (draft 7) as far as we use it. */
export type Schema = { readonly [key: string]: unknown };

export type Shape<T> = {
  readonly read: Reader<T>;
  readonly write: (value: T) => unknown;
  readonly schema: Schema;
};

/** What a shape is of. */
export type Of<S> = S extends Shape<infer T> ? T : never;

const same = <T>(value: T): unknown => value;

/** Exactly `size` bytes as hex without 0x (accepted with it). */
export function bytesOf(size: number): Shape<Uint8Array> {
  const schema = { type: "string", pattern: `^(0x)?[0-9a-fA-F]{${2 * size}}$` };
  return { read: hex(size), write: toHex, schema };
}

/** At most `sizeMax` bytes as hex. */
export function bytesUpTo(sizeMax: number): Shape<Uint8Array> {
  const schema = {
    type: "string",
    pattern: "^(0x)?([0-9a-fA-F]{2})*$",
    maxLength: 2 * sizeMax + 2,
  };
  return { read: hexMax(sizeMax), write: toHex, schema };
}

export function whole(min: number, max: number = Number.MAX_SAFE_INTEGER): Shape<number> {
  return {
    read: integer(min, max),
    write: same,
    schema: { type: "integer", minimum: min, maximum: max },
  };
}

/** An amount in the smallest unit, a decimal string. */
export const amount: Shape<bigint> = {
  read: decimal(0n),
  write: String,
  schema: { type: "string", pattern: "^(0|[1-9][0-9]{0,38})$" },
};

export const flag: Shape<boolean> = {
  read: (value, place) => {
    if (typeof value !== "boolean") mistake(place, "expected true or false");
    return value === true;
  },
  write: same,
  schema: { type: "boolean" },
};

/** Text of at most `lengthMax` characters. */
export function words(lengthMax: number): Shape<string> {
  return {
    read: (value, place) => {
      if (typeof value === "string" && value.length <= lengthMax) return value;
      mistake(place, `expected text of at most ${lengthMax} characters`);
      return "";
    },
    write: same,
    schema: { type: "string", maxLength: lengthMax },
  };
}

export function choice<T extends string>(values: readonly [T, ...T[]]): Shape<T> {
  return { read: oneOf(values), write: same, schema: { type: "string", enum: values } };
}

/** JSON of any form: a document that describes itself. */
export const anything: Shape<unknown> = { read: same, write: same, schema: {} };

export function listOf<T>(item: Shape<T>, max: number, min: number = 0): Shape<readonly T[]> {
  return {
    read: list(item.read, { min, max }),
    write: (value) => value.map(item.write),
    schema: { type: "array", items: item.schema, minItems: min, maxItems: max },
  };
}

/** Absent or null: undefined. */
export function maybe<T>(shape: Shape<T>): Shape<T | undefined> {
  return {
    read: optional(shape.read),
    write: (value) => (value === undefined ? undefined : shape.write(value)),
    schema: { ...shape.schema, nullable: true },
  };
}

/** Null in a list stands for what is not there. */
export function orNull<T>(shape: Shape<T>): Shape<T | undefined> {
  const known = maybe(shape);
  return { ...known, write: (value) => known.write(value) ?? null };
}

/** An object. `open`: a reader skips fields that it does not know, as in the answer of a newer server. */
export function record<T extends object>(
  shapes: { readonly [Name in keyof T]-?: Shape<T[Name]> },
  open: boolean = false,
): Shape<T> {
  const names = Object.keys(shapes) as (keyof T & string)[];
  const readers = Object.fromEntries(names.map((name) => [name, shapes[name].read]));
  return {
    read: fields(readers as { readonly [Name in keyof T]: Reader<T[Name]> }, open),
    write: (value) => {
      const out: Record<string, unknown> = {};
      for (const name of names) {
        const written = shapes[name].write(value[name]);
        if (written !== undefined) out[name] = written;
      }
      return out;
    },
    schema: {
      type: "object",
      properties: Object.fromEntries(names.map((name) => [name, shapes[name].schema])),
      required: names.filter((name) => shapes[name].schema.nullable !== true),
      additionalProperties: open,
    },
  };
}

/** One of several objects, told apart by the text in their field `name`. */
export function tagged<T>(name: string, shapes: Readonly<Record<string, Shape<T>>>): Shape<T> {
  const pick = (value: unknown): Shape<T> | undefined => {
    const tag = (value as Record<string, unknown> | null | undefined)?.[name];
    return typeof tag === "string" && Object.hasOwn(shapes, tag) ? shapes[tag] : undefined;
  };
  return {
    read: (value, place) => {
      const shape = pick(value);
      if (shape !== undefined) return shape.read(value, place);
      mistake(below(place, name), `expected one of ${Object.keys(shapes).join(", ")}`);
      return undefined as T;
    },
    write: (value) => pick(value)?.write(value),
    schema: { oneOf: Object.values(shapes).map(({ schema }) => schema) },
  };
}

/** A method of the RPC. */
export type MethodShape<P, R> = {
  /** One sentence. */
  readonly summary: string;
  readonly params: Shape<P>;
  readonly result: Shape<R>;
};

export function method<P, R>(
  summary: string,
  params: Shape<P>,
  result: Shape<R>,
): MethodShape<P, R> {
  return { summary, params, result };
}
