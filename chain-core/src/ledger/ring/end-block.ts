// What every block does to open ceremonies: their windows end (RNG-4), and what follows from it begins.
import { must } from "@causeway/primitives";
import type { Plan } from "../../interchain/records.ts";
import { planKinds, planStatus } from "../../interchain/records.ts";
import { canaryMessage, canarySubject } from "../../ring/index.ts";
import type { Ceremony } from "../../ring/records.ts";
import { ceremonies, ceremonyStages, openCeremonies } from "../../ring/records.ts";
import type { BlockContext } from "../rule.ts";
import type { StateReader } from "../state.ts";
import { acceptedSeats, beginConfirm, beginNextAttempt, seatsNeeded } from "./ceremony.ts";

/** What the end of a block needs of the rest of the ledger. */
export type RingPorts = {
  /** The envelopes of this block filled the part reserved for them (CON-7). */
  readonly isReservedFull: boolean;
  readonly openPlan: (block: BlockContext, plan: Plan) => void;
};

/** Blocks that follow a window's start before it may end: three turns of every proposer (RNG-4). */
function windowBlocks({ genesis }: BlockContext): number {
  return 3 * genesis.validators.length;
}

export function ringEndBlock(block: BlockContext, ports: RingPorts): void {
  for (const ceremony of waiting(block.state)) {
    const { startedHeight, stage } = ceremony;
    if (startedHeight === 0) start(block, ceremony);
    else if (stage === ceremonyStages.deal) endDealing(block, ceremony, ports);
    else if (stage === ceremonyStages.confirm) endConfirming(block, ceremony, ports);
  }
}

/** Ceremonies at a stage with a window, by key id. */
function waiting(state: StateReader): Ceremony[] {
  const open = openCeremonies.get(state, "only")?.keyIds ?? [];
  return open
    .map((keyId) => must(ceremonies.get(state, keyId), `ceremony of key ${keyId}`))
    .filter(({ stage }) => stage === ceremonyStages.deal || stage === ceremonyStages.confirm);
}

/** The genesis' ceremonies: their window begins with the first block. */
function start({ state, time, height }: BlockContext, ceremony: Ceremony): void {
  ceremonies.put(state, ceremony.keyId, { ...ceremony, startedAt: time, startedHeight: height });
}

function endDealing(block: BlockContext, ceremony: Ceremony, ports: RingPorts): void {
  const { seats, dealt } = ceremony;
  const isEarly = dealt.length === seats.length;
  if (!isEarly && !isOver(block, ceremony, ports)) return;
  if (dealt.length >= seatsNeeded(seats.length)) beginConfirm(block, ceremony);
  else beginNextAttempt(block, ceremony);
}

function endConfirming(block: BlockContext, ceremony: Ceremony, ports: RingPorts): void {
  const confirmed = new Set(ceremony.confirmed.map(({ seat }) => seat));
  const isEnough = confirmed.size >= seatsNeeded(ceremony.seats.length);
  const isEarly = isEnough && acceptedSeats(ceremony).every((seat) => confirmed.has(seat));
  if (!isEarly && !isOver(block, ceremony, ports)) return;
  if (isEnough) beginCanary(block, ceremony, ports);
  else beginNextAttempt(block, ceremony);
}

/**
 * RNG-4: time and blocks are past the window. Where this very block had no room left for its messages it ends a
 * rotation and a block later: at exactly a rotation the same proposer could fill its block again, for ever.
 */
function isOver(block: BlockContext, ceremony: Ceremony, { isReservedFull }: RingPorts): boolean {
  const { state, params, time, height, genesis } = block;
  const blocks = windowBlocks(block);
  if (time <= ceremony.startedAt + params.ceremonyWindowMs) return false;
  if (height < ceremony.startedHeight + blocks) return false;
  if (!isReservedFull) return true;
  const startedHeight = height - blocks + genesis.validators.length + 1;
  ceremonies.put(state, ceremony.keyId, { ...ceremony, startedHeight });
  return false;
}

function beginCanary(block: BlockContext, ceremony: Ceremony, { openPlan }: RingPorts): void {
  const { keyId, chain, commitments, attempt } = ceremony;
  const groupPoint = must(commitments[0], "group point");
  ceremonies.put(block.state, keyId, {
    ...ceremony,
    stage: ceremonyStages.canary,
    startedAt: block.time,
    startedHeight: block.height,
  });
  openPlan(block, {
    kind: planKinds.canary,
    keyId,
    chain,
    asset: new Uint8Array(32),
    subject: canarySubject({ keyId, attempt, groupPoint }),
    inputs: [],
    withdrawals: [],
    anchor: new Uint8Array(0),
    attempt,
    nonce: 0,
    fee: 0n,
    txid: canaryMessage(block.genesis.networkId, { keyId, attempt, groupPoint }),
    status: planStatus.planned,
    signatures: [],
    plannedAt: block.time,
    updatedAt: block.time,
  });
}

/**
 * True while a window still lacks blocks: without work proposers would wait for the heartbeat, and a window of
 * seconds would take minutes. When only its time is missing, the heartbeat is soon enough.
 */
export function isRingHurried(block: BlockContext): boolean {
  return waiting(block.state).some(
    ({ startedHeight }) => block.height < startedHeight + windowBlocks(block),
  );
}
