// Proposals and approvals as files: what one person writes, others read and the ledger takes.
import { isRejected, must, toHex, utf8 } from "@causeway/primitives";
import fc from "fast-check";
import { expect, test } from "vitest";
import { committeeOf } from "../ledger/committee.ts";
import { genesisState } from "../ledger/genesis-state.ts";
import { putPending } from "../ledger/governance/changes.ts";
import { memoryState } from "../ledger/memory-state.ts";
import { testBls, testGenesis, testSecret, validatorSecret } from "../ledger/testing.ts";
import type { Signed } from "./approvals.ts";
import {
  combine,
  readAction,
  readSigned,
  signAsGuardian,
  signAsMember,
  writeAction,
  writeSigned,
} from "./approvals.ts";
import {
  chainNamed,
  draftAsset,
  draftPause,
  draftSet,
  draftSlow,
  draftTakeBack,
  draftUpgrade,
  readAsset,
} from "./draft.ts";
import { consequences, objection, powerOf, refusalOf } from "./judge.ts";
import type { Proposal } from "./proposal.ts";
import { readProposal, sentenceOf, writeProposal } from "./proposal.ts";

const genesis = testGenesis(4);
const state = memoryState(genesisState(genesis));
const committee = committeeOf(genesis);
const at = { height: 1, time: genesis.time + 1 };
const { chain } = genesis.bitcoin;
const raise = draftSet(state, {}, "depositMin", 20_000n);
const pause = draftPause(state, {}, "pause", { chain, direction: "out" });
const slow = draftSlow(state, {}, 2);

function done<T>(value: T): Exclude<T, { kind: "rejected" }> {
  if (isRejected(value)) throw new Error(value.message);
  return value as Exclude<T, { kind: "rejected" }>;
}
const member = (of: Proposal, seat: number): Signed =>
  done(signAsMember(genesis, testBls, of, validatorSecret(seat, "attestKey")));
const guardian = (of: Proposal, index: number): Signed =>
  done(signAsGuardian(genesis, of, testSecret(`guardian ${index}`)));
const codeOf = (value: unknown): unknown => (isRejected(value) ? value.code : "ok");
const judged = (of: Proposal, signed: readonly Signed[]): unknown => {
  const { action } = done(combine(genesis, testBls, of, committee, signed));
  return refusalOf(state, genesis, testBls, at, action)?.code ?? "ok";
};

test("a quorum's approvals are one that the ledger takes, fewer are not (GOV-1)", () => {
  expect(sentenceOf(genesis, raise)).toBe("Set depositMin to 20000 in epoch 3");
  expect(objection(state, genesis, testBls, at, raise)).toBeUndefined();
  const signed = [3, 0, 1].map((seat) => member(raise, seat));
  expect(judged(raise, signed)).toBe("ok");
  expect(judged(raise, [...signed, member(raise, 0)])).toBe("ok");
  expect(judged(raise, signed.slice(1))).toBe("no-quorum");
  const { power, total, needed } = powerOf(committee, [0, 1]);
  expect([2n * power, power < needed]).toEqual([total, true]);
  const upgrade = draftUpgrade(state, {}, 2);
  expect(
    judged(
      upgrade,
      [0, 1, 2].map((seat) => member(upgrade, seat)),
    ),
  ).toBe("ok");
});

test("pauses by guardians or by a third of the power, slow mode by its guardian alone (GOV-2)", () => {
  expect(sentenceOf(genesis, pause)).toBe("Pause what goes to Bitcoin");
  for (const of of [pause, slow])
    expect(objection(state, genesis, testBls, at, of)).toBeUndefined();
  expect(
    judged(
      pause,
      [0, 2, 4].map((index) => guardian(pause, index)),
    ),
  ).toBe("ok");
  expect(
    judged(
      pause,
      [0, 2].map((index) => guardian(pause, index)),
    ),
  ).toBe("not-enough");
  expect(
    judged(
      pause,
      [1, 2].map((seat) => member(pause, seat)),
    ),
  ).toBe("ok");
  expect(judged(pause, [member(pause, 1)])).toBe("no-quorum");
  expect(judged(slow, [guardian(slow, 2)])).toBe("ok");
  const one = testSecret("guardian 0");
  expect(codeOf(signAsGuardian(genesis, raise, one))).toBe("not-asked");
  expect(codeOf(signAsMember(genesis, testBls, slow, one))).toBe("not-asked");
});

test("what does not belong together is refused with its code", () => {
  const one = member(raise, 0);
  const refused = (all: readonly Signed[]): unknown =>
    codeOf(combine(genesis, testBls, raise, committee, all));
  expect(refused([])).toBe("mixed");
  expect(refused([one, guardian(pause, 0)])).toBe("mixed");
  expect(refused([member({ ...raise, sequence: 1 }, 0)])).toBe("other-proposal");
  expect(refused([{ ...one, key: testBls.publicKey(testSecret("stranger")) }])).toBe("stranger");
  expect(refused([{ ...one, signature: member(pause, 0).signature }])).toBe("bad-signature");
  const wrong = { ...guardian(pause, 0), signature: guardian(pause, 1).signature };
  expect(codeOf(combine(genesis, testBls, pause, committee, [wrong]))).toBe("bad-signature");
});

test("files come back as they were, and say nothing but what their bytes mean", () => {
  for (const of of [raise, pause, slow, draftUpgrade(state, {}, 2)])
    expect(readProposal(genesis, utf8(writeProposal(genesis, of)))).toEqual(of);
  const text = writeProposal(genesis, raise);
  const lie = text.replace("Set depositMin to 20000", "Set depositMin to 10000");
  expect(codeOf(readProposal(genesis, utf8(lie)))).toBe("wrong-text");
  const moved = text.replace(
    toHex(raise.subject),
    toHex(draftSet(state, {}, "depositMin", 1n).subject),
  );
  expect(codeOf(readProposal(genesis, utf8(moved)))).toBe("wrong-text");
  expect(codeOf(readProposal(testGenesis(5), utf8(text)))).toBe("wrong-network");
  const unnamed = writeProposal(genesis, slow).replace('"guardian": 2,', "");
  expect(codeOf(readProposal(genesis, utf8(unnamed)))).toBe("bad-file");
  const signed = member(raise, 1);
  expect(readSigned(genesis, utf8(writeSigned(genesis, signed)))).toEqual(signed);
  const { action } = done(combine(genesis, testBls, raise, committee, [signed]));
  expect(readAction(genesis, utf8(writeAction(genesis, action, "text")))).toEqual(action);
  expect(codeOf(readAction(genesis, utf8(writeAction(genesis, { ...action, kind: 1 }, ""))))).toBe(
    "bad-file",
  );
});

test("no bytes of a file throw", () => {
  const good = [
    writeProposal(genesis, slow),
    writeSigned(genesis, member(raise, 0)),
    writeAction(
      genesis,
      done(combine(genesis, testBls, raise, committee, [member(raise, 0)])).action,
      "",
    ),
  ];
  const cut = fc
    .tuple(fc.constantFrom(...good), fc.nat(600), fc.nat(20), fc.string())
    .map(([text, from, count, other]) =>
      utf8(text.slice(0, from) + other + text.slice(from + count)),
    );
  fc.assert(
    fc.property(fc.oneof(cut, fc.uint8Array(), fc.json().map(utf8)), (bytes) => {
      for (const read of [readProposal, readSigned, readAction]) {
        const value = read(genesis, bytes);
        if (isRejected(value)) expect(value.message.length).toBeGreaterThan(5);
      }
    }),
    { numRuns: 500 },
  );
});

test("a reader is told the value now, and that what loosens waits", () => {
  expect(consequences(state, genesis, raise)).toEqual([
    "the running epoch is 0",
    `depositMin is ${genesis.params.depositMin} now`,
  ]);
  const lower = draftSet(state, {}, "depositMin", 1n);
  expect(consequences(state, genesis, lower).at(-1)).toMatch(/loosens.*waits/);
  const soon = draftSet(state, { epoch: 1 }, "depositMin", 1n);
  expect(objection(state, genesis, testBls, at, soon)?.code).toBe("bad-epoch");
  const odd = draftSet(state, {}, "colour", 1n);
  expect(objection(state, genesis, testBls, at, odd)?.code).toBe("unknown-parameter");
  const late = { ...raise, sequence: 1 };
  expect(objection(state, genesis, testBls, at, late)?.code).toBe("wrong-sequence");
});

test("what waits can be taken back, by the same sequence of approvals", () => {
  const world = memoryState(genesisState(genesis));
  const back = draftTakeBack(world, {}, "depositMin");
  expect(objection(world, genesis, testBls, at, back)?.code).toBe("bad-value");
  const key = utf8("depositMin");
  putPending(world, { key, value: new Uint8Array(16), epoch: 3, notBefore: 0 });
  expect(sentenceOf(genesis, back)).toBe("Take back the pending change of depositMin");
  expect(objection(world, genesis, testBls, at, back)).toBeUndefined();
});

test("an asset is written as in the genesis, with chains by name", () => {
  const evm = must(genesis.evm[0], "chain");
  const json = {
    symbol: "NEW",
    decimals: 8,
    chain: `evm:${evm.chainId}`,
    token: "05".repeat(20),
    exports: [],
    price: { btm: "0", units: "1" },
  };
  const { symbol, asset } = done(readAsset(genesis, json));
  expect(asset.chain).toEqual(evm.chain);
  const add = draftAsset(state, {}, symbol, asset);
  expect(objection(state, genesis, testBls, at, add)).toBeUndefined();
  expect(codeOf(readAsset(genesis, { ...json, chain: "dogecoin" }))).toBe("unknown-chain");
  const several = readAsset(genesis, { ...json, decimals: "8", colour: 1 });
  expect(isRejected(several) && several.message).toMatch(/decimals.*colour/);
  expect(chainNamed(genesis, "Bitcoin")).toEqual(chain);
});
