// For tests only: a ledger that only the ring's rules move, and validators who do their part in its ceremonies, or lie.
import type { Bytes32 } from "@causeway/primitives";
import { equal, fromBigEndian, isRejected, must, sha256, utf8 } from "@causeway/primitives";
import {
  ecdhPoint,
  mod,
  publicPoint,
  scalarBytes,
  signSchnorr,
} from "@causeway/primitives/secp256k1";
import { kinds } from "../../codec/action.ts";
import { roles, transactionCodec } from "../../codec/transaction.ts";
import { planId } from "../../interchain/messages.ts";
import { planKinds } from "../../interchain/records.ts";
import { ringSignatureCodec } from "../../interchain/statement.ts";
import type { CeremonyParams, Complaint, Deal } from "../../ring/index.ts";
import {
  canaryMessage,
  canarySubject,
  ceremonyContext,
  complaintCodec,
  complaintMessage,
  confirmCodec,
  countedSeats,
  dealCodec,
  dealWeights,
  decryptShare,
  evaluate,
  hashConfirm,
  hashDeal,
  heartbeatCodec,
  lagrangeCoefficients,
  padOf,
  proveDleq,
} from "../../ring/index.ts";
import type { Ceremony } from "../../ring/records.ts";
import { ceremonies, ceremonyOf, keys, paramsOf, purposes, terms } from "../../ring/records.ts";
import { outputs } from "../beacon/round.ts";
import { blockContext } from "../context.ts";
import { endBlock } from "../end-block.ts";
import type { LedgerEnv } from "../env.ts";
import { ledgerEnv } from "../env.ts";
import { nextSequence } from "../envelope.ts";
import { epochOf } from "../epoch/epochs.ts";
import { validatorStatus, validators } from "../epoch/validators.ts";
import { executeTransaction } from "../execute.ts";
import type { Genesis } from "../genesis.ts";
import { genesisState } from "../genesis-state.ts";
import type { MemoryState } from "../memory-state.ts";
import { memoryState } from "../memory-state.ts";
import type { BlockContext } from "../rule.ts";
import { signEnvelope } from "../sign.ts";
import { testBls, testHash, testSecret, validatorSecret } from "../testing.ts";
import { acceptedSeats, dealOf } from "./ceremony.ts";

const aux = sha256(utf8("aux"));

/** Blocks follow each other by half a second unless time is made to pass. */
export type RingWorld = {
  readonly genesis: Genesis;
  readonly env: LedgerEnv;
  readonly state: MemoryState;
  height: number;
  time: number;
  isHurried: boolean;
};

/** `genesis` of `testGenesis`: its validators' secrets are known by their places. */
export function ringWorld(genesis: Genesis): RingWorld {
  const state = memoryState(genesisState(genesis));
  const env = ledgerEnv(genesis, testBls);
  return { genesis, env, state, height: 0, time: genesis.time, isHurried: false };
}

export function contextOf({ env, state, height, time }: RingWorld): BlockContext {
  return blockContext(env, state, { height, time });
}

/** Ends a block `ms` after the one before, of which envelopes took `freeSize` bytes. */
export function endOfBlock(world: RingWorld, ms = 500, freeSize = 0): void {
  world.height += 1;
  world.time += ms;
  world.isHurried = endBlock(contextOf(world), freeSize).hurried;
}

export function blocks(world: RingWorld, count: number): void {
  for (let i = 0; i < count; i++) endOfBlock(world);
}

/** Turns the epoch; `isSilent`: the beacon of the epoch that ends had no output. */
export function turnEpoch(world: RingWorld, isSilent = false): void {
  const { state, genesis } = world;
  const { number, endsAt } = epochOf(state);
  if (!isSilent) outputs.put(state, number, { output: testHash(genesis.networkId, number) });
  endOfBlock(world, Math.max(500, endsAt - world.time));
}

/** Sends an action in an envelope of the validator in the register's `place`; gives "ok" or the code. */
export function send(world: RingWorld, place: number, kind: number, body: Uint8Array): string {
  const { genesis, env, state } = world;
  const { owner: validator } = must(genesis.validators[place], "validator");
  const from = { validator, role: roles.signer };
  const envelope = { ...from, sequence: nextSequence(state, from) };
  const secret = validatorSecret(place, "hostKey");
  const tx = signEnvelope(genesis, envelope, world.time + 1_000, [{ kind, body }], secret);
  const result = executeTransaction(env, contextOf(world), transactionCodec.encode(tx));
  return isRejected(result) ? result.code : "ok";
}

/** The place of a seat's validator in the register. */
export function placeOf({ genesis }: RingWorld, validator: Uint8Array): number {
  return genesis.validators.findIndex(({ owner }) => equal(owner, validator));
}

export function ceremony({ state }: RingWorld, keyId: number): Ceremony {
  return must(ceremonyOf(state, keyId), `ceremony of key ${keyId}`);
}

/** Who deals from which seat: of a resharing the seats of the ring that holds the key. */
export function dealerPlaces(world: RingWorld, keyId: number): readonly number[] {
  const of = ceremony(world, keyId);
  const isReshare = of.purpose === purposes.reshare;
  const { seats } = isReshare ? must(keys.get(world.state, keyId), "key") : of;
  return seats.map(({ validator }) => placeOf(world, validator));
}

export function seatPlaces(world: RingWorld, keyId: number): readonly number[] {
  return ceremony(world, keyId).seats.map(({ validator }) => placeOf(world, validator));
}

function hostSecretOf(world: RingWorld, hostKey: Uint8Array): Bytes32 {
  const place = world.genesis.validators.findIndex((one) => equal(one.hostKey, hostKey));
  return validatorSecret(place, "hostKey");
}

export const paramsIn = (world: RingWorld, of: Ceremony): CeremonyParams => paramsOf(world, of);

/** The share that a seat of a ceremony has, from the ledger and its host key (RNG-5). */
export function shareOf(world: RingWorld, of: Ceremony, seat: number): bigint {
  const params = paramsOf(world, of);
  const context = ceremonyContext(params);
  const counted = must(countedSeats(params, acceptedSeats(of)), "deals that count");
  const weights = dealWeights(params, counted);
  const secret = hostSecretOf(world, must(params.hostKeys[seat], "host key"));
  return mod(
    counted.reduce((sum, dealer, i) => {
      const deal = must(dealOf(world.state, of, dealer), "deal");
      const sharedPoint = ecdhPoint(deal.ephemeral, secret);
      return sum + (weights[i] as bigint) * decryptShare(context, params, deal, seat, sharedPoint);
    }, 0n),
  );
}

/** What of a deal is not honest. */
export type Cheat = {
  /** A seat whose share is off by one. */
  readonly wrongFor?: number | undefined;
  /** Instead of the commitment to the coefficient of x. */
  readonly second?: Uint8Array | undefined;
};

/** The deal of a seat. */
export function dealFrom(
  world: RingWorld,
  params: CeremonyParams,
  seat: number,
  { wrongFor, second }: Cheat = {},
): Deal {
  const { keyId, attempt, t, from, hostKeys } = params;
  const context = ceremonyContext(params);
  const name = `${seat} ${attempt} ${keyId}`;
  const constant =
    from === undefined
      ? fromBigEndian(testSecret(`coefficient ${name} 0`))
      : shareOf(world, must(ceremonies.get(world.state, keyId), "ceremony of the key"), seat);
  const polynomial = Array.from({ length: t }, (_, k) =>
    k === 0 ? constant : fromBigEndian(testSecret(`coefficient ${name} ${k}`)),
  );
  const ephemeralSecret = testSecret(`ephemeral ${name}`);
  const ephemeral = publicPoint(ephemeralSecret);
  const shares = hostKeys.map((hostKey, to) => {
    const sharedPoint = ecdhPoint(hostKey, ephemeralSecret);
    const pad = padOf(context, params, { dealer: seat, seat: to, ephemeral, sharedPoint });
    return scalarBytes(evaluate(polynomial, to) + pad + (to === wrongFor ? 1n : 0n));
  });
  const blank = new Uint8Array(64);
  const commitments = polynomial.map((c, k) =>
    k === 1 && second !== undefined ? second : publicPoint(scalarBytes(c)),
  );
  const proofs = { proof: blank, ephemeralProof: blank, hostProof: blank };
  const unsigned: Deal = { keyId, attempt, seat, commitments, ephemeral, shares, ...proofs };
  const hash = hashDeal(context, params, unsigned);
  const hostKey = must((from ?? params).hostKeys[seat], "host key");
  return {
    ...unsigned,
    proof: signSchnorr(scalarBytes(constant), hash, aux),
    ephemeralProof: signSchnorr(ephemeralSecret, hash, aux),
    hostProof: signSchnorr(hostSecretOf(world, hostKey), hash, aux),
  };
}

export function sendDeal(world: RingWorld, keyId: number, seat: number, cheat?: Cheat): string {
  const deal = dealFrom(world, paramsOf(world, ceremony(world, keyId)), seat, cheat);
  const place = must(dealerPlaces(world, keyId)[seat], "dealer");
  return send(world, place, kinds.deal, dealCodec.encode(deal));
}

/** `of`: the ceremony of that attempt, the one under way if not told. */
export function confirmation(
  world: RingWorld,
  keyId: number,
  seat: number,
  of: Ceremony = ceremony(world, keyId),
): Uint8Array {
  const params = paramsOf(world, of);
  const secret = scalarBytes(shareOf(world, of, seat));
  const { attempt, dealsHash } = of;
  const body = { keyId, attempt, seat, share: publicPoint(secret), dealsHash };
  const hash = hashConfirm(ceremonyContext(params), params, body);
  return confirmCodec.encode({ ...body, proof: signSchnorr(secret, hash, aux) });
}

export function sendConfirm(world: RingWorld, keyId: number, seat: number, of?: Ceremony): string {
  const seats = (of ?? ceremony(world, keyId)).seats;
  const place = placeOf(world, must(seats[seat], "seat").validator);
  return send(world, place, kinds.confirm, confirmation(world, keyId, seat, of));
}

/** What `seat` says of the dealer, true or not. */
export function complaintOf(
  world: RingWorld,
  keyId: number,
  { seat, dealer }: { readonly seat: number; readonly dealer: number },
): Complaint {
  const of = ceremony(world, keyId);
  const params = paramsOf(world, of);
  const secret = hostSecretOf(world, must(params.hostKeys[seat], "host key"));
  const { ephemeral } = must(dealOf(world.state, of, dealer), "deal");
  const message = complaintMessage(ceremonyContext(params), params, { seat, dealer });
  const sharedPoint = ecdhPoint(ephemeral, secret);
  const dleqProof = proveDleq(secret, ephemeral, aux, message);
  return { keyId, attempt: of.attempt, seat, dealer, sharedPoint, dleqProof };
}

export function sendComplaint(
  world: RingWorld,
  keyId: number,
  of: { readonly seat: number; readonly dealer: number },
): string {
  const place = must(seatPlaces(world, keyId)[of.seat], "seat");
  const body = complaintCodec.encode(complaintOf(world, keyId, of));
  return send(world, place, kinds.complaint, body);
}

/** The canary's signature, by the key put together from the shares of `seats`; `of` as in {@link confirmation}. */
export function canaryOf(
  world: RingWorld,
  keyId: number,
  seats: readonly number[],
  of: Ceremony = ceremony(world, keyId),
): Uint8Array {
  const { networkId } = world.genesis;
  const lambdas = lagrangeCoefficients(seats);
  const secret = seats.reduce(
    (sum, seat, i) => sum + (lambdas[i] ?? 0n) * shareOf(world, of, seat),
    0n,
  );
  const groupPoint = must(of.commitments[0], "group point");
  const canary = { keyId, attempt: of.attempt, groupPoint };
  const plan = planId(networkId, planKinds.canary, canarySubject(canary));
  const message = canaryMessage(networkId, canary);
  return ringSignatureCodec.encode({
    plan,
    signatures: [signSchnorr(scalarBytes(secret), message, aux)],
  });
}

export function sendCanary(world: RingWorld, keyId: number, seats: readonly number[]): string {
  return send(world, 0, kinds.signature, canaryOf(world, keyId, seats));
}

/** Brings the open ceremony of a key to its end, as every seat does its part. */
export function finish(world: RingWorld, keyId: number): void {
  const parts: string[] = [];
  for (const seat of dealerPlaces(world, keyId).keys()) parts.push(sendDeal(world, keyId, seat));
  endOfBlock(world);
  const { seats, threshold } = ceremony(world, keyId);
  for (const seat of seats.keys()) parts.push(sendConfirm(world, keyId, seat));
  endOfBlock(world);
  parts.push(sendCanary(world, keyId, [...seats.keys()].slice(0, threshold)));
  must(parts.every((code) => code === "ok") || undefined, `every part: ${parts.join(" ")}`);
}

export function beat(world: RingWorld, place: number): string {
  const { term } = must(terms.get(world.state, "only"), "terms");
  return send(world, place, kinds.heartbeat, heartbeatCodec.encode({ term }));
}

/** As the rules of staking leave a validator that is jailed, left or came back. */
export function setStatus(
  { state }: RingWorld,
  owner: Uint8Array,
  status: keyof typeof validatorStatus,
): void {
  const validator = must(validators.get(state, owner), "validator");
  const since = epochOf(state).number;
  validators.put(state, owner, { ...validator, status: validatorStatus[status], since });
}
