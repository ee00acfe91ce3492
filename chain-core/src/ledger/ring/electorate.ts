// Who could be drawn into a ring, fixed as each epoch begins (RNG-1, RNG-2).
import { keyOf } from "@causeway/primitives";
import type { Elector } from "../../ring/records.ts";
import { electorates } from "../../ring/records.ts";
import { validators } from "../epoch/validators.ts";
import type { Params } from "../genesis.ts";
import { candidates } from "../staking/candidates.ts";
import type { StateReader } from "../state.ts";

/**
 * The candidates of now, as `epoch` begins, each with the epoch since which it has been one without a break: who left,
 * was jailed or fell below the least stake begins anew. Those of the first record need no time to cool down.
 */
export function electorateOf(
  state: StateReader,
  params: Pick<Params, "selfStakeMin">,
  epoch: number,
): Elector[] {
  const before = epoch === 0 ? undefined : electorates.get(state, epoch - 1)?.candidates;
  const since = new Map(before?.map((one) => [keyOf(one.owner), one.since]));
  return candidates(state, params, epoch).map(({ owner, stake }) => {
    const entered = before === undefined ? 0 : (since.get(keyOf(owner)) ?? epoch);
    const status = validators.get(state, owner)?.since ?? epoch;
    return { owner, stake, since: Math.max(entered, status) };
  });
}

/** RNG-2: whether a candidate has cooled down for an election in `epoch`. */
export function isCool(
  { since }: Pick<Elector, "since">,
  { ringCooldownEpochs }: Pick<Params, "ringCooldownEpochs">,
  epoch: number,
): boolean {
  return since === 0 || epoch - since >= ringCooldownEpochs;
}
