// Files of secrets: JSON with hex fields, readable by their owner alone. No message ever shows what is in them.
import { readFileSync, statSync } from "node:fs";
import { parseHex } from "../bytes.ts";
import { Failure, isRejected } from "../failure.ts";

export type KeyFields = Readonly<Record<string, "required" | "optional" | "list" | "text">>;

/** 32 bytes for a required or optional field, any number of them for a list, a string for a text. */
export type Keys<Fields extends KeyFields> = {
  readonly [Name in keyof Fields]: Fields[Name] extends "text"
    ? string
    : Fields[Name] extends "optional"
      ? Uint8Array | undefined
      : Fields[Name] extends "list"
        ? readonly Uint8Array[]
        : Uint8Array;
};

/**
 * Reads and checks a key file. Throws Failure "bad-keys" with every mistake: unreadable, not of mode 0600, not
 * JSON, a field missing, of wrong form, or unknown.
 */
export function readKeyFile<const Fields extends KeyFields>(
  path: string,
  fields: Fields,
): Keys<Fields> {
  const mistakes: string[] = [];
  return keysIn(readJson(path, mistakes), fields, path, mistakes);
}

/** The same of a key file's bytes that are no file; `what` stands for its name. */
export function parseKeys<const Fields extends KeyFields>(
  bytes: Uint8Array,
  fields: Fields,
  what: string,
): Keys<Fields> {
  const mistakes: string[] = [];
  const json = objectIn(Buffer.from(bytes).toString("utf8"), mistakes);
  return keysIn(json, fields, what, mistakes);
}

function keysIn<const Fields extends KeyFields>(
  json: Record<string, unknown> | undefined,
  fields: Fields,
  path: string,
  mistakes: string[],
): Keys<Fields> {
  const keys: Record<string, Uint8Array | readonly Uint8Array[] | string> = {};
  if (json !== undefined) {
    for (const [name, kind] of Object.entries(fields)) {
      const value = json[name];
      if (kind === "list") {
        const list = listOf(value);
        if (list === undefined) mistakes.push(`${name} is not a list of 32 bytes of hex each`);
        else keys[name] = list;
        continue;
      }
      const parsed = kind === "text" ? value : parseHex(value, { size: 32 });
      if (value === undefined && kind === "optional") continue;
      if (value === undefined) mistakes.push(`${name} is missing`);
      else if (kind === "text" ? typeof value !== "string" || value === "" : isRejected(parsed))
        mistakes.push(`${name} is not ${kind === "text" ? "a text" : "32 bytes of hex"}`);
      else keys[name] = parsed as Uint8Array | string;
    }
    for (const name of Object.keys(json))
      if (!Object.hasOwn(fields, name)) mistakes.push(`${name} does not belong to this process`);
  }
  if (mistakes.length > 0) throw new Failure("bad-keys", `${path}: ${mistakes.join("; ")}`);
  return keys as Keys<Fields>;
}

/** Of a field that may be missing: then there are none. */
function listOf(value: unknown): readonly Uint8Array[] | undefined {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return undefined;
  const parsed = value.map((one: unknown) => parseHex(one, { size: 32 }));
  const good = parsed.filter((one): one is Uint8Array => !isRejected(one));
  return good.length === parsed.length ? good : undefined;
}

function readJson(path: string, mistakes: string[]): Record<string, unknown> | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
    if ((statSync(path).mode & 0o077) !== 0) mistakes.push("others may read it: chmod 600");
  } catch (error) {
    mistakes.push(`cannot be read (${(error as NodeJS.ErrnoException).code})`);
    return undefined;
  }
  return objectIn(text, mistakes);
}

function objectIn(text: string, mistakes: string[]): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === "object" && json !== null && !Array.isArray(json))
      return json as Record<string, unknown>;
  } catch {
    // An error of JSON.parse quotes what it read, which is secret here.
  }
  mistakes.push("is no JSON object");
  return undefined;
}
