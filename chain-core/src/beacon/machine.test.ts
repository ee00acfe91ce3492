import type { NetworkId } from "@causeway/primitives";
import { bytes32, isRejected, sha256, utf8 } from "@causeway/primitives";
import { describe, expect, test } from "vitest";
import { createBls } from "../adapters/bls.ts";
import { contributionCodec, judge, segmentCodec } from "./contribution.ts";
import { beaconField, decodeElement } from "./field.ts";
import type { Effect, Env, Facts, Job, State } from "./machine.ts";
import { initial, step } from "./machine.ts";
import type { Search } from "./seqpow.ts";
import { search, stepsMaxOf } from "./seqpow.ts";
import { advance } from "./sloth.ts";

const bls = createBls();
const secretKey = sha256(utf8("secret")).fill(0, 0, 1);
const network = sha256(utf8("network")) as Uint8Array as NetworkId;
const env: Env = { network, bls, secretKey, resubmitMs: 1_000 };
const seed = sha256(utf8("a seed whose solution takes several tries"));
const difficulty = 4_096;
const window = { kind: "window", difficulty, contributed: false } as const;
const facts: Facts = { now: 10, epoch: 4, seed, seat: 2, stage: window };
const delay = { steps: 100, next: 3, end: 77n };

/** A machine with its worker, whose journal is in memory. */
function validator(of: Env = env, record?: Uint8Array) {
  let state: State = initial(of, record);
  const seen = { journal: record, job: undefined as Job | undefined, submitted: [] as Effect[] };
  const run = (event: Parameters<typeof step>[1]): readonly Effect[] => {
    const [next, effects] = step(state, event);
    state = next;
    for (const effect of effects)
      if (effect.kind === "work") seen.job = effect.job;
      else if (effect.kind === "rest") seen.job = undefined;
      else if (effect.kind === "journal") seen.journal = effect.record;
      else seen.submitted.push(effect);
    return effects;
  };
  const learn = (change: Partial<Facts> = {}) =>
    run({ kind: "facts", facts: { ...facts, ...change } });
  const report = (job: Job, at: Search) => run({ kind: "walked", id: job.id, ...at });
  return { seen, learn, report };
}
function finish(job: Job): Search {
  if (job.kind === "solve") return search(job.puzzle, job.from, 10_000);
  return { status: "solved", walk: advance(beaconField, job.from, job.until - job.from.index) };
}
function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("missing");
  return value;
}
const kindsOf = (effects: readonly Effect[]) => effects.map(({ kind }) => kind);

describe("the machine of a validator's beacon (BCN-2, BCN-3)", () => {
  test("solves its puzzle and contributes what the ledger accepts", () => {
    const { seen, learn, report } = validator();
    expect(kindsOf(learn())).toEqual(["work"]);
    const job = must(seen.job);
    expect(kindsOf(report(job, finish(job)))).toEqual(["journal", "submit"]);
    const body = (seen.submitted[0] as Effect & { kind: "submit" }).body;
    const contribution = contributionCodec.parse(body);
    if (isRejected(contribution)) throw new Error(contribution.message);
    const terms = { consensusKey: bls.publicKey(secretKey), difficulty };
    const round = { network, epoch: 4, seed };
    expect(judge(bls, { kind: "contribution", round, terms, contribution })).toBe(true);
    expect(contribution.seat).toBe(2);
  });

  test("submits again until the ledger shows the contribution, then rests", () => {
    const { seen, learn, report } = validator();
    learn();
    const job = must(seen.job);
    report(job, finish(job));
    expect(kindsOf(learn({ now: 1_009 }))).toEqual([]);
    expect(kindsOf(learn({ now: 1_010 }))).toEqual(["submit"]);
    expect(kindsOf(learn({ now: 1_011 }))).toEqual([]);
    expect(kindsOf(learn({ now: 1_012, stage: { ...window, contributed: true } }))).toEqual([
      "rest",
    ]);
    expect(kindsOf(learn({ now: 9_999, stage: { ...window, contributed: true } }))).toEqual([]);
  });

  test("walks its segment when its turn comes, and posts what the ledger accepts", () => {
    const { seen, learn, report } = validator();
    const stage = { kind: "delay", delay, turnAt: 500 } as const;
    expect(kindsOf(learn({ now: 499, stage }))).toEqual([]);
    expect(kindsOf(learn({ now: 500, stage }))).toEqual(["work"]);
    const job = must(seen.job);
    expect(job.from).toEqual({ index: 300, value: 77n });
    expect(kindsOf(report(job, finish(job)))).toEqual(["journal", "submit"]);
    const posted = segmentCodec.decode((seen.submitted[0] as Effect & { kind: "submit" }).body);
    expect(judge(bls, { kind: "segment", round: { network, epoch: 4, seed }, delay, posted })).toBe(
      true,
    );
    // Somebody else's came first: the next one's turn is later.
    const end = must(decodeElement(beaconField, posted.end));
    const after = { kind: "delay", delay: { steps: 100, next: 4, end }, turnAt: 900 } as const;
    expect(kindsOf(learn({ now: 501, stage: after }))).toEqual(["rest"]);
    expect(kindsOf(learn({ now: 900, stage: after }))).toEqual(["work"]);
  });

  test("a restart goes on where the journal says", () => {
    const first = validator();
    first.learn();
    const job = must(first.seen.job) as Job & { kind: "solve" };
    const solved = finish(job);
    expect(solved.walk.index).toBeGreaterThan(256);
    const half = search(job.puzzle, job.from, 1);
    expect(kindsOf(first.report(job, half))).toEqual(["journal"]);

    const second = validator(env, first.seen.journal);
    second.learn();
    expect(second.seen.job?.from).toEqual(half.walk);
    expect(finish(must(second.seen.job))).toEqual(solved);
    second.report(must(second.seen.job), solved);

    const third = validator(env, second.seen.journal);
    expect(kindsOf(third.learn())).toEqual(["submit"]);
    expect(third.seen.submitted).toEqual(second.seen.submitted);
  });

  test("progress of another epoch, seed or segment, and foreign bytes, are not gone on from", () => {
    const first = validator();
    first.learn();
    const job = must(first.seen.job) as Job & { kind: "solve" };
    first.report(job, search(job.puzzle, job.from, 1));
    const other = bytes32(new Uint8Array(32).fill(1));
    for (const change of [
      { epoch: 5 },
      { seed: other },
      { stage: { ...window, difficulty: 4_352 } },
    ]) {
      const { seen, learn } = validator(env, first.seen.journal);
      learn(change);
      expect(seen.job?.from.index).toBe(0);
    }
    const { seen, learn } = validator(env, new Uint8Array(107).fill(255));
    learn();
    expect(seen.job?.from.index).toBe(0);
  });

  test("reports of a replaced job, and a second end, change nothing", () => {
    const { seen, learn, report } = validator();
    learn();
    const job = must(seen.job);
    const solved = finish(job);
    learn({ epoch: 5 });
    expect(report(job, solved)).toEqual([]);
    learn();
    report(job, solved);
    expect(report(job, solved)).toEqual([]);
  });

  test("who finds nothing stays silent until the next epoch", () => {
    const { seen, learn, report } = validator();
    learn();
    const walk = { index: stepsMaxOf(difficulty), value: 1n };
    expect(kindsOf(report(must(seen.job), { status: "exhausted", walk }))).toEqual(["journal"]);
    expect(kindsOf(learn({ now: 99_999 }))).toEqual([]);
    expect(kindsOf(learn({ now: 99_999, epoch: 5 }))).toEqual(["work"]);
  });

  test("without a seat, a key or a stage there is nothing to do", () => {
    const { now, epoch, stage } = facts;
    const seatless = validator();
    expect(step(initial(env), { kind: "facts", facts: { now, epoch, seed, stage } })[1]).toEqual(
      [],
    );
    expect(seatless.learn({ stage: { kind: "closed" } })).toEqual([]);
    expect(validator({ network, bls, resubmitMs: 1 }).learn()).toEqual([]);
  });
});
