// What `causeway signer` prints and refuses, on a real disk without a network.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "@causeway/primitives";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSeat } from "./seat-folder.ts";
import { signerCommand } from "./signer-cli.ts";

let folder: string;
let lines: string[];
const at = (name: string): string => join(folder, name);
const run = (...words: readonly string[]): Promise<void> =>
  signerCommand(words, { env: {}, print: (line) => lines.push(line), nowMs: () => 0 });
const refusal = async (...words: readonly string[]): Promise<Failure> => {
  const error = await run(...words).catch((thrown: unknown) => thrown);
  if (!(error instanceof Failure)) throw new Error("not refused");
  return error;
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "signer-cli-"));
  lines = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("init makes a folder that a signer starts on, and prints public keys alone", async () => {
  writeFileSync(at("passphrase"), "correct horse battery\n");
  const of = ["--data", at("data"), "--keys", at("keys.json")];
  await run("init", ...of, "--passphrase-file", at("passphrase"), "--json");
  openSeat(at("data")).close();
  expect(statSync(at("data")).mode & 0o777).toBe(0o700);
  expect(statSync(at("keys.json")).mode & 0o777).toBe(0o600);
  const keys = JSON.parse(readFileSync(at("keys.json"), "utf8")) as Record<string, string>;
  expect(keys.passphrase).toBe("correct horse battery");
  const told = lines.join("\n");
  for (const secret of Object.values(keys)) expect(told).not.toContain(secret);
  expect(JSON.parse(told)).toMatchObject({ hostKey: expect.stringMatching(/^0[23][0-9a-f]{64}$/) });
});

test("init replaces nothing, and takes the keys that are there", async () => {
  const of = ["--data", at("data"), "--keys", at("keys.json")];
  await run("init", ...of);
  const keys = readFileSync(at("keys.json"), "utf8");
  expect((await refusal("init", ...of)).code).toBe("exists");
  await run("init", "--data", at("other"), "--keys", at("keys.json"));
  expect(readFileSync(at("keys.json"), "utf8")).toBe(keys);
});

test("a secret on the command line is refused and not repeated", async () => {
  for (const words of [
    ["backup", "--passphrase", "hunter2hunter2"],
    ["status", "hunter2hunter2"],
    ["init", "--data", at("data"), "--keys", at("keys.json"), "--passphrase=hunter2hunter2"],
  ]) {
    const { code, message } = await refusal(...words);
    expect(code).toBe("usage");
    expect(message).not.toContain("hunter2");
  }
});

test("a passphrase that is short, of two lines or not there is refused", async () => {
  const of = ["init", "--data", at("data"), "--keys", at("keys.json"), "--passphrase-file"];
  for (const text of ["short\n", "one line that is long\nand another\n", ""]) {
    writeFileSync(at("passphrase"), text);
    expect((await refusal(...of, at("passphrase"))).code).toBe("weak-passphrase");
  }
  expect((await refusal(...of, at("nothing"))).code).toBe("no-file");
});
