// Whole key generations on a ledger of four, by deals that a dealer in this file makes.
import { bigEndian, concat, fromHex, keyOf, must, sha256, zero32 } from "@causeway/primitives";
import { negate, publicPoint, scalarBytes, sum } from "@causeway/primitives/secp256k1";
import { describe, expect, test } from "vitest";
import { kinds } from "../../codec/action.ts";
import type { Plan } from "../../interchain/records.ts";
import { listNames, lists, plans } from "../../interchain/records.ts";
import type { CeremonyParams, Complaint, Confirm, Deal } from "../../ring/index.ts";
import { complaintCodec, confirmCodec, dealCodec } from "../../ring/index.ts";
import { ceremonies, ceremonyStages, currentKeys, deals, keys } from "../../ring/records.ts";
import { reservedSize } from "../block-limits.ts";
import { validatorStatus, validators } from "../epoch/validators.ts";
import { genesisState } from "../genesis-state.ts";
import { memoryState } from "../memory-state.ts";
import { causes, slashesOf } from "../staking/punish.ts";
import { testGenesis } from "../testing.ts";
import { complaints, lies } from "./complaint-records.ts";
import {
  blocks,
  ceremony,
  complaintOf,
  confirmation,
  dealFrom,
  endOfBlock,
  paramsIn,
  ringWorld,
  send,
  sendCanary as sendCanaryOf,
  sendComplaint as sendComplaintOf,
  sendConfirm as sendConfirmOf,
  sendDeal as sendDealOf,
  shareOf as shareIn,
} from "./testing.ts";

const n = 4;
const genesis = testGenesis(n);
const keyId = 1;

/** What the tests below look at, of key 1. */
function ledger() {
  const world = ringWorld(genesis);
  world.time += 60_000;
  const { state } = world;
  return {
    world,
    state,
    plans: (): Plan[] =>
      (lists.get(state, listNames.plans)?.ids ?? []).map((id) =>
        must(plans.get(state, id), "plan"),
      ),
    endBlock: (freeSize = 0) => endOfBlock(world, 500, freeSize),
    ceremony: () => ceremony(world, keyId),
    isHurried: () => world.isHurried,
    send: (seat: number, kind: number, body: Uint8Array, from = seat) =>
      send(world, from, kind, body),
    blocks: (count: number) => blocks(world, count),
  };
}
type Ledger = ReturnType<typeof ledger>;

const params = (on: Ledger): CeremonyParams => paramsIn(on.world, on.ceremony());
const deal = (
  on: Ledger,
  of: CeremonyParams,
  seat: number,
  wrongFor?: number,
  second?: Uint8Array,
) => dealFrom(on.world, of, seat, { wrongFor, second });
const sendDeal = (on: Ledger, seat: number, wrongFor?: number) =>
  sendDealOf(on.world, keyId, seat, { wrongFor });
const sendConfirm = (on: Ledger, seat: number) => sendConfirmOf(on.world, keyId, seat);
const sendComplaint = (on: Ledger, seat: number, dealer: number) =>
  sendComplaintOf(on.world, keyId, { seat, dealer });
const sendCanary = (on: Ledger, seats: readonly number[]) => sendCanaryOf(on.world, keyId, seats);
const shareOf = (on: Ledger, seat: number) => shareIn(on.world, on.ceremony(), seat);
const ownerOf = (place: number) => must(genesis.validators[place], "validator").owner;
const statusOf = (on: Ledger, place: number) => validators.get(on.state, ownerOf(place))?.status;

/** Blocks of a window that ends by time: 12 for the count, and more than 5 s. */
const windowBlocks = 3 * n + 1;

describe("blame (RNG-3)", () => {
  const guilty = { cause: causes.ring, bps: genesis.params.ringSlashBps, epoch: 0 };

  test("costs a dealer stake and service, once an epoch, and nobody else anything", () => {
    const on = ledger();
    on.endBlock();
    for (const seat of [0, 1, 2, 3]) sendDeal(on, seat, seat === 1 ? 2 : undefined);
    on.endBlock();
    expect(sendComplaint(on, 2, 1)).toBe("ok");
    expect(slashesOf(on.state, ownerOf(1))).toMatchObject([guilty]);
    expect(statusOf(on, 1)).toBe(validatorStatus.jailed);
    expect(complaints.get(on.state, { keyId, attempt: 0, dealer: 1 })).toBeDefined();
    expect(sendComplaint(on, 2, 1)).toBe("no-such-deal");
    for (const place of [0, 2, 3]) {
      expect(slashesOf(on.state, ownerOf(place))).toEqual([]);
      expect(statusOf(on, place)).toBe(validatorStatus.active);
    }
    // Its second deal of the epoch is as wrong, and voided, and costs no more.
    const evm = (seat: number) => sendDealOf(on.world, 2, seat, seat === 1 ? { wrongFor: 3 } : {});
    for (const seat of [0, 1, 2, 3]) expect(evm(seat)).toBe("ok");
    on.endBlock();
    expect(sendComplaintOf(on.world, 2, { seat: 3, dealer: 1 })).toBe("ok");
    expect(slashesOf(on.state, ownerOf(1))).toHaveLength(1);
  });

  test("costs the complainer who lies the same, and leaves deal and confirmations", () => {
    const on = ledger();
    on.endBlock();
    for (const seat of [0, 1, 2, 3]) sendDeal(on, seat);
    on.endBlock();
    expect(sendConfirm(on, 0)).toBe("ok");
    // Another's complaint cannot be made without its host secret: the bystander is not framed.
    const framed = { ...complaintOf(on.world, keyId, { seat: 3, dealer: 1 }), seat: 2 };
    expect(on.send(2, kinds.complaint, complaintCodec.encode(framed))).toBe("bad-proof");
    expect(on.send(3, kinds.complaint, complaintCodec.encode(framed))).toBe("wrong-seat");
    const before = on.ceremony();
    expect(sendComplaint(on, 3, 1)).toBe("ok");
    expect(on.ceremony()).toEqual(before);
    expect(slashesOf(on.state, ownerOf(3))).toMatchObject([guilty]);
    expect(statusOf(on, 3)).toBe(validatorStatus.jailed);
    expect(lies.get(on.state, { keyId, attempt: 0, seat: 3 })).toBeDefined();
    expect(sendComplaint(on, 3, 0)).toBe("known-lie");
    for (const place of [0, 1, 2]) expect(slashesOf(on.state, ownerOf(place))).toEqual([]);
    for (const seat of [1, 2, 3]) expect(sendConfirm(on, seat)).toBe("ok");
    on.endBlock();
    expect(sendCanary(on, [0, 1, 2])).toBe("ok");
    expect(keys.get(on.state, keyId)?.active).toBe(true);
  });

  test("is never for silence", () => {
    const on = ledger();
    on.endBlock();
    for (const seat of [0, 1]) sendDeal(on, seat);
    on.blocks(windowBlocks);
    expect(on.ceremony().attempt).toBe(1);
    for (const place of [0, 1, 2, 3]) {
      expect(slashesOf(on.state, ownerOf(place))).toEqual([]);
      expect(statusOf(on, place)).toBe(validatorStatus.active);
    }
  });
});

describe("a key generation", () => {
  test("with all seats there ends without waiting and activates the key", () => {
    const on = ledger();
    on.endBlock();
    expect(on.isHurried()).toBe(true);
    for (const seat of [2, 0, 3, 1]) expect(sendDeal(on, seat)).toBe("ok");
    on.endBlock();
    expect(on.ceremony()).toMatchObject({ stage: ceremonyStages.confirm, dealt: [0, 1, 2, 3] });
    for (const seat of [0, 1, 2, 3]) expect(sendConfirm(on, seat)).toBe("ok");
    on.endBlock();
    expect(on.ceremony().stage).toBe(ceremonyStages.canary);
    expect(on.plans()).toHaveLength(1);
    expect(sendCanary(on, [0, 2, 3])).toBe("ok");
    expect(currentKeys.get(on.state, genesis.bitcoin.chain)).toEqual({ keyId });
    const key = must(keys.get(on.state, keyId), "key");
    expect(key).toMatchObject({ active: true, threshold: 3 });
    expect(key.shares[1]).toEqual(publicPoint(scalarBytes(shareOf(on, 1))));
  });

  test("is not stopped by one silent seat, which may join the active key later", () => {
    const on = ledger();
    on.endBlock();
    for (const seat of [0, 1, 3]) expect(sendDeal(on, seat)).toBe("ok");
    on.blocks(windowBlocks - 2);
    expect(on.ceremony().stage).toBe(ceremonyStages.deal);
    on.blocks(2);
    expect(on.ceremony().stage).toBe(ceremonyStages.confirm);
    for (const seat of [0, 1, 3]) expect(sendConfirm(on, seat)).toBe("ok");
    on.blocks(windowBlocks - 3);
    expect(on.ceremony().stage).toBe(ceremonyStages.confirm);
    on.blocks(2);
    expect(on.ceremony().stage).toBe(ceremonyStages.canary);
    expect(sendCanary(on, [0, 1, 3])).toBe("ok");
    expect(keys.get(on.state, keyId)?.shares[2]).toEqual(new Uint8Array(33));
    expect(sendConfirm(on, 2)).toBe("ok");
    const joined = publicPoint(scalarBytes(shareOf(on, 2)));
    expect(keys.get(on.state, keyId)?.shares[2]).toEqual(joined);
    expect(sendConfirm(on, 2)).toBe("already-confirmed");
  });

  test("of which a dealer cheated goes on without that deal", () => {
    const on = ledger();
    on.endBlock();
    for (const seat of [0, 1, 2, 3])
      expect(sendDeal(on, seat, seat === 1 ? 2 : undefined)).toBe("ok");
    on.endBlock();
    expect(sendConfirm(on, 0)).toBe("ok");
    expect(sendConfirm(on, 2)).toBe("wrong-share");
    const before = on.ceremony().dealsHash;
    expect(sendComplaint(on, 2, 1)).toBe("ok");
    // Nothing is left to confirm until the rest is merged.
    expect(on.ceremony()).toMatchObject({ voided: [1], confirmed: [], dealsHash: zero32 });
    on.endBlock();
    expect(on.ceremony()).toMatchObject({ voided: [1], confirmed: [] });
    expect(on.ceremony().dealsHash).not.toEqual(before);
    for (const seat of [0, 1, 2, 3]) expect(sendConfirm(on, seat)).toBe("ok");
    on.endBlock();
    expect(on.ceremony().stage).toBe(ceremonyStages.canary);
    expect(sendCanary(on, [0, 2, 3])).toBe("ok");
    expect(keys.get(on.state, keyId)?.active).toBe(true);
  });

  test("is not stopped by a dealer who cancels what the others committed to", () => {
    const on = ledger();
    on.endBlock();
    for (const seat of [0, 1, 3]) expect(sendDeal(on, seat)).toBe("ok");
    // It knows no polynomial behind this, so that its shares fit nobody; but the sum of the commitments is infinite.
    const others = [0, 1, 3].map((seat) => deal(on, params(on), seat).commitments[1]);
    const cancelling = negate(must(sum(others), "sum"));
    expect(
      on.send(2, kinds.deal, dealCodec.encode(deal(on, params(on), 2, undefined, cancelling))),
    ).toBe("ok");
    on.endBlock();
    expect(on.ceremony()).toMatchObject({ attempt: 0, stage: ceremonyStages.confirm });
    expect(sendConfirm(on, 0)).toBe("wrong-share");
    expect(sendComplaint(on, 0, 2)).toBe("ok");
    on.endBlock();
    expect(on.ceremony()).toMatchObject({ attempt: 0, voided: [2] });
    for (const seat of [0, 1, 3]) expect(sendConfirm(on, seat)).toBe("ok");
    on.blocks(windowBlocks);
    expect(on.ceremony().stage).toBe(ceremonyStages.canary);
    expect(sendCanary(on, [0, 1, 3])).toBe("ok");
    expect(keys.get(on.state, keyId)?.active).toBe(true);
  });

  test("begins its next attempt when too few deal, or too few confirm, or too many cheat", () => {
    const on = ledger();
    on.endBlock();
    for (const seat of [0, 1]) sendDeal(on, seat);
    on.blocks(windowBlocks);
    expect(on.ceremony()).toMatchObject({ attempt: 1, stage: ceremonyStages.deal, dealt: [] });
    expect(deals.get(on.state, { keyId, attempt: 0, seat: 0 })).toBeUndefined();
    for (const seat of [0, 1, 2, 3]) sendDeal(on, seat);
    on.endBlock();
    for (const seat of [0, 1]) sendConfirm(on, seat);
    on.blocks(windowBlocks);
    expect(on.ceremony()).toMatchObject({ attempt: 2, stage: ceremonyStages.deal, confirmed: [] });
    for (const seat of [0, 1, 2]) sendDeal(on, seat, seat === 1 ? 2 : undefined);
    on.blocks(windowBlocks);
    expect(sendComplaint(on, 2, 1)).toBe("ok");
    on.endBlock();
    expect(on.ceremony()).toMatchObject({ attempt: 3, stage: ceremonyStages.deal, voided: [] });
    expect(on.plans()).toHaveLength(0);
  });

  test("waits a rotation and a block longer when its last block had no room for envelopes", () => {
    const on = ledger();
    on.endBlock();
    for (const seat of [0, 1, 3]) sendDeal(on, seat);
    on.blocks(windowBlocks - 2);
    on.endBlock(reservedSize);
    expect(on.ceremony().stage).toBe(ceremonyStages.deal);
    on.blocks(n);
    expect(on.ceremony().stage).toBe(ceremonyStages.deal);
    on.endBlock();
    expect(on.ceremony().stage).toBe(ceremonyStages.confirm);
  });

  test("rejects messages of others' seats, of other attempts, twice, or at the wrong stage", () => {
    const on = ledger();
    on.endBlock();
    const mine = dealCodec.encode(deal(on, params(on), 0));
    expect(on.send(0, kinds.deal, mine, 1)).toBe("wrong-seat");
    const later = dealCodec.encode(deal(on, { ...params(on), attempt: 1 }, 0));
    expect(on.send(0, kinds.deal, later)).toBe("wrong-ceremony");
    const forged = { ...deal(on, params(on), 0), hostProof: new Uint8Array(64) };
    expect(on.send(0, kinds.deal, dealCodec.encode(forged))).toBe("bad-proof");
    expect(on.send(0, kinds.deal, mine)).toBe("ok");
    expect(on.send(0, kinds.deal, mine)).toBe("already-dealt");
    for (const seat of [1, 2, 3]) sendDeal(on, seat);
    expect(sendComplaint(on, 0, 1)).toBe("wrong-stage");
    on.endBlock();
    expect(on.send(0, kinds.deal, mine)).toBe("wrong-stage");
  });
});

describe("bad input", () => {
  const infinity = new Uint8Array(33);
  const offCurve = Uint8Array.of(2, ...new Uint8Array(31), 5);
  const order = fromHex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
  const entriesOf = (on: Ledger) =>
    new Map([...on.state.entries()].map(({ key, value }) => [keyOf(key), value]));

  /** Refused with a code, and the state is as it was. */
  function refuses(on: Ledger, kind: number, body: Uint8Array, from = 0): string {
    const before = entriesOf(on);
    const code = on.send(0, kind, body, from);
    expect(code).not.toBe("ok");
    expect(entriesOf(on)).toEqual(before);
    return code;
  }

  test("of a deal is refused by a code of its own, and changes nothing", () => {
    const on = ledger();
    on.endBlock();
    const good = deal(on, params(on), 0);
    const first = must(good.commitments[0], "constant term");
    const cases: readonly (readonly [string, Deal])[] = [
      ["wrong-ceremony", { ...good, keyId: 9 }],
      ["wrong-ceremony", { ...good, attempt: 1 }],
      ["wrong-seat", { ...good, seat: 1 }],
      ["wrong-seat", { ...good, seat: 4 }],
      ["bad-length", { ...good, commitments: good.commitments.slice(1) }],
      ["bad-length", { ...good, commitments: [...good.commitments, first] }],
      ["bad-length", { ...good, commitments: [] }],
      ["bad-length", { ...good, shares: good.shares.slice(1) }],
      ["bad-point", { ...good, commitments: good.commitments.with(0, infinity) }],
      ["bad-point", { ...good, ephemeral: offCurve }],
      ["bad-scalar", { ...good, shares: good.shares.with(2, order) }],
      ["bad-proof", { ...good, commitments: good.commitments.with(2, first) }],
      ["bad-proof", { ...good, commitments: good.commitments.with(2, offCurve) }],
      ["bad-proof", { ...good, proof: good.hostProof }],
      ["bad-proof", { ...good, ephemeralProof: good.proof }],
    ];
    for (const [code, wrong] of cases)
      expect(refuses(on, kinds.deal, dealCodec.encode(wrong))).toBe(code);
    // Of another network, of another key, and of a seat that is not the sender's.
    const network = testGenesis(5).networkId;
    for (const of of [{ network }, { keyId: 2 }, { chain: sha256(infinity) }]) {
      const foreign = { ...deal(on, { ...params(on), ...of }, 0), keyId };
      expect(refuses(on, kinds.deal, dealCodec.encode(foreign))).toBe("bad-proof");
    }
    expect(refuses(on, kinds.deal, dealCodec.encode(good), 2)).toBe("wrong-seat");
    for (const cut of [0, 1, 64]) {
      const bytes = dealCodec.encode(good);
      expect(refuses(on, kinds.deal, bytes.subarray(0, cut))).toBe("bad-bytes");
      expect(refuses(on, kinds.deal, concat(bytes, new Uint8Array(cut + 1)))).toBe("bad-bytes");
    }
    expect(on.send(0, kinds.deal, dealCodec.encode(good))).toBe("ok");
  });

  test("of a confirmation and a complaint, too", () => {
    const on = ledger();
    on.endBlock();
    for (const seat of [0, 1, 2, 3]) sendDeal(on, seat);
    on.endBlock();
    const good = confirmCodec.decode(confirmation(on.world, keyId, 0));
    const others = confirmCodec.decode(confirmation(on.world, keyId, 1));
    const confirms: readonly (readonly [string, Confirm])[] = [
      ["wrong-ceremony", { ...good, attempt: 7 }],
      ["wrong-seat", { ...good, seat: 1 }],
      ["wrong-deals", { ...good, dealsHash: new Uint8Array(32) }],
      ["bad-point", { ...good, share: infinity }],
      ["bad-point", { ...good, share: offCurve }],
      ["bad-proof", { ...good, share: others.share }],
      ["bad-proof", { ...good, proof: others.proof }],
    ];
    for (const [code, wrong] of confirms)
      expect(refuses(on, kinds.confirm, confirmCodec.encode(wrong))).toBe(code);
    const told = complaintOf(on.world, keyId, { seat: 0, dealer: 1 });
    const complaintCases: readonly (readonly [string, Complaint])[] = [
      ["wrong-ceremony", { ...told, keyId: 7 }],
      ["wrong-seat", { ...told, seat: 9 }],
      ["no-such-deal", { ...told, dealer: 9 }],
      ["bad-proof", { ...told, dealer: 2 }],
      ["bad-proof", { ...told, sharedPoint: offCurve }],
      ["bad-proof", { ...told, sharedPoint: infinity }],
      ["bad-proof", { ...told, dleqProof: new Uint8Array(64) }],
    ];
    for (const [code, wrong] of complaintCases)
      expect(refuses(on, kinds.complaint, complaintCodec.encode(wrong))).toBe(code);
    expect(on.ceremony()).toMatchObject({ voided: [], confirmed: [] });
  });
});

test("the genesis opens a ceremony for Bitcoin and one for each EVM chain", () => {
  const state = memoryState(genesisState(genesis));
  expect(ceremonies.get(state, 2)?.chain).toEqual(bigEndian(31_337, 32));
  expect(ceremonies.get(state, 1)?.chain).toEqual(genesis.bitcoin.chain);
});
