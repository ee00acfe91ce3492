// The families of public test vectors, in the folder that CAUSEWAY_VECTORS names; the project knows no other place.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

/** The family's folder, where it is. */
export function familyFolder(family: string): string | undefined {
  const root = process.env.CAUSEWAY_VECTORS;
  const folder = root === undefined ? undefined : join(root, family);
  return folder !== undefined && existsSync(folder) ? folder : undefined;
}

/** The text of every JSON file of the family, by name. */
export function familyFiles(
  family: string,
): readonly { readonly name: string; readonly text: string }[] {
  const folder = familyFolder(family);
  if (folder === undefined) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));
}

/** Prints how many cases of a family are run. Fails when there are none though its folder is there; skips without. */
export function countCases(family: string, count: number): void {
  const present = familyFolder(family) !== undefined;
  console.info(
    present ? `vectors ${family}: ${count} cases` : `vectors ${family}: SKIPPED, no folder`,
  );
  test.skipIf(!present)(`${family}: ${count} cases`, () => {
    expect(count).toBeGreaterThan(0);
  });
}
