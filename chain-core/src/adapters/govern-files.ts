// Flags and files of `causeway govern`. Nothing that exists is overwritten.
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { Failure } from "@causeway/primitives";
import { fileSizeMax } from "../govern/file.ts";
import { options as walletOptions } from "./wallet-terminal.ts";

const own = {
  keys: { type: "string" },
  "guardian-keys": { type: "string" },
  out: { type: "string" },
  epoch: { type: "string" },
  "committee-epoch": { type: "string" },
  sequence: { type: "string" },
  guardian: { type: "string" },
} as const;

/** For node:util's parseArgs: the wallet's and those of proposals. */
export const options: typeof walletOptions & typeof own = { ...walletOptions, ...own };

export type GovernFlags = {
  readonly [Name in keyof typeof options]?: (typeof options)[Name]["type"] extends "string"
    ? string
    : boolean;
};

/** A file that a person named. Throws Failure "no-file" or "bad-file". */
export function readSmall(path: string, sizeMax: number = fileSizeMax): Uint8Array {
  try {
    if (statSync(path).size > sizeMax)
      throw new Failure("bad-file", `${path} is larger than ${sizeMax} bytes`);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure("no-file", `${path} cannot be read`, { cause: error });
  }
}

/** Throws Failure "file-exists", or "no-file" where it cannot be written. */
export function writeNew(path: string, content: string): void {
  try {
    writeFileSync(path, content, { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST")
      throw new Failure(
        "file-exists",
        `${path} exists and is not overwritten: name another by --out`,
      );
    throw new Failure("no-file", `${path} cannot be written`, { cause: error });
  }
}
