import { sha256 } from "@causeway/primitives";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { GuardStep, Request } from "./guard.ts";
import { authorize, guard, remember } from "./guard.ts";

const request = (height: number, round: number, step: GuardStep, what: number): Request => ({
  height,
  round,
  step,
  digest: sha256(Uint8Array.of(what)),
});

const requests = fc.array(
  fc
    .tuple(
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 0, max: 3 }),
      fc.constantFrom<GuardStep>(0, 1, 2),
      fc.integer({ min: 0, max: 2 }),
    )
    .map((of) => request(...of)),
  { maxLength: 60 },
);

describe("the vote guard", () => {
  it("never allows two different things for one height, round and step", () => {
    fc.assert(
      fc.property(requests, fc.integer({ min: 0, max: 60 }), (asked, crashAt) => {
        const signed = new Map<string, string>();
        const journal: Request[] = [];
        let state = guard();
        for (const [i, one] of asked.entries()) {
          if (i === crashAt) {
            state = guard();
            for (const kept of journal) remember(state, kept, kept.digest);
          }
          const answer = authorize(state, one);
          if (answer !== "new") continue;
          journal.push(one);
          remember(state, one, one.digest);
          const slot = `${one.height}/${one.round}/${one.step}`;
          expect(signed.get(slot)).toBeUndefined();
          signed.set(slot, one.digest.join());
        }
      }),
    );
  });

  it("gives the remembered signature to a repeated request, also after replay", () => {
    const first = request(1, 0, 1, 1);
    for (const state of [guard(), guard()]) {
      remember(state, first, Uint8Array.of(42));
      remember(state, request(1, 1, 0, 5), Uint8Array.of(43));
      expect(authorize(state, first)).toEqual(Uint8Array.of(42));
      expect(authorize(state, request(1, 0, 1, 2))).toBe("refused");
    }
  });

  it("refuses what lies before the newest signature, by height, round or step", () => {
    const state = guard();
    remember(state, request(5, 2, 1, 1), new Uint8Array(1));
    const old = [request(4, 9, 2, 1), request(5, 1, 2, 1), request(5, 2, 0, 1)];
    for (const one of old) expect(authorize(state, one)).toBe("refused");
    const later = [request(5, 2, 2, 1), request(5, 3, 0, 1), request(6, 0, 0, 1)];
    for (const one of later) expect(authorize(state, one)).toBe("new");
  });
});
