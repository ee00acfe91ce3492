// The example of the README, taken out of it and run as it stands there.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { must, seeded } from "@causeway/primitives";
import { schnorr } from "@noble/curves/secp256k1.js";
import { afterAll, expect, test } from "vitest";
import type { Group } from "./signers.ts";
import { generateRing } from "./testing.ts";

const folder = import.meta.dirname;
const file = join(folder, `readme-example-${process.pid}.mjs`);

afterAll(() => rmSync(file, { force: true }));

test("the README's example signs", async () => {
  const readme = readFileSync(join(folder, "README.md"), "utf8");
  writeFileSync(file, must(/```ts\n([\s\S]*?)```/.exec(readme)?.[1], "example"));
  const { signTogether } = (await import(file)) as {
    readonly signTogether: (
      group: Group,
      secrets: readonly Uint8Array[],
      seats: readonly number[],
      message: Uint8Array,
    ) => Uint8Array;
  };
  const { group, shares } = generateRing(4, 3, seeded(1));
  const message = new TextEncoder().encode("any message");
  const signature = signTogether(group, shares, [0, 2, 3], message);
  expect(schnorr.verify(signature, message, group.thresholdPoint.slice(1))).toBe(true);
});
