import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testClock } from "@causeway/primitives/testing";
import { afterAll, expect, test } from "vitest";
import { readSignerHealth } from "./signer-health.ts";

const folder = mkdtempSync(join(tmpdir(), "signer-health-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, "health.json");
const clock = testClock();
const look = () => readSignerHealth(path, clock);

test("a signer is as it says, as long as it says it", async () => {
  expect(await look()).toMatchObject({ ok: false, message: "the signer has not reported" });
  const up = { ok: true, since: 1, message: "up" };
  const report = { ok: true, at: clock.nowMs(), pid: 1, parts: { bus: up } };
  writeFileSync(path, JSON.stringify(report));
  expect(await look()).toMatchObject({ ok: true, message: "up" });
  const down = { ok: false, since: 1, message: "unreachable" };
  writeFileSync(path, JSON.stringify({ ...report, ok: false, parts: { bitcoin: down, bus: up } }));
  expect(await look()).toMatchObject({ ok: false, message: "bitcoin: unreachable" });
  clock.advance(11_000);
  expect(await look()).toMatchObject({ ok: false, message: "the signer does not report any more" });
});

test("a broken report is no report", async () => {
  for (const text of ["", "{", "null", "[]", '{"at":"soon","ok":true}']) {
    writeFileSync(path, text);
    expect((await look()).ok).toBe(false);
  }
});
