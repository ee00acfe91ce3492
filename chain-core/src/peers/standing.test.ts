import { expect, it } from "vitest";
import type { Standings } from "./standing.ts";
import { banMs, bannedUntil, blame, scoreMax, shift, standingsMax } from "./standing.ts";

const minute = 60_000;

it("bans at once for rubbish, and for small things only when they come close together", () => {
  const all: Standings = new Map();
  expect(blame(all, "rubbish", scoreMax, 0)).toBe(true);
  expect(bannedUntil(all, "rubbish", 0)).toBe(banMs);
  expect(bannedUntil(all, "rubbish", banMs)).toBeUndefined();
  for (let i = 0; i < 100; i++) expect(blame(all, "clumsy", 20, i * minute)).toBe(false);
  const bans = [0, 1, 2, 3, 4].map((i) => blame(all, "hasty", 20, i * 100));
  expect(bans).toEqual([false, false, false, false, true]);
});

it("bans for twice as long each time, and forgets a ban a day", () => {
  const all: Standings = new Map();
  let at = 0;
  for (const times of [1, 2, 4, 8]) {
    blame(all, "p", scoreMax, at);
    expect(bannedUntil(all, "p", at)).toBe(at + times * banMs);
    at = all.get("p")?.bannedUntil ?? 0;
  }
  at += 3 * 24 * 3_600_000;
  blame(all, "p", scoreMax, at);
  expect(bannedUntil(all, "p", at)).toBe(at + 2 * banMs);
});

it("keeps what it knows when the clock goes back, and a bounded number of peers", () => {
  const all: Standings = new Map();
  blame(all, "p", scoreMax, 1_000_000);
  shift(all, -500_000);
  expect(bannedUntil(all, "p", 500_000)).toBe(500_000 + banMs);
  for (let i = 0; i < standingsMax; i++) blame(all, `x${i}`, 1, 500_000);
  expect(all.size).toBe(standingsMax);
  expect(all.has("p")).toBe(false);
});
