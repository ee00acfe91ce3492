// What every block does to open ceremonies: their windows end (RNG-4), and what follows from it begins.
import { must } from "@causeway/primitives";
import type { Plan } from "../../interchain/records.ts";
import { planKinds, planStatus } from "../../interchain/records.ts";
import { canaryMessage, canarySubject } from "../../ring/index.ts";
import type { Ceremony } from "../../ring/records.ts";
import { ceremonyOf, ceremonyStages, openCeremonies, paramsOf } from "../../ring/records.ts";
import { committeeAt, epochOf } from "../epoch/epochs.ts";
import type { BlockContext } from "../rule.ts";
import type { StateReader } from "../state.ts";
import {
  beginConfirm,
  dealers,
  failConfirming,
  failDealing,
  heardSeats,
  isUnmerged,
  putCeremony,
  seatsNeeded,
} from "./ceremony.ts";

/** What the end of a block needs of the rest of the ledger. */
export type RingPorts = {
  /** The envelopes of this block filled the part reserved for them (CON-7). */
  readonly isReservedFull: boolean;
  /** Nobody is to sign the canary of this attempt any more. */
  readonly dropCanary: (block: BlockContext, ceremony: Ceremony) => void;
  readonly openPlan: (block: BlockContext, plan: Plan) => void;
};

/** Blocks in which everybody of the running committee proposes once. */
function rotation({ state }: BlockContext): number {
  return must(committeeAt(state, epochOf(state).number), "committee").members.length;
}

/** Blocks that follow a window's start before it may end: three turns of every proposer (RNG-4). */
function windowBlocks(block: BlockContext): number {
  return 3 * rotation(block);
}

/**
 * What a block may merge, in dealers times commitments: one resharing of 100/150 takes 0.4 s. Windows that began
 * together end together; the others' deals are merged by the next blocks.
 */
const mergeMax = 15_000;

/** A canary's time, in windows of RNG-4: rounds with seats that do not answer follow each other. */
const canaryWindows = 4;

export function ringEndBlock(block: BlockContext, ports: RingPorts): void {
  let merged = 0;
  for (const ceremony of waiting(block.state))
    if (isUnmerged(ceremony) && ceremony.stage === ceremonyStages.canary) {
      ports.dropCanary(block, ceremony);
      failDealing(block, ceremony);
    } else if (isUnmerged(ceremony)) {
      beginConfirm(block, ceremony);
      merged += ceremony.dealt.length * ceremony.threshold;
    }
  for (const ceremony of waiting(block.state)) {
    const { startedHeight, stage, dealt, threshold } = ceremony;
    if (startedHeight === 0) start(block, ceremony);
    else if (stage === ceremonyStages.canary) endCanary(block, ceremony, ports);
    else if (stage === ceremonyStages.confirm) endConfirming(block, ceremony, ports);
    else if (merged < mergeMax && endDealing(block, ceremony, ports))
      merged += dealt.length * threshold;
  }
}

/** Ceremonies at a stage with a window, by key id. */
function waiting(state: StateReader): Ceremony[] {
  const open = openCeremonies.get(state, "only")?.keyIds ?? [];
  return open
    .map((keyId) => must(ceremonyOf(state, keyId), `ceremony of key ${keyId}`))
    .filter(({ stage }) => stage < ceremonyStages.active);
}

/** The genesis' ceremonies: their window begins with the first block. */
function start({ state, time, height }: BlockContext, ceremony: Ceremony): void {
  putCeremony(state, { ...ceremony, startedAt: time, startedHeight: height });
}

/** True when the window is over, and what follows has begun. */
function endDealing(block: BlockContext, ceremony: Ceremony, ports: RingPorts): boolean {
  const { seats, dealt } = ceremony;
  const params = paramsOf(block, ceremony);
  const isEarly = dealt.length === dealers(params, ceremony).length;
  if (!isEarly && !isOver(block, ceremony, ports)) return false;
  const enough = params.from === undefined ? seatsNeeded(seats.length) : params.from.t;
  if (dealt.length >= enough) beginConfirm(block, ceremony);
  else failDealing(block, ceremony);
  return true;
}

function endConfirming(block: BlockContext, ceremony: Ceremony, ports: RingPorts): void {
  const { seats, confirmed } = ceremony;
  const isEnough = confirmed.length >= seatsNeeded(seats.length);
  const isEarly = isEnough && heardSeats(ceremony).size === seats.length;
  if (!isEarly && !isOver(block, ceremony, ports)) return;
  if (isEnough) beginCanary(block, ceremony, ports);
  else failConfirming(block, ceremony);
}

/** Some of those who confirmed do not sign, and too few others came: who did not confirm makes room for others. */
function endCanary(block: BlockContext, ceremony: Ceremony, ports: RingPorts): void {
  if (!isOver(block, ceremony, ports, canaryWindows)) return;
  ports.dropCanary(block, ceremony);
  failConfirming(block, ceremony);
}

/**
 * RNG-4: time and blocks are past the window. Where this very block had no room left for its messages it ends a
 * rotation and a block later: at exactly a rotation the same proposer could fill its block again, for ever.
 */
function isOver(
  block: BlockContext,
  ceremony: Ceremony,
  { isReservedFull }: RingPorts,
  windows = 1,
): boolean {
  const { state, params, time, height } = block;
  const blocks = windowBlocks(block);
  if (time <= ceremony.startedAt + windows * params.ceremonyWindowMs) return false;
  if (height < ceremony.startedHeight + blocks) return false;
  if (!isReservedFull) return true;
  putCeremony(state, { ...ceremony, startedHeight: height - blocks + rotation(block) + 1 });
  return false;
}

function beginCanary(block: BlockContext, ceremony: Ceremony, { openPlan }: RingPorts): void {
  const { keyId, chain, commitments, attempt } = ceremony;
  const groupPoint = must(commitments[0], "group point");
  putCeremony(block.state, {
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
