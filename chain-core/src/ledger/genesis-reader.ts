// Reads JSON against a strict shape and collects every mistake with its path, so that whoever wrote a file sees
// all of them at once. A reader that found a mistake gives a harmless value of its type and goes on.
import { amountMax, isRejected, parseHex } from "@causeway/primitives";

/** Where we are and what was wrong so far. */
export type Place = { readonly path: string; readonly mistakes: string[] };

export function mistake(place: Place, text: string): void {
  place.mistakes.push(`${place.path}: ${text}`);
}

export function below(place: Place, name: string | number): Place {
  const step = typeof name === "number" ? `[${name}]` : `${place.path === "" ? "" : "."}${name}`;
  return { path: place.path + step, mistakes: place.mistakes };
}

export type Reader<T> = (value: unknown, place: Place) => T;

/** Exactly these fields, no other. */
export function object<T>(fields: { readonly [Name in keyof T]: Reader<T[Name]> }): Reader<T> {
  const names = Object.keys(fields) as (keyof T & string)[];
  return (value, place) => {
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    if (!isObject) mistake(place, "expected an object");
    const given = (isObject ? value : {}) as Record<string, unknown>;
    const out: Partial<T> = {};
    for (const name of names) {
      const at = below(place, name);
      // One mistake for a whole missing object, not one for each field of it.
      if (!isObject) out[name] = fields[name](undefined, { path: at.path, mistakes: [] });
      else if (Object.hasOwn(given, name)) out[name] = fields[name](given[name], at);
      else {
        mistake(at, "is missing");
        out[name] = fields[name](undefined, { path: at.path, mistakes: [] });
      }
    }
    for (const name of Object.keys(given))
      if (!Object.hasOwn(fields, name)) mistake(below(place, name), "is not a field here");
    return out as T;
  };
}

export function list<T>(item: Reader<T>, limits: { min: number; max: number }): Reader<T[]> {
  return (value, place) => {
    if (!Array.isArray(value)) {
      mistake(place, "expected a list");
      return [];
    }
    if (value.length < limits.min || value.length > limits.max)
      mistake(place, `expected ${limits.min} to ${limits.max} entries, got ${value.length}`);
    return value.slice(0, limits.max).map((entry, i) => item(entry, below(place, i)));
  };
}

/** Lower-case or upper-case hex of exactly `size` bytes, with or without 0x. */
export function hex(size: number): Reader<Uint8Array> {
  return (value, place) => {
    const bytes = parseHex(value, { size });
    if (!isRejected(bytes)) return bytes;
    mistake(place, bytes.message);
    return new Uint8Array(size);
  };
}

/** A whole number as JSON's own number. */
export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): Reader<number> {
  return (value, place) => {
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max)
      return value;
    mistake(place, `expected a whole number from ${min} to ${max}, got ${shown(value)}`);
    return min;
  };
}

/** A whole number as a decimal string: JSON's numbers end at 2^53. */
export function decimal(min: bigint, max: bigint = amountMax): Reader<bigint> {
  return (value, place) => {
    if (typeof value === "string" && /^(0|[1-9]\d{0,40})$/.test(value)) {
      const number = BigInt(value);
      if (number >= min && number <= max) return number;
    }
    mistake(place, `expected "${min}" to "${max}" as a decimal string, got ${shown(value)}`);
    return min;
  };
}

export function text(pattern: RegExp, what: string): Reader<string> {
  return (value, place) => {
    if (typeof value === "string" && value.length <= 100 && pattern.test(value)) return value;
    mistake(place, `expected ${what}, got ${shown(value)}`);
    return "";
  };
}

export function oneOf<T extends string>(values: readonly [T, ...T[]]): Reader<T> {
  return (value, place) => {
    const found = values.find((name) => name === value);
    if (found === undefined)
      mistake(place, `expected one of ${values.join(", ")}, got ${shown(value)}`);
    return found ?? values[0];
  };
}

/** A short form of what stands there instead; never the whole of it. */
function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  const json = JSON.stringify(value) ?? typeof value;
  return json.length > 40 ? `${json.slice(0, 40)}...` : json;
}

/** JSON of UTF-8 bytes; undefined, with the mistake noted, for anything else. */
export function readJson(bytes: Uint8Array, place: Place): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    mistake(place, `not JSON: ${(cause as Error).message}`);
    return undefined;
  }
}
