// When a ring's term ends early (RNG-2).
import type { Ring } from "../../ring/records.ts";
import { currentKeys, heartbeats, keys, terms } from "../../ring/records.ts";
import type { BlockContext } from "../rule.ts";
import { isPunishedSince } from "./blame.ts";
import { elect } from "./election.ts";
import { isGone } from "./redraw.ts";

type Owners = readonly Uint8Array[];

/** Who holds the seats: of the term's Bitcoin key, some of which a ceremony drew anew, or as the ring was drawn. */
function onDuty({ state, genesis }: BlockContext, ring: Ring): Owners {
  const current = currentKeys.get(state, genesis.bitcoin.chain);
  const key = current && keys.get(state, current.keyId);
  const { seats } = key?.term === ring.term ? key : ring;
  return seats.map(({ validator }) => validator);
}

/** In service, and its signer gave a sign of life within `ringHeartbeatMs`. */
export function isLive({ state, params, time }: BlockContext, owner: Uint8Array): boolean {
  const at = heartbeats.get(state, owner)?.at;
  return at !== undefined && time - at <= params.ringHeartbeatMs && !isGone(state, owner);
}

/**
 * More than a third of the seats have gone, one was punished for a ceremony, or no more than t live and an election
 * as `epoch` begins would give more. At most once in a quarter of a term.
 */
export function isEarly(block: BlockContext, ring: Ring, epoch: number): boolean {
  if (hasJustRotated(block, epoch)) return false;
  const { state } = block;
  const owners = onDuty(block, ring);
  const gone = owners.filter((owner) => isGone(state, owner)).length;
  if (3 * gone > owners.length) return true;
  if (owners.some((owner) => isPunishedSince(state, owner, ring.epoch))) return true;
  return isFailing(block, ring, owners, epoch);
}

function hasJustRotated({ state, params }: BlockContext, epoch: number): boolean {
  const { earlyEpoch } = terms.get(state, "only") ?? { earlyEpoch: 0 };
  return earlyEpoch > 0 && epoch - earlyEpoch < Math.ceil(params.ringTermEpochs / 4);
}

/** A ring that has just begun has had no time for a sign of life. */
function isFailing(block: BlockContext, ring: Ring, owners: Owners, epoch: number): boolean {
  const { params, time } = block;
  if (time - ring.startedAt <= params.ringHeartbeatMs) return false;
  const live = countLive(block, owners);
  if (live > ring.threshold) return false;
  const next = elect(block, epoch);
  if (typeof next === "number") return false;
  return (
    countLive(
      block,
      next.ring.seats.map(({ validator }) => validator),
    ) > live
  );
}

function countLive(block: BlockContext, owners: Owners): number {
  return owners.filter((owner) => isLive(block, owner)).length;
}
