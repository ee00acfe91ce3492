// Validators' machines run the beacon of an epoch on a chain of real blocks, and what takes long to judge is judged
// before a block needs it.
import type { Bls } from "@causeway/primitives";
import { bytes32, keyOf, must, rejected } from "@causeway/primitives";
import { expect, test } from "vitest";
import type { Claim } from "../../beacon/contribution.ts";
import { claimId, contributionCodec, judge, segmentCodec } from "../../beacon/contribution.ts";
import { beaconField } from "../../beacon/field.ts";
import type { Effect, Event, Job, State } from "../../beacon/machine.ts";
import { initial, step } from "../../beacon/machine.ts";
import { nextSeed } from "../../beacon/output.ts";
import { search } from "../../beacon/seqpow.ts";
import { advance } from "../../beacon/sloth.ts";
import type { Transcript } from "../../beacon/transcript.ts";
import { replayTranscript, seedAfter } from "../../beacon/transcript.ts";
import type { Action } from "../../codec/action.ts";
import { kinds } from "../../codec/action.ts";
import { roles, transactionCodec } from "../../codec/transaction.ts";
import { ledgerEnv } from "../env.ts";
import { committeeAt, epochOf } from "../epoch/epochs.ts";
import { extend, testChain, tryBlock } from "../epoch/testing.ts";
import { signEnvelope } from "../sign.ts";
import { testBls, testGenesis, validatorSecret } from "../testing.ts";
import { openClaim } from "./ahead.ts";
import { factsOf } from "./facts.ts";
import { outputs, proposerOrder, roundOf, seeded } from "./round.ts";

const genesis = testGenesis(4, {
  epochMs: 60_000,
  beaconWindowMs: 2_000,
  beaconDifficulty: 512,
  beaconSegments: 3,
  beaconSegmentSteps: 300,
  beaconTurnMs: 1_000,
});

function finish(job: Job): Event {
  const { id, from } = job;
  if (job.kind === "solve") return { kind: "walked", id, ...search(job.puzzle, from, 10_000) };
  const walk = advance(beaconField, from, job.until - from.index);
  return { kind: "walked", id, status: "solved", walk };
}

/** `counted`: signatures in contributions that the ledger verified. */
function createWorld() {
  const counted = { signatures: 0 };
  const bls: Bls = {
    ...testBls,
    verify: (...args) => {
      counted.signatures += 1;
      return testBls.verify(...args);
    },
  };
  const chain = { ...testChain(genesis), env: ledgerEnv(genesis, bls) };
  const machines: State[] = genesis.validators.map((_, place) => {
    const secretKey = validatorSecret(place, "consensusKey");
    const { networkId } = genesis;
    return initial({ network: networkId, bls: testBls, secretKey, resubmitMs: 5_000 });
  });
  const sequences = genesis.validators.map(() => 0);
  const run = (place: number, event: Event): Uint8Array[] => {
    const [next, effects] = step(must(machines[place], "machine"), event);
    machines[place] = next;
    return effects.flatMap((effect: Effect) => {
      if (effect.kind === "work") return run(place, finish(effect.job));
      if (effect.kind !== "submit") return [];
      const action = { kind: kinds[effect.what], body: effect.body };
      const { owner: validator } = must(genesis.validators[place], "validator");
      const sequence = must(sequences[place], "sequence") + 1;
      sequences[place] = sequence;
      const from = { validator, role: roles.relay, sequence };
      const secret = validatorSecret(place, "relayKey");
      const tx = signEnvelope(genesis, from, chain.time + 60_000, [action], secret);
      return [transactionCodec.encode(tx)];
    });
  };
  /** What the validators bring after the newest block. */
  const bring = (): Uint8Array[] =>
    genesis.validators.flatMap(({ consensusKey }, place) =>
      run(place, {
        kind: "facts",
        facts: factsOf(chain.state, genesis, chain.time, consensusKey),
      }),
    );
  const next = { height: 0, time: 0 };
  const claimIn = (bytes: Uint8Array): Claim | undefined => {
    Object.assign(next, { height: chain.height + 1, time: chain.time + 500 });
    return openClaim(chain.env, chain.state, next, bytes);
  };
  return { chain, bring, claimIn, counted };
}

test("machines of four validators make an output that orders the epoch after the next", () => {
  const { chain, bring } = createWorld();
  const { state } = chain;
  const brought: Action[] = [];
  while (outputs.get(state, 0) === undefined) {
    const transactions = bring();
    brought.push(...transactions.flatMap((bytes) => transactionCodec.decode(bytes).actions));
    extend(chain, { transactions });
    expect(chain.height).toBeLessThan(20);
  }
  expect(roundOf(state).solved.map(({ seat }) => seat)).toEqual([0, 1, 2, 3]);
  const output = bytes32(must(outputs.get(state, 0), "output").output);
  const bodies = (kind: number): Uint8Array[] =>
    brought.flatMap((action) => (action.kind === kind ? [action.body] : []));
  const transcript: Transcript = {
    round: { network: genesis.networkId, epoch: 0, seed: seedAfter(genesis.networkId, []) },
    consensusKeys: genesis.validators.map(({ consensusKey }) => consensusKey),
    difficulty: genesis.params.beaconDifficulty,
    segments: genesis.params.beaconSegments,
    segmentSteps: genesis.params.beaconSegmentSteps,
    contributions: bodies(kinds.contribution).map((body) => contributionCodec.decode(body)),
    posted: bodies(kinds.segment).map((body) => segmentCodec.decode(body)),
  };
  expect(replayTranscript(testBls, transcript)).toEqual(output);
  const { contributions, posted } = transcript;
  for (const [change, code] of [
    [{ posted: posted.slice(1) }, "incomplete"],
    [{ contributions: contributions.slice(1) }, "wrong-walk"],
    [{ contributions: [...contributions, ...contributions.slice(0, 1)] }, "bad-seat"],
    [{ consensusKeys: transcript.consensusKeys.toReversed() }, "bad-share"],
  ] as const)
    expect(replayTranscript(testBls, { ...transcript, ...change })).toMatchObject({ code });
  const seed = nextSeed(seeded(genesis, roundOf(state)), output);
  while (epochOf(state).number < 1) extend(chain, { stepMs: 60_000 });
  expect(roundOf(state).seed).toEqual(seed);
  expect(seedAfter(genesis.networkId, [output])).toEqual(seed);
  const members = (epoch: number): string[] =>
    must(committeeAt(state, epoch), "committee").members.map(({ validator }) => keyOf(validator));
  const order = proposerOrder(state, genesis, 2, 4);
  expect(members(2)).toEqual(order.map((place) => members(1)[place]));
});

test("what was judged ahead is not judged again by the block, and a false one stays false", () => {
  const { chain, bring, claimIn, counted } = createWorld();
  const [first, second] = bring() as [Uint8Array, Uint8Array];
  const before = counted.signatures;
  const claim = must(claimIn(first), "claim");
  expect(counted.signatures).toBe(before);
  chain.env.verdicts?.set(keyOf(claimId(claim)), judge(testBls, claim));
  expect(claimIn(first)).toBeUndefined();
  expect(tryBlock(chain, { transactions: [first] })).toHaveProperty("puts");
  expect(counted.signatures).toBe(before);
  // Nobody judged the other: the block does it, once.
  expect(tryBlock(chain, { transactions: [second] })).toHaveProperty("puts");
  expect(tryBlock(chain, { transactions: [second] })).toHaveProperty("puts");
  expect(counted.signatures).toBe(before + 1);
  // What was found false is refused without another look.
  chain.env.verdicts?.set(keyOf(claimId(claim)), rejected("wrong-walk", "found so"));
  const refused = tryBlock(chain, { transactions: [first] });
  expect(refused).toMatchObject({ message: expect.stringContaining("found so") });
});

test("nobody but a validator makes a node judge", () => {
  const { chain, bring, claimIn } = createWorld();
  const [bytes] = bring() as [Uint8Array];
  expect(claimIn(bytes)).toBeDefined();
  const forged = transactionCodec.decode(bytes);
  const witness = must(forged.witnesses[0], "witness").slice();
  witness[3] = (witness[3] ?? 0) ^ 1;
  expect(claimIn(transactionCodec.encode({ ...forged, witnesses: [witness] }))).toBeUndefined();
  // Late: the window is over.
  while (roundOf(chain.state).stage === 0) extend(chain);
  expect(claimIn(bytes)).toBeUndefined();
});
