// Whole key generations on a ledger of four, by deals that a dealer in this file makes.
import { bigEndian, fromBigEndian, isRejected, must, sha256, utf8 } from "@causeway/primitives";
import {
  ecdhPoint,
  mod,
  negate,
  publicPoint,
  scalarBytes,
  signSchnorr,
  sum,
} from "@causeway/primitives/secp256k1";
import { describe, expect, test } from "vitest";
import { kinds } from "../../codec/action.ts";
import { roles, transactionCodec } from "../../codec/transaction.ts";
import { planId } from "../../interchain/messages.ts";
import type { Plan } from "../../interchain/records.ts";
import { listNames, lists, plans } from "../../interchain/records.ts";
import { ringSignatureCodec } from "../../interchain/statement.ts";
import type { CeremonyParams, Deal } from "../../ring/index.ts";
import {
  ceremonyContext,
  complaintCodec,
  complaintMessage,
  confirmCodec,
  dealCodec,
  decryptShare,
  evaluate,
  hashConfirm,
  hashDeal,
  lagrangeCoefficients,
  padOf,
  proveDleq,
} from "../../ring/index.ts";
import type { Ceremony } from "../../ring/records.ts";
import { ceremonies, ceremonyStages, currentKeys, deals, keys } from "../../ring/records.ts";
import { reservedSize } from "../block-limits.ts";
import { blockContext } from "../context.ts";
import { endBlock } from "../end-block.ts";
import { ledgerEnv } from "../env.ts";
import { nextSequence } from "../envelope.ts";
import { executeTransaction } from "../execute.ts";
import { genesisState } from "../genesis-state.ts";
import { memoryState } from "../memory-state.ts";
import { signEnvelope } from "../sign.ts";
import { testBls, testGenesis, testSecret, validatorSecret } from "../testing.ts";
import { acceptedSeats, dealOf, paramsOf } from "./ceremony.ts";

const n = 4;
const genesis = testGenesis(n);
const env = ledgerEnv(genesis, testBls);
const aux = sha256(utf8("aux"));
const keyId = 1;

/** A ledger that only the ring's rules move; every block takes half a second. */
function ledger() {
  const state = memoryState(genesisState(genesis));
  let height = 0;
  let isHurried = false;
  const context = () =>
    blockContext(env, state, { height, time: genesis.time + 60_000 + height * 500 });
  const sequences = Array.from({ length: n }, () => 0);
  const endOfBlock = (freeSize = 0): void => {
    height += 1;
    isHurried = endBlock(context(), freeSize).hurried;
  };
  return {
    state,
    plans: (): Plan[] =>
      (lists.get(state, listNames.plans)?.ids ?? []).map((id) =>
        must(plans.get(state, id), "plan"),
      ),
    context,
    endBlock: endOfBlock,
    ceremony: (): Ceremony => must(ceremonies.get(state, keyId), "ceremony"),
    isHurried: (): boolean => isHurried,
    height: () => height,
    send: (seat: number, kind: number, body: Uint8Array, from = seat): string => {
      const { owner: validator } = must(genesis.validators[from], "validator");
      const sequence = (sequences[from] ?? 0) + 1;
      const envelope = { validator, role: roles.signer, sequence };
      const secret = validatorSecret(from, "hostKey");
      const expires = context().time + 1_000;
      const tx = signEnvelope(genesis, envelope, expires, [{ kind, body }], secret);
      const result = executeTransaction(env, context(), transactionCodec.encode(tx));
      if (isRejected(result)) return result.code;
      const again = executeTransaction(env, context(), transactionCodec.encode(tx));
      expect(again).toMatchObject({ code: "sequence-used" });
      sequences[from] = sequence;
      expect(nextSequence(state, envelope)).toBe(sequence + 1);
      return "ok";
    },
    blocks: (count: number): void => {
      for (let i = 0; i < count; i++) endOfBlock();
    },
  };
}
type Ledger = ReturnType<typeof ledger>;

function coefficients(seat: number, attempt: number): bigint[] {
  return [0, 1, 2].map((k) => fromBigEndian(testSecret(`coefficient ${seat} ${attempt} ${k}`)));
}

/** The deal of a seat; `wrongFor` is a seat whose share is off by one. */
function deal(
  params: CeremonyParams,
  seat: number,
  wrongFor?: number,
  /** Instead of the commitment to the coefficient of x. */
  second?: Uint8Array,
): Deal {
  const context = ceremonyContext(params);
  const polynomial = coefficients(seat, params.attempt);
  const ephemeralSecret = testSecret(`ephemeral ${seat} ${params.attempt} ${params.keyId}`);
  const ephemeral = publicPoint(ephemeralSecret);
  const shares = params.hostKeys.map((hostKey, to) => {
    const sharedPoint = ecdhPoint(hostKey, ephemeralSecret);
    const pad = padOf(context, params, { dealer: seat, seat: to, ephemeral, sharedPoint });
    return scalarBytes(evaluate(polynomial, to) + pad + (to === wrongFor ? 1n : 0n));
  });
  const blank = new Uint8Array(64);
  const unsigned: Deal = {
    keyId: params.keyId,
    attempt: params.attempt,
    seat,
    commitments: polynomial.map((c, k) =>
      k === 1 && second !== undefined ? second : publicPoint(scalarBytes(c)),
    ),
    proof: blank,
    ephemeral,
    ephemeralProof: blank,
    hostProof: blank,
    shares,
  };
  const hash = hashDeal(context, params, unsigned);
  return {
    ...unsigned,
    proof: signSchnorr(scalarBytes(must(polynomial[0], "constant")), hash, aux),
    ephemeralProof: signSchnorr(ephemeralSecret, hash, aux),
    hostProof: signSchnorr(validatorSecret(seat, "hostKey"), hash, aux),
  };
}

const params = (on: Ledger): CeremonyParams => paramsOf(genesis, on.ceremony());

function sendDeal(on: Ledger, seat: number, wrongFor?: number): string {
  return on.send(seat, kinds.deal, dealCodec.encode(deal(params(on), seat, wrongFor)));
}

/** The share of a seat in the merged key. */
function shareOf(on: Ledger, seat: number): bigint {
  const context = ceremonyContext(params(on));
  let share = 0n;
  for (const dealer of acceptedSeats(on.ceremony())) {
    const found = must(dealOf(on.state, on.ceremony(), dealer), "deal");
    const sharedPoint = ecdhPoint(found.ephemeral, validatorSecret(seat, "hostKey"));
    share += decryptShare(context, params(on), found, seat, sharedPoint);
  }
  return mod(share);
}

function confirmation(on: Ledger, seat: number): Uint8Array {
  const secret = scalarBytes(shareOf(on, seat));
  const { attempt, dealsHash } = on.ceremony();
  const body = { keyId, attempt, seat, share: publicPoint(secret), dealsHash };
  const hash = hashConfirm(ceremonyContext(params(on)), params(on), body);
  return confirmCodec.encode({ ...body, proof: signSchnorr(secret, hash, aux) });
}

const sendConfirm = (on: Ledger, seat: number): string =>
  on.send(seat, kinds.confirm, confirmation(on, seat));

function complaint(on: Ledger, seat: number, dealer: number): Uint8Array {
  const secret = validatorSecret(seat, "hostKey");
  const { ephemeral } = must(dealOf(on.state, on.ceremony(), dealer), "deal");
  const { attempt } = on.ceremony();
  const message = complaintMessage(ceremonyContext(params(on)), params(on), { seat, dealer });
  return complaintCodec.encode({
    keyId,
    attempt,
    seat,
    dealer,
    sharedPoint: ecdhPoint(ephemeral, secret),
    dleqProof: proveDleq(secret, ephemeral, aux, message),
  });
}

/** Sends the canary's signature by the key itself, put together from the shares of `seats`. */
function sendCanary(on: Ledger, seats: readonly number[]): string {
  const lambdas = lagrangeCoefficients(seats);
  const shares = seats.map((seat, i) => (lambdas[i] ?? 0n) * shareOf(on, seat));
  const secret = shares.reduce((sum, share) => sum + share, 0n);
  const { kind, subject, txid } = must(on.plans()[0], "canary plan");
  const plan = planId(genesis.networkId, kind, subject);
  const signatures = [signSchnorr(scalarBytes(secret), txid, aux)];
  return on.send(0, kinds.signature, ringSignatureCodec.encode({ plan, signatures }));
}

/** Blocks of a window that ends by time: 12 for the count, and more than 5 s. */
const windowBlocks = 3 * n + 1;

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
    on.endBlock();
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
    expect(on.send(2, kinds.complaint, complaint(on, 2, 1))).toBe("ok");
    expect(on.ceremony()).toMatchObject({ voided: [1], confirmed: [] });
    expect(on.ceremony().dealsHash).not.toEqual(before);
    for (const seat of [0, 2, 3]) expect(sendConfirm(on, seat)).toBe("ok");
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
    const others = [0, 1, 3].map((seat) => deal(params(on), seat).commitments[1]);
    const cancelling = negate(must(sum(others), "sum"));
    expect(
      on.send(2, kinds.deal, dealCodec.encode(deal(params(on), 2, undefined, cancelling))),
    ).toBe("ok");
    on.endBlock();
    expect(on.ceremony()).toMatchObject({ attempt: 0, stage: ceremonyStages.confirm });
    expect(sendConfirm(on, 0)).toBe("wrong-share");
    expect(on.send(0, kinds.complaint, complaint(on, 0, 2))).toBe("ok");
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
    expect(on.send(2, kinds.complaint, complaint(on, 2, 1))).toBe("ok");
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
    const mine = dealCodec.encode(deal(params(on), 0));
    expect(on.send(0, kinds.deal, mine, 1)).toBe("wrong-seat");
    const later = dealCodec.encode(deal({ ...params(on), attempt: 1 }, 0));
    expect(on.send(0, kinds.deal, later)).toBe("wrong-ceremony");
    const forged = { ...deal(params(on), 0), hostProof: new Uint8Array(64) };
    expect(on.send(0, kinds.deal, dealCodec.encode(forged))).toBe("bad-proof");
    expect(on.send(0, kinds.deal, mine)).toBe("ok");
    expect(on.send(0, kinds.deal, mine)).toBe("already-dealt");
    for (const seat of [1, 2, 3]) sendDeal(on, seat);
    expect(on.send(0, kinds.complaint, complaint(on, 0, 1))).toBe("wrong-stage");
    on.endBlock();
    expect(on.send(0, kinds.deal, mine)).toBe("wrong-stage");
    expect(on.send(0, kinds.complaint, complaint(on, 0, 1))).toBe("false-complaint");
  });
});

test("the genesis opens a ceremony for Bitcoin and one for each EVM chain", () => {
  const state = memoryState(genesisState(genesis));
  expect(ceremonies.get(state, 2)?.chain).toEqual(bigEndian(31_337, 32));
  expect(ceremonies.get(state, 1)?.chain).toEqual(genesis.bitcoin.chain);
});
