// What proven cheating in a ceremony costs (RNG-3, ADR 0016): a part of the stake behind the validator, and its service
// until the owner asks for it again. Silence is never proof: it costs the seat of the next attempt and no stake.
import type { Seat } from "../../ring/records.ts";
import { moveEconomy } from "../economy.ts";
import { epochOf } from "../epoch/epochs.ts";
import type { BlockContext } from "../rule.ts";
import { causes, jail, slash, slashesOf } from "../staking/punish.ts";
import type { StateReader } from "../state.ts";

/** True when the validator was punished for a ceremony in `epoch` or later. */
export function isPunishedSince(state: StateReader, owner: Uint8Array, epoch: number): boolean {
  return slashesOf(state, owner).some((one) => one.cause === causes.ring && one.epoch >= epoch);
}

/**
 * Once an epoch: a signer with one wrong disk fails in every seat and for every key at the same time. In jail the
 * validator is no candidate, and out of it a new one, who must cool down (RNG-2).
 */
export function punishSeat(context: BlockContext, seat: Pick<Seat, "validator"> | undefined): void {
  if (seat === undefined) return;
  const { state, params } = context;
  const { validator } = seat;
  const epoch = epochOf(state).number;
  if (isPunishedSince(state, validator, epoch)) return;
  const bps = params.ringSlashBps;
  const burnt = slash(context, validator, { epoch, cause: causes.ring, bps });
  if (burnt > 0n) moveEconomy(state, { burnt });
  jail(context, validator);
}
