// What a wrong key file is told, and what it never shows.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readKeyFile } from "./key-file.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "keys-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const fields = { consensus: "optional", peer: "required", passphrase: "text" } as const;
const hex = "5e".repeat(32);

function read(
  content: unknown,
  mode: number = 0o600,
): ReturnType<typeof readKeyFile<typeof fields>> {
  const path = join(folder, "keys.json");
  rmSync(path, { force: true });
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  chmodSync(path, mode);
  return readKeyFile(path, fields);
}

test("a good file gives bytes and texts", () => {
  const keys = read({ peer: hex, passphrase: "open sesame" });
  expect(keys.peer).toEqual(new Uint8Array(32).fill(0x5e));
  expect(keys).toMatchObject({ passphrase: "open sesame" });
  expect(keys.consensus).toBeUndefined();
});

test("a list may be missing, and each of it is 32 bytes", () => {
  const path = join(folder, "list.json");
  const readList = (content: unknown): readonly Uint8Array[] => {
    writeFileSync(path, JSON.stringify(content), { mode: 0o600 });
    return readKeyFile(path, { older: "list" }).older;
  };
  expect(readList({})).toEqual([]);
  expect(readList({ older: [hex, hex] })).toEqual([5, 6].map(() => new Uint8Array(32).fill(0x5e)));
  for (const older of [hex, [hex, "00"], [7], {}, null])
    expect(() => readList({ older })).toThrow(/older is not a list of 32 bytes of hex each$/);
});

test("all mistakes come at once and none shows a secret", () => {
  const wrong = { consensus: `${hex}00`, passphrase: 7, relay: hex };
  expect(() => read(wrong, 0o644)).toThrow(
    /others may read it: chmod 600; consensus is not 32 bytes of hex; peer is missing; passphrase is not a text; relay does not belong to this process$/,
  );
  for (const content of [wrong, `{"peer": "${hex}"`, [hex], "null"])
    try {
      read(content);
      expect.unreachable();
    } catch (error) {
      expect((error as Error).message).not.toContain("5e5e");
      expect(error).toMatchObject({ code: "bad-keys" });
    }
  expect(() => readKeyFile(join(folder, "none"), fields)).toThrow(/cannot be read \(ENOENT\)/);
});
